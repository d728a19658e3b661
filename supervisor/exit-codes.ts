/** Exit codes with a meaning between main and its children (sysexits.h where it has one). */
export const exitCodes = {
  clean: 0,
  failure: 1,
  usage: 2,
  unavailable: 69,
  badConfiguration: 78,
} as const;

/** How a process ended, as Node reports it: one of the two is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const codeWords: ReadonlyMap<number, string> = new Map([
  [exitCodes.clean, 'clean exit'],
  [exitCodes.failure, 'failure'],
  [exitCodes.usage, 'command line not understood'],
  [exitCodes.unavailable, 'something it needs is unavailable'],
  [exitCodes.badConfiguration, 'bad configuration'],
]);

const signalWords: Partial<Record<NodeJS.Signals, string>> = {
  SIGABRT: 'aborted itself',
  SIGBUS: 'bad memory access',
  SIGFPE: 'arithmetic fault',
  SIGHUP: 'terminal closed',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupted',
  SIGKILL: 'killed',
  SIGPIPE: 'wrote to a closed pipe',
  SIGSEGV: 'segmentation fault',
  SIGSYS: 'forbidden system call',
  SIGTERM: 'terminated',
};

/** An exit in words, e.g. `exit code 78 (bad configuration)`, `signal SIGSEGV (segmentation fault)`. */
export function describeExit({ code, signal }: ProcessExit): string {
  if (signal !== null) return `signal ${signal}${inBrackets(signalWords[signal])}`;
  if (code === null) return 'unknown exit';
  return `exit code ${code}${inBrackets(codeWords.get(code))}`;
}

/** Exit code 78: the same configuration would fail again, so the process is not restarted. */
export function isBadConfiguration({ code }: ProcessExit): boolean {
  return code === exitCodes.badConfiguration;
}

function inBrackets(words: string | undefined): string {
  return words === undefined ? '' : ` (${words})`;
}
