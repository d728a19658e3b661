/** Geometry of the line charts: pure, in the units of the SVG's view box. */

export interface Point {
  readonly atMs: number;
  /** Undefined where nothing was measured: the line has a gap there. */
  readonly value: number | undefined;
}

export interface Plot {
  readonly width: number;
  readonly height: number;
  /** Time at the right edge, and the span from edge to edge. */
  readonly nowMs: number;
  readonly spanMs: number;
  /** Value at the upper edge; the lower is 0. */
  readonly max: number;
}

/** Points further apart than this are not joined: nothing is known of the time between. */
const gapMs = 3_000;

/** 1, 2 or 5 times a power of ten: the smallest that is not below `largest`, and never below `least`. */
export function niceMax(largest: number, least: number): number {
  const wanted = Math.max(Number.isFinite(largest) ? largest : 0, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= wanted * (1 - 1e-9)) ?? 10;
  return step * power;
}

function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Runs of points to be joined by a line, left to right, in view box coordinates. */
function runs(points: readonly Point[], plot: Plot): { x: number; y: number }[][] {
  const result: { x: number; y: number }[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  let run: { x: number; y: number }[] | undefined;
  for (const { atMs, value } of points) {
    const age = plot.nowMs - atMs;
    if (value === undefined || age > plot.spanMs || age < 0) {
      run = undefined;
      continue;
    }
    if (run === undefined || atMs - lastMs > gapMs) {
      run = [];
      result.push(run);
    }
    const share = Math.min(1, Math.max(0, value / plot.max));
    run.push({ x: plot.width * (1 - age / plot.spanMs), y: plot.height * (1 - share) });
    lastMs = atMs;
  }
  return result;
}

/** The `d` of an SVG path along the points; a lone point is a dot (a line of no length, round caps). */
export function linePath(points: readonly Point[], plot: Plot): string {
  return runs(points, plot)
    .map((run) => {
      const [first, ...rest] = run.map(({ x, y }) => `${coordinate(x)} ${coordinate(y)}`);
      return `M${first}${rest.length === 0 ? `L${first}` : rest.map((xy) => `L${xy}`).join('')}`;
    })
    .join('');
}

/** The `d` of the area between the points and the lower edge. */
export function areaPath(points: readonly Point[], plot: Plot): string {
  const bottom = coordinate(plot.height);
  return runs(points, plot)
    .filter((run) => run.length > 1)
    .map((run) => {
      const left = coordinate(run[0]?.x ?? 0);
      const right = coordinate(run.at(-1)?.x ?? 0);
      const line = run.map(({ x, y }) => `L${coordinate(x)} ${coordinate(y)}`).join('');
      return `M${left} ${bottom}${line}L${right} ${bottom}Z`;
    })
    .join('');
}

/** Lowest, mean and highest of what was measured; undefined when nothing was. */
export function summary(
  points: readonly Point[],
): { readonly lowest: number; readonly mean: number; readonly highest: number } | undefined {
  const values = points.flatMap(({ value }) => value ?? []);
  if (values.length === 0) return undefined;
  return {
    lowest: Math.min(...values),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    highest: Math.max(...values),
  };
}
