import { processIo } from './cli-io.ts';
import { runCli } from './run-cli.ts';

/** Runs the command line of this process and sets its exit code. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  process.exitCode = await runCli(argv, processIo());
}
