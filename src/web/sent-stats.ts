import type { StatsReport } from './stats.ts';

/** What is read of one report of the sent sound; counters grow from the start of the sender. */
export interface SentSnapshot {
  /** The report's own time in ms (Unix epoch). */
  readonly timestampMs: number;
  readonly bytesSent: number;
  /** Packets the device missed of those sent since its last report, 0–1, and the round trip; undefined until it has reported. */
  readonly fractionLost: number | undefined;
  readonly roundTripMs: number | undefined;
  /** Energy of the captured sound since the track began; undefined where the browser does not say, and while nothing is captured. */
  readonly energy: number | undefined;
}

/** The microphone's last second, as sent and as the device reports it. */
export interface SentNumbers {
  readonly bitrateKbps: number | undefined;
  readonly lossPercent: number | undefined;
  readonly roundTripMs: number | undefined;
  /** Whether anything but digital silence was captured; undefined where the browser does not say. */
  readonly heard: boolean | undefined;
}

type Entry = Readonly<Record<string, unknown>>;

function number(entry: Entry | undefined, field: string): number | undefined {
  const value = entry?.[field];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** Reads a report; undefined while no audio is sent. */
export function readSentStats(report: StatsReport): SentSnapshot | undefined {
  const entries: Entry[] = [];
  report.forEach((entry) => {
    if (typeof entry === 'object' && entry !== null) entries.push({ ...entry });
  });
  const outbound = entries.find(({ type, kind }) => type === 'outbound-rtp' && kind === 'audio');
  const timestampMs = number(outbound, 'timestamp');
  if (outbound === undefined || timestampMs === undefined) return undefined;
  const remote = entries.find(
    ({ type, id }) => type === 'remote-inbound-rtp' && id === outbound['remoteId'],
  );
  const source = entries.find(
    ({ type, id }) => type === 'media-source' && id === outbound['mediaSourceId'],
  );
  return {
    timestampMs,
    bytesSent: number(outbound, 'bytesSent') ?? 0,
    fractionLost: number(remote, 'fractionLost'),
    roundTripMs: scaled(number(remote, 'roundTripTime'), 1_000),
    energy: number(source, 'totalAudioEnergy'),
  };
}

/** What happened between two snapshots of one sender, the older first. */
export function sentBetween(before: SentSnapshot, after: SentSnapshot): SentNumbers {
  const elapsedMs = after.timestampMs - before.timestampMs;
  const bytes = after.bytesSent - before.bytesSent;
  const { energy } = after;
  return {
    bitrateKbps: elapsedMs > 0 && bytes >= 0 ? (bytes * 8) / elapsedMs : undefined,
    lossPercent: scaled(after.fractionLost, 100),
    roundTripMs: after.roundTripMs,
    heard:
      energy === undefined || before.energy === undefined ? undefined : energy !== before.energy,
  };
}

/** How long a microphone may give digital silence before it is remarked upon. */
export const silentAfterMs = 8_000;
