/**
 * Numbers of the received sound from `RTCPeerConnection.getStats()` (W3C webrtc-stats). A field that
 * the browser does not give is undefined; it is never made up.
 */

/** What is read of one report; counters grow from the start of the track. */
export interface StatsSnapshot {
  /** The report's own time in ms (Unix epoch). */
  readonly timestampMs: number;
  readonly bytesReceived: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Seconds spent in the jitter buffer by all samples that left it, and their number. */
  readonly jitterBufferDelayS: number | undefined;
  readonly jitterBufferEmitted: number | undefined;
  readonly totalSamples: number | undefined;
  readonly concealedSamples: number | undefined;
  readonly silentConcealedSamples: number | undefined;
  /** Seconds that samples waited for the sound card (media-playout), and their number. */
  readonly playoutDelayS: number | undefined;
  readonly playoutSamples: number | undefined;
  readonly roundTripMs: number | undefined;
  /** What is played now, in ms of the sender's clock (Unix epoch), after its sender reports. */
  readonly estimatedPlayoutMs: number | undefined;
  /** The last sender report: its time on the sender's clock and its arrival on ours, ms of the Unix epoch. */
  readonly senderReport: { readonly remoteMs: number; readonly arrivalMs: number } | undefined;
}

/** What happened between two snapshots. */
export interface StatsNumbers {
  /** Mean time in the jitter buffer, of the samples played in between. */
  readonly jitterBufferMs: number | undefined;
  /** Packets lost of those expected, 0–100. */
  readonly lossPercent: number | undefined;
  /** Samples made up to hide loss or lateness, of those played, 0–100; made-up silence is not counted. */
  readonly concealedPercent: number | undefined;
  /** Opus payload, without headers. */
  readonly bitrateKbps: number | undefined;
  readonly playoutMs: number | undefined;
  readonly roundTripMs: number | undefined;
}

/** An RTCStatsReport, or a recorded one. */
export interface StatsReport {
  forEach(callback: (entry: unknown) => void): void;
}

export type Entry = Readonly<Record<string, unknown>>;

/** Seconds between 1900, where NTP times begin, and 1970, in ms. */
const ntpEpochMs = 2_208_988_800_000;

