import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import { EarshotError } from '../errors/earshot-error.ts';
import { agreedExtensions, offerExtension, offerExtensions } from './extension-sdp.ts';
import { readFormat } from './format-parameters.ts';
import type { ExtensionIds } from './rtp-packet.ts';
import type { AnsweredSection } from './sdp-answer.ts';
import type { OfferedMedia } from './sdp-offer.ts';

/** Opus in the offer and the answer (RFC 7587 §6 and §7). */

/** The number browsers use for Opus themselves; any dynamic one would do (96–127). */
const opusPayloadType = 111;
/** RFC 7587 §7: always this, whatever is sent. */
const opusEncoding = 'opus/48000/2';

export interface SoundOffer {
  readonly mid: string;
  readonly ssrc: number;
  readonly cname: string;
  /** The MediaStream's id: its own, so that no other track's delay is waited for. */
  readonly streamId: string;
  readonly trackId: string;
}

/**
 * The host's sound. `stereo=1` makes a browser play both channels when its answer repeats it, and
 * `sprop-stereo=1` says that we send them. Audio has no RTX (browsers offer none for it): a NACK is
 * answered with the packet itself.
 */
export function offerSound(offer: SoundOffer): OfferedMedia {
  const pt = opusPayloadType;
  return {
    kind: 'audio',
    mid: offer.mid,
    direction: 'sendonly',
    payloadTypes: [pt],
    attributes: [
      ...offerExtensions(),
      `rtpmap:${pt} ${opusEncoding}`,
      `fmtp:${pt} minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxplaybackrate=48000`,
      `rtcp-fb:${pt} transport-cc`,
      `rtcp-fb:${pt} nack`,
      `msid:${offer.streamId} ${offer.trackId}`,
      `ssrc:${offer.ssrc} cname:${offer.cname}`,
      `ssrc:${offer.ssrc} msid:${offer.streamId} ${offer.trackId}`,
    ],
  };
}

/** Highest `maxptime` in ms that Opus has (RFC 7587 §6.1), unless the packets asked for are short. */
const longMaxPtimeMs = 120;
const shortMaxPtimeMs = 60;
const shortPtimeMs = 20;

/**
 * The viewer's microphone: there from the first offer, so that turning it on needs no negotiation.
 * The format parameters tell the browser what to send (RFC 7587 §6.1). Chromium obeys all of them,
 * and does so again when its page applies a changed offer by itself (test/integration/
 * microphone-chromium.test.ts); what it answers says nothing of what it sends. Congestion control
 * is not offered: its probes would come as packets without sound.
 */
export function offerMicrophone(offer: {
  readonly mid: string;
  readonly settings: MicrophoneSettings;
}): OfferedMedia {
  const pt = opusPayloadType;
  const { maxBitrateBps, channels, frameMs, dtx, fec } = offer.settings;
  const flag = (value: boolean): number => (value ? 1 : 0);
  return {
    kind: 'audio',
    mid: offer.mid,
    direction: 'recvonly',
    payloadTypes: [pt],
    attributes: [
      offerExtension('mid'),
      `rtpmap:${pt} ${opusEncoding}`,
      `fmtp:${pt} minptime=10;useinbandfec=${flag(fec)};usedtx=${flag(dtx)};stereo=${flag(channels === 2)};maxaveragebitrate=${maxBitrateBps}`,
      `ptime:${Math.ceil(frameMs)}`,
      `maxptime:${frameMs > shortPtimeMs ? longMaxPtimeMs : shortMaxPtimeMs}`,
    ],
  };
}

/** What was agreed for the host's sound. */
export interface SoundAgreement {
  readonly payloadType: number;
  readonly extensions: ExtensionIds;
  /** The viewer asks for lost packets. */
  readonly nack: boolean;
  /** The viewer plays both channels. */
  readonly stereo: boolean;
  /** `maxptime` of the viewer in ms, or 120 (RFC 7587 §6.1). A longer frame is decoded all the same. */
  readonly maxPtimeMs: number;
}

/**
 * What the viewer agreed to for the section `mid`. Throws MEDIA_NO_OPUS when it has no Opus decoder,
 * MEDIA_ANSWER_INVALID when it does not want to receive the sound at all.
 */
export function agreeOnSound(sections: readonly AnsweredSection[], mid: string): SoundAgreement {
  const section = sections.find((candidate) => candidate.mid === mid);
  if (section === undefined || section.kind !== 'audio') {
    throw new EarshotError(
      'MEDIA_ANSWER_INVALID',
      `The SDP answer has no audio section with "a=mid:${mid}", the one that carries the host's sound.`,
    );
  }
  const payloadType = section.payloadTypes.find((pt) => section.codecs.get(pt) === opusEncoding);
  if (section.rejected || payloadType === undefined) {
    throw new EarshotError(
      'MEDIA_NO_OPUS',
      "The viewer accepts no Opus (opus/48000/2), the only codec the host's sound is sent in; a current browser has it.",
      { details: { codecs: [...section.codecs.values()].slice(0, 16) } },
    );
  }
  if (section.direction !== 'recvonly' && section.direction !== 'sendrecv') {
    throw new EarshotError(
      'MEDIA_ANSWER_INVALID',
      `The SDP answer makes the host's sound "${section.direction}"; it must be "recvonly".`,
    );
  }
  const format = readFormat(section.formats.get(payloadType));
  return {
    payloadType,
    extensions: agreedExtensions(section),
    nack: section.feedback.get(payloadType)?.has('nack') ?? false,
    stereo: format.get('stereo') === '1',
    maxPtimeMs: Number(format.get('maxptime')) || 120,
  };
}

/** What was agreed for the viewer's microphone. */
export interface MicrophoneAgreement {
  readonly payloadType: number;
  /** Sources it may come under; empty when the answer named none. */
  readonly ssrcs: readonly number[];
  /** Id of the header extension that carries the section's mid; undefined when it was not agreed. */
  readonly midExtension: number | undefined;
}

/** The viewer's microphone in the section `mid`; undefined when it offers none, which is its right. */
export function agreeOnMicrophone(
  sections: readonly AnsweredSection[],
  mid: string,
): MicrophoneAgreement | undefined {
  const section = sections.find((candidate) => candidate.mid === mid);
  if (section === undefined || section.kind !== 'audio' || section.rejected) return undefined;
  const payloadType = section.payloadTypes.find((pt) => section.codecs.get(pt) === opusEncoding);
  const sends = section.direction === 'sendonly' || section.direction === 'sendrecv';
  if (payloadType === undefined || !sends) return undefined;
  const { ssrcs } = section;
  return { payloadType, ssrcs, midExtension: agreedExtensions(section).mid };
}
