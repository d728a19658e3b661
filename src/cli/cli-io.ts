import { type CliTerminal, processTerminal } from './cli-terminal.ts';

/** What a command may touch of the process it runs in; tests put their own in its place. */
export interface CliIo {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What is piped in. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
  /** Ends `--watch` and `--follow` early. */
  readonly signal?: AbortSignal;
  /** Standard input and output as bytes, for the console. */
  readonly terminal?: () => CliTerminal;
}

export interface TextOutput {
  write(text: string): unknown;
  /** Whether a person looks at it: tables may be redrawn and coloured then. */
  readonly isTTY?: boolean;
}

/** The process's own streams. A reader that went away (`earshot logs | head`) ends the program quietly. */
export function processIo(): CliIo {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  const { stdout, stderr, stdin, env } = process;
  return { stdout, stderr, stdin, env, terminal: processTerminal };
}

/** Whether words may be coloured: on a terminal, unless NO_COLOR is set (no-color.org). */
export function coloured({ stdout, env }: CliIo): boolean {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return stdout.isTTY === true && !refused;
}
