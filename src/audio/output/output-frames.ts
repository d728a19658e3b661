import { frameFlags, type MediaMessage } from '../../ipc/messages.ts';
import { opusPacketSamples } from '../opus-packet.ts';

/** One Opus packet of the child, as the media hub takes it. */
export interface OutputFrame {
  readonly payload: Buffer;
  readonly samples: number;
  readonly captureTimeNs: bigint;
  readonly discontinuity: boolean;
}

/**
 * Reads a media message of the audio-output child; undefined when it is no Opus packet, or one of a segment
 * (which goes to who asked for it, not to the viewers).
 */
export function outputFrame({
  type,
  flags,
  timestampNs,
  payload,
}: MediaMessage): OutputFrame | undefined {
  if ((flags & frameFlags.segment) !== 0) return undefined;
  const samples = type === 'opus' ? opusPacketSamples(payload) : 0;
  if (samples === 0) return undefined;
  const discontinuity = (flags & frameFlags.discontinuity) !== 0;
  return { payload, samples, captureTimeNs: timestampNs, discontinuity };
}
