import { cpus, release, type } from 'node:os';

/** What a benchmark is asked for. */
export interface BenchOptions {
  /** A few seconds at most, only to see that it works; figures are then rough. */
  readonly short: boolean;
  /** How long to measure, where a benchmark takes more the longer it does; its own choice when absent. */
  readonly minutes?: number | undefined;
  /** Which lane the host's sound takes to the page, where a benchmark can do either; the track when absent. */
  readonly lane?: 'track' | 'fast' | undefined;
  /** Progress for the person who waits; standard error. */
  readonly progress: (text: string) => void;
}

/** A figure that must reach something (DESIGN: budgets). */
export interface Budget {
  readonly name: string;
  readonly value: number;
  readonly is: 'at most' | 'at least';
  readonly limit: number;
}

/** What a benchmark found. `fields` is printed as JSON as it stands, beside `ok` and `machine`. */
export interface BenchResult {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly budgets: readonly Budget[];
}

/** What each file in this folder that is a benchmark exports. */
export interface Bench {
  run(options: BenchOptions): Promise<BenchResult>;
}

/** True when every figure reaches its budget; a figure that is no number never does. */
export function meetsBudgets(budgets: readonly Budget[]): boolean {
  return budgets.every(meets);
}

export function meets({ value, is, limit }: Budget): boolean {
  if (!Number.isFinite(value)) return false;
  return is === 'at most' ? value <= limit : value >= limit;
}

/** The value below which `fraction` (0–1) of `values` lie, between neighbours linearly; NaN of nothing. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Rounds for printing; the figure itself carries no more. */
export function round(value: number, digits = 1): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

/** Processor, cores, kernel and runtime, in one line. */
export function describeMachine(): string {
  const all = cpus();
  const model = all[0]?.model.replace(/\s+/g, ' ').trim() || process.arch;
  return `${model}, ${all.length} cores, ${type()} ${release()}, node ${process.versions.node}`;
}

/** Lines of a table with aligned columns; the first row is the heading. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** `{ presets: { low: { p50Ms: 80 } } }` as `['presets.low.p50Ms', '80']`, for the table. */
export function flattenFields(
  fields: Readonly<Record<string, unknown>>,
  prefix = '',
): [name: string, value: string][] {
  return Object.entries(fields).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${key}`;
    if (isFields(value)) return flattenFields(value, `${name}.`);
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
