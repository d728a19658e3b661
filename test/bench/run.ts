/**
 * `npm run -s bench -- <name> [--json] [--short] [--strict] [--minutes N] [--lane LANE]`: runs one benchmark.
 *
 * --minutes is how long `memory` and `soak` measure; --lane is which lane `soak` listens to, `track` or `fast`. With --json the last line of standard output is one JSON object: the benchmark's fields, `budgets`,
 * `ok` and `machine`; without, a table. Exit codes: 0 it ran (`ok` may be false), 1 it failed, or with
 * --strict a budget was missed, 2 usage.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type Bench,
  type BenchResult,
  describeMachine,
  flattenFields,
  formatTable,
  meets,
  meetsBudgets,
} from './bench.ts';

/** Every benchmark there is to be; one runs when its file exists beside this one. */
const benchNames = [
  'audio-latency',
  'mic-latency',
  'audio-cpu',
  'video-latency',
  'video-cpu',
  'hid-latency',
  'serial-throughput',
  'viewers',
  'rtp-send',
  'ipc',
  'preset-switch',
  'recovery',
  'startup',
  'memory',
  'soak',
] as const;

const flags = {
  json: { type: 'boolean', default: false },
  short: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  minutes: { type: 'string' },
  lane: { type: 'string' },
} as const;

function fileOf(name: string): URL {
  return new URL(`./${name}.ts`, import.meta.url);
}

function available(): readonly string[] {
  return benchNames.filter((name) => existsSync(fileOf(name)));
}

function isBench(module: unknown): module is Bench {
  return (
    typeof module === 'object' &&
    module !== null &&
    'run' in module &&
    typeof module.run === 'function'
  );
}

function usage(problem: string): number {
  console.error(problem);
  console.error(
    'Usage: npm run -s bench -- <name> [--json] [--short] [--strict] [--minutes N] [--lane LANE]',
  );
  console.error(`Benchmarks: ${available().join(', ')}`);
  return 2;
}

function printTable(name: string, result: BenchResult): void {
  const fields = flattenFields(result.fields);
  console.log(`${name} on ${describeMachine()}\n`);
  for (const line of formatTable([['field', 'value'], ...fields])) console.log(line);
  if (result.budgets.length === 0) return;
  const budgets = result.budgets.map((budget) => [
    budget.name,
    String(budget.value),
    `${budget.is} ${budget.limit}`,
    meets(budget) ? 'met' : 'MISSED',
  ]);
  console.log('');
  for (const line of formatTable([['budget', 'value', 'must be', ''], ...budgets])) {
    console.log(line);
  }
}

function printJson(name: string, result: BenchResult): void {
  const { fields, budgets } = result;
  const ok = meetsBudgets(budgets);
  console.log(JSON.stringify({ bench: name, ...fields, budgets, ok, machine: describeMachine() }));
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: flags, allowPositionals: true, strict: true });
}

/** NaN: what was given is no length of time. */
function minutesOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const minutes = Number(given);
  return minutes > 0 && Number.isFinite(minutes) ? minutes : Number.NaN;
}

async function main(argv: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const [name, ...rest] = parsed.positionals;
  if (name === undefined) return usage('Which benchmark?');
  if (rest.length > 0) return usage(`One benchmark at a time, not also: ${rest.join(', ')}`);
  if (!available().includes(name)) return usage(`There is no benchmark named ${name}.`);
  const minutes = minutesOf(parsed.values.minutes);
  if (Number.isNaN(minutes)) return usage('--minutes takes a number above 0.');
  const { lane } = parsed.values;
  if (lane !== undefined && lane !== 'track' && lane !== 'fast') {
    return usage('--lane takes `track` or `fast`.');
  }
  const module: unknown = await import(fileOf(name).href);
  if (!isBench(module)) throw new Error(`${name}.ts exports no run()`);
  const result = await module.run({
    short: parsed.values.short,
    minutes,
    lane,
    progress: (text) => console.error(text),
  });
  if (parsed.values.json) printJson(name, result);
  else printTable(name, result);
  return parsed.values.strict && !meetsBudgets(result.budgets) ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