/** A field of an entry, where it is a number at all. */
export function number(entry: Entry | undefined, field: string): number | undefined {
  const value = entry?.[field];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A time as Unix epoch ms, whether the browser counts from 1900 or from 1970. */
export function unixMs(timeMs: number | undefined): number | undefined {
  if (timeMs === undefined || timeMs <= 0) return undefined;
  return timeMs > ntpEpochMs ? timeMs - ntpEpochMs : timeMs;
}

/** The entries of a report. */
export function entriesOf(report: StatsReport): Entry[] {
  const entries: Entry[] = [];
  report.forEach((entry) => {
    if (typeof entry === 'object' && entry !== null) entries.push({ ...entry });
  });
  return entries;
}

/** The pair that carries media: named by the transport, or (Firefox) marked `selected`. */
function selectedPair(entries: readonly Entry[]): Entry | undefined {
  const selectedId = entries.find(
    ({ type, selectedCandidatePairId }) =>
      type === 'transport' && typeof selectedCandidatePairId === 'string',
  )?.['selectedCandidatePairId'];
  const pairs = entries.filter(({ type }) => type === 'candidate-pair');
  return (
    pairs.find(({ id }) => selectedId !== undefined && id === selectedId) ??
    pairs.find(({ selected }) => selected === true) ??
    pairs.find(({ nominated, state }) => nominated === true && state === 'succeeded')
  );
}

/** Reads a report; undefined while it has no received audio. */
export function readStats(report: StatsReport): StatsSnapshot | undefined {
  const entries = entriesOf(report);
  const inbound = entries.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  const timestampMs = number(inbound, 'timestamp');
  if (inbound === undefined || timestampMs === undefined) return undefined;
  const playout = entries.find(
    ({ type, id }) => type === 'media-playout' && id === inbound['playoutId'],
  );
  const remote = entries.find(
    ({ type, id }) => type === 'remote-outbound-rtp' && id === inbound['remoteId'],
  );
  const pair = selectedPair(entries);
  const roundTripS = number(pair, 'currentRoundTripTime');
  const remoteMs = unixMs(number(remote, 'remoteTimestamp'));
  const arrivalMs = number(remote, 'timestamp');
  return {
    timestampMs,
    bytesReceived: number(inbound, 'bytesReceived') ?? 0,
    packetsReceived: number(inbound, 'packetsReceived') ?? 0,
    packetsLost: number(inbound, 'packetsLost') ?? 0,
    jitterBufferDelayS: number(inbound, 'jitterBufferDelay'),
    jitterBufferEmitted: number(inbound, 'jitterBufferEmittedCount'),
    totalSamples: number(inbound, 'totalSamplesReceived'),
    concealedSamples: number(inbound, 'concealedSamples'),
    silentConcealedSamples: number(inbound, 'silentConcealedSamples'),
    playoutDelayS: number(playout, 'totalPlayoutDelay'),
    playoutSamples: number(playout, 'totalSamplesCount'),
    roundTripMs: roundTripS === undefined ? undefined : roundTripS * 1_000,
    estimatedPlayoutMs: unixMs(number(inbound, 'estimatedPlayoutTimestamp')),
    senderReport:
      remoteMs === undefined || arrivalMs === undefined ? undefined : { remoteMs, arrivalMs },
  };
}

/** Growth of a counter, undefined where either side is missing or the counter started again. */
export function growth(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined || after < before) return undefined;
  return after - before;
}

/** `part` of `whole`; undefined of nothing. */
export function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole <= 0 ? undefined : part / whole;
}

/** `value` times `factor`; undefined stays so. */
export function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** Packets lost in 0–100 % of those expected. The counter may fall (RFC 3550 §6.4.1: duplicates), which reads as none lost. */
function lossPercent(before: StatsSnapshot, after: StatsSnapshot): number | undefined {
  const received = growth(before.packetsReceived, after.packetsReceived);
  if (received === undefined) return undefined;
  const lost = Math.max(0, after.packetsLost - before.packetsLost);
  return scaled(ratio(lost, lost + received), 100);
}

function audibleConcealed(before: StatsSnapshot, after: StatsSnapshot): number | undefined {
  const concealed = growth(before.concealedSamples, after.concealedSamples);
  const silent = growth(before.silentConcealedSamples, after.silentConcealedSamples) ?? 0;
  return concealed === undefined ? undefined : Math.max(0, concealed - silent);
}

/** What happened between two snapshots of one track, the older first. */
export function statsBetween(before: StatsSnapshot, after: StatsSnapshot): StatsNumbers {
  const elapsedMs = growth(before.timestampMs, after.timestampMs);
  const meanJitterBufferS = ratio(
    growth(before.jitterBufferDelayS, after.jitterBufferDelayS),
    growth(before.jitterBufferEmitted, after.jitterBufferEmitted),
  );
  const meanPlayoutS = ratio(
    growth(before.playoutDelayS, after.playoutDelayS),
    growth(before.playoutSamples, after.playoutSamples),
  );
  const concealed = ratio(
    audibleConcealed(before, after),
    growth(before.totalSamples, after.totalSamples),
  );
  return {
    jitterBufferMs: scaled(meanJitterBufferS, 1_000),
    lossPercent: lossPercent(before, after),
    concealedPercent: scaled(concealed, 100),
    bitrateKbps: scaled(ratio(growth(before.bytesReceived, after.bytesReceived), elapsedMs), 8),
    playoutMs: scaled(meanPlayoutS, 1_000),
    roundTripMs: after.roundTripMs,
  };
}
