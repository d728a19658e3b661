import { spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { inspect } from 'node:util';

/**
 * Runs everything CI runs: lint, types, then the tests by kind, with progress. At the end what failed is told
 * once more, since the log is long and its end is what is kept; the last line says how many ran. Fails when one
 * failed, or when a kind had none.
 * Usage: node test/run.ts [unit|integration|e2e|bench …]
 */

interface Kind {
  readonly files: string;
  /** Test files at once: what measures or plays sound runs alone. */
  readonly concurrency: number;
  /** No file may take longer, nor any test in it. */
  readonly timeoutMs: number;
}

const timeoutMs = 180_000;

const kinds: Record<string, Kind> = {
  unit: { files: 'test/unit/**/*.test.ts', concurrency: availableParallelism(), timeoutMs },
  integration: { files: 'test/integration/**/*.test.ts', concurrency: 1, timeoutMs },
  e2e: { files: 'test/e2e/**/*.test.ts', concurrency: 1, timeoutMs },
  // One file runs every benchmark, each short.
  bench: { files: 'test/bench/**/*.test.ts', concurrency: 1, timeoutMs: 4 * timeoutMs },
};

/** Of an error's text, at the end: enough for what a browser and a device had to say. */
const toldCharacters = 2_000;

interface Tally {
  passed: number;
  skipped: number;
  /** Each with its reason. */
  readonly failed: string[];
}

async function runKind(name: string, { files, concurrency, timeoutMs }: Kind): Promise<Tally> {
  const paths: string[] = [];
  for await (const path of glob(files)) paths.push(path);
  paths.sort();
  if (paths.length === 0) throw new Error(`No ${name} test matches ${files}.`);
  console.log(`\n── ${name}: ${paths.length} files`);
  const tally: Tally = { passed: 0, skipped: 0, failed: [] };
  const stream = run({ files: paths, concurrency, timeout: timeoutMs });
  // Counted from the events, since the overall summary counts a file that crashed as one test.
  stream.on('test:pass', ({ skip, details }) => {
    if (details.type === 'suite') return;
    if (skip === undefined) tally.passed += 1;
    else tally.skipped += 1;
  });
  stream.on('test:fail', ({ name: test, file, details }) => {
    if (details.type === 'suite') return;
    const reason = inspect(details.error.cause ?? details.error).slice(0, toldCharacters);
    tally.failed.push(`✖ ${relative('.', file ?? '')}: ${test}\n${reason}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    stream
      .compose(spec)
      .on('end', resolve)
      .on('error', reject)
      .pipe(process.stdout, { end: false });
  });
  if (tally.passed + tally.failed.length === 0) throw new Error(`No ${name} test ran.`);
  return tally;
}

async function step(name: string, command: string, args: readonly string[]): Promise<void> {
  console.log(`── ${name}`);
  const child = spawn(command, args, { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${name} failed (exit ${code}).`);
}

async function main(asked: readonly string[]): Promise<boolean> {
  const unknown = asked.filter((name) => kinds[name] === undefined);
  if (unknown.length > 0) {
    throw new Error(
      `No test kind ${unknown.join(', ')}; there are ${Object.keys(kinds).join(', ')}.`,
    );
  }
  if (asked.length === 0) {
    await step('lint', 'npm', ['run', '-s', 'lint']);
    await step('types', 'npm', ['run', '-s', 'types']);
    await step('shell scripts', 'shellcheck', ['scripts/setup.sh', '.ci/run']);
  }
  const total: Tally = { passed: 0, skipped: 0, failed: [] };
  for (const [name, kind] of Object.entries(kinds)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const started = performance.now();
    const { passed, failed, skipped } = await runKind(name, kind);
    const seconds = Math.round((performance.now() - started) / 1_000);
    console.log(
      `── ${name}: ${passed} passed, ${failed.length} failed, ${skipped} skipped in ${seconds} s`,
    );
    total.passed += passed;
    total.failed.push(...failed);
    total.skipped += skipped;
  }
  for (const failure of total.failed) console.log(failure);
  console.log(`${total.passed} passed, ${total.failed.length} failed, ${total.skipped} skipped`);
  return total.failed.length === 0 && total.passed > 0;
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
