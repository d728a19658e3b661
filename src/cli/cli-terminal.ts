import { spawnSync } from 'node:child_process';
import type { Readable } from 'node:stream';

/** Signals that end the console; the terminal is put right first. */
const endings = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
export type Ending = (typeof endings)[number];

/** Standard input and output as bytes, and the terminal they are, if they are one. */
export interface CliTerminal {
  /** Whether a person types; otherwise input comes from a pipe or a file. */
  readonly isInteractive: boolean;
  readonly input: Readable;
  write(bytes: Uint8Array): void;
  /** Keys come as they are typed, Ctrl-C too, and are not shown; or as usual. */
  setRaw(raw: boolean): void;
  /** Calls `end` for a signal that ends the program, until the returned function is called. */
  onEnding(end: (signal: Ending) => void): () => void;
  /** Ends the program by `signal`, as it would have ended without `onEnding`. */
  end(signal: Ending): void;
}

/**
 * Node's raw mode still turns LF into CR LF on its way out, and a full-screen program of the host means
 * LF alone: one line down. Leaving raw mode puts this right as well.
 */
function leaveOutputAlone(): void {
  // Where there is no stty, such programs look odd, and nothing else.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'], timeout: 2_000 });
}

/** The terminal of this process. It is put right at the end of the process in any case. */
export function processTerminal(): CliTerminal {
  const { stdin, stdout } = process;
  const restore = (): void => {
    stdin.setRawMode(false);
  };
  return {
    isInteractive: stdin.isTTY === true,
    input: stdin,
    write: (bytes) => {
      stdout.write(bytes);
    },
    setRaw: (raw) => {
      if (stdin.isTTY !== true) return;
      stdin.setRawMode(raw);
      if (raw) leaveOutputAlone();
      if (raw) process.once('exit', restore);
      else process.off('exit', restore);
    },
    onEnding: (end) => {
      for (const signal of endings) process.on(signal, end);
      return () => {
        for (const signal of endings) process.off(signal, end);
      };
    },
    end: (signal) => {
      process.kill(process.pid, signal);
    },
  };
}
