import { defaultRestartPolicy, type RestartPolicyOptions } from './restart-policy.ts';

/** Every deadline and interval of supervision, in ms unless named otherwise. */
export interface SupervisionTiming {
  /** From spawn to `ready`; a child that is later is killed. */
  readonly readyMs: number;
  /** Interval of the heartbeat, and the deadline of each beat. */
  readonly heartbeatMs: number;
  /** Beats missed in a row at which the child is killed. */
  readonly heartbeatMisses: number;
  /** Interval at which CPU and memory are read. */
  readonly usageMs: number;
  /** Deadline of a live `configure`. */
  readonly configureMs: number;
  /** From the `stop` message to SIGTERM, and to SIGKILL. */
  readonly stopTermMs: number;
  readonly stopKillMs: number;
  /** From the close of the channel to SIGKILL. */
  readonly closeKillMs: number;
  readonly restart: RestartPolicyOptions;
}

export const defaultTiming: SupervisionTiming = {
  readyMs: 5_000,
  heartbeatMs: 1_000,
  heartbeatMisses: 3,
  usageMs: 1_000,
  configureMs: 2_000,
  stopTermMs: 2_000,
  stopKillMs: 5_000,
  closeKillMs: 1_000,
  restart: defaultRestartPolicy,
};
