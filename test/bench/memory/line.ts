export interface Line {
  readonly slope: number;
  /** Standard error of the slope (one sigma), wider where neighbours resemble each other. */
  readonly slopeError: number;
}

/**
 * The straight line through points, by least squares. Memory comes in steps, so that neighbours are not
 * independent: the error is of as many points as their correlation leaves. NaN of fewer than three points.
 */
export function lineThrough(xs: readonly number[], ys: readonly number[]): Line {
  const count = xs.length;
  if (count < 3) return { slope: Number.NaN, slopeError: Number.NaN };
  const meanX = mean(xs);
  const meanY = mean(ys);
  const spread = sum(xs.map((x) => (x - meanX) ** 2));
  const slope = sum(xs.map((x, n) => (x - meanX) * ((ys[n] ?? 0) - meanY))) / spread;
  const rests = xs.map((x, n) => (ys[n] ?? 0) - meanY - slope * (x - meanX));
  const squares = sum(rests.map((rest) => rest ** 2));
  const neighbours = sum(rests.slice(1).map((rest, n) => rest * (rests[n] ?? 0)));
  const correlation = squares === 0 ? 0 : Math.min(Math.max(neighbours / squares, 0), 0.95);
  const inflation = (1 + correlation) / (1 - correlation);
  return { slope, slopeError: Math.sqrt((squares / (count - 2) / spread) * inflation) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
