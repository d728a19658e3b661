import type { StatsNumbers, StatsSnapshot } from './stats.ts';
import { unixMs } from './stats.ts';

/**
 * End-to-end delay, from the host's sound card to this machine's, by the best means the browser has:
 *
 * - `ping`: of the fast lane, whose clocks are tied by a ping;
 * - `capture-time`: from abs-capture-time, which travels with the packets;
 * - `sender-report`: from the playout time that the browser derives of the device's sender reports;
 * - `sum`: added up of the parts that are known, and shown as an estimate.
 */
export type DelayMethod = 'ping' | 'capture-time' | 'sender-report' | 'sum';

export interface Delay {
  readonly ms: number;
  readonly method: DelayMethod;
}

/** `RTCRtpReceiver.getSynchronizationSources()[0]`, as far as it is used. */
export interface SynchronizationSource {
  /** When its sound was handed to the track, ms of the Unix epoch. */
  readonly timestamp: number;
  /** When it was captured on the sender's clock (abs-capture-time), ms since 1900; not in every browser. */
  readonly captureTimestamp?: number;
}

/** How the device encodes, for what no clock tells. */
export interface EncodingParts {
  readonly frameMs: number;
  readonly application: 'voip' | 'audio' | 'restricted-lowdelay';
}

/** Encoder lookahead in ms (RFC 6716 §2; opus_encoder.c: 4 ms delay compensation beside the 2.5). */
export const encoderLookaheadMs = { voip: 6.5, audio: 6.5, 'restricted-lowdelay': 2.5 } as const;

/** A delay beyond this comes of clocks that cannot be compared, not of a network. */
const plausibleMs = 10_000;

function plausible(ms: number): number | undefined {
  return ms >= 0 && ms < plausibleMs ? ms : undefined;
}

/** What to add to a time of this machine to have the sender's, after its last report; RFC 3550 §6.4.1 has the same half round trip. */
function senderClockOffsetMs(snapshot: StatsSnapshot): number | undefined {
  const { senderReport, roundTripMs } = snapshot;
  if (senderReport === undefined || roundTripMs === undefined) return undefined;
  return senderReport.remoteMs + roundTripMs / 2 - senderReport.arrivalMs;
}

/** The delay at the time of `snapshot`; undefined before any sound was played. */
export function endToEndDelay({
  snapshot,
  numbers,
  source,
  encoding,
}: {
  readonly snapshot: StatsSnapshot;
  readonly numbers: StatsNumbers;
  readonly source: SynchronizationSource | undefined;
  readonly encoding: EncodingParts | undefined;
}): Delay | undefined {
  if (numbers.jitterBufferMs === undefined) return undefined;
  const offsetMs = senderClockOffsetMs(snapshot);
  const playoutMs = numbers.playoutMs ?? 0;
  const capturedMs = unixMs(source?.captureTimestamp);
  // A decoder's sound is older than its packet's time says by what the encoder looked ahead.
  const lookaheadMs = encoding === undefined ? 0 : encoderLookaheadMs[encoding.application];
  if (offsetMs !== undefined && source !== undefined && capturedMs !== undefined) {
    const ms = plausible(source.timestamp + offsetMs - capturedMs + playoutMs + lookaheadMs);
    if (ms !== undefined) return { ms, method: 'capture-time' };
  }
  if (offsetMs !== undefined && snapshot.estimatedPlayoutMs !== undefined) {
    const playedMs = snapshot.timestampMs + offsetMs;
    const ms = plausible(playedMs - snapshot.estimatedPlayoutMs + lookaheadMs);
    if (ms !== undefined) return { ms, method: 'sender-report' };
  }
  const encodeMs = (encoding?.frameMs ?? 0) + lookaheadMs;
  const ms = encodeMs + (numbers.roundTripMs ?? 0) / 2 + numbers.jitterBufferMs + playoutMs;
  return { ms, method: 'sum' };
}
