/** States of a supervised child; the transitions between them are the table in `lifecycle.ts`. */
export type ChildState = 'stopped' | 'starting' | 'running' | 'stopping' | 'backing-off' | 'failed';

/** What the supervisor knows of one child, for the API, the command and the metrics. */
export interface ChildStatus {
  readonly name: string;
  readonly state: ChildState;
  /** Absent while no process lives. */
  readonly pid?: number;
  /** Milliseconds in this state. */
  readonly sinceMs: number;
  /** Starts after unexpected exits, since the supervisor started. */
  readonly restarts: number;
  /** How the last process ended, in words; empty when none has. */
  readonly lastExit: string;
  /** Milliseconds until the next try, while backing off; 0 otherwise. */
  readonly retryInMs: number;
  /** CPU of one core in percent over the last second, and resident memory; 0 while none lives. */
  readonly cpuPercent: number;
  readonly rssBytes: number;
}

/** How a configuration reached a child. */
export interface ConfigureOutcome {
  /**
   * `live`: the running process took it. `restart`: it refused or failed and was restarted with it.
   * `pending`: no process runs; the next one starts with it.
   */
  readonly applied: 'live' | 'restart' | 'pending';
  /** What the child says it runs with; undefined when `pending`. */
  readonly effective: Readonly<Record<string, unknown>> | undefined;
}
