import type { ChildRole } from '../src/ipc/messages.ts';

/** What the composition root says of one child. */
export interface ChildSpec {
  readonly name: ChildRole;
  /** Executable and arguments; never a shell string. */
  readonly command: string;
  readonly args: readonly string[];
  /** The child's whole environment beside {@link inheritedVariables}. */
  readonly env: Readonly<Record<string, string>>;
  /** What the first process is configured with; later ones get the last configuration that was taken. */
  readonly initialConfig: Readonly<Record<string, unknown>>;
  /** Resident memory in bytes above which the child is restarted. */
  readonly memoryLimitBytes: number;
  /** Media from the child older than this on arrival is dropped and counted; never when absent. */
  readonly maxMediaAgeMs?: number;
}

/** Variables a child gets from the main process when they are set there; it gets no others. */
export const inheritedVariables = ['PATH', 'LANG', 'TZ'] as const;

/** The environment of a child, built from nothing. */
export function childEnvironment(
  spec: ChildSpec,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of inheritedVariables) {
    const value = own[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...spec.env };
}
