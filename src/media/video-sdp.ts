import type { VideoCodec } from '../ipc/video-codec.ts';
import { agreedExtensions, offerExtensions } from './extension-sdp.ts';
import { readFormat } from './format-parameters.ts';
import type { ExtensionIds } from './rtp-packet.ts';
import type { AnsweredSection } from './sdp-answer.ts';
import type { OfferedMedia } from './sdp-offer.ts';
import { videoClockRate } from './video-clock.ts';

/**
 * VP8 and H.264 in the offer and the answer (RFC 7741 §6, RFC 6184 §8). Only the codec that the
 * device encodes is offered; retransmission has a source of its own (RFC 4588), always.
 */

interface OfferedCodec {
  /** As people write it. */
  readonly name: string;
  readonly payloadType: number;
  readonly rtxPayloadType: number;
  /** Format parameters; empty when there are none. */
  readonly format: string;
}

const codecs: Readonly<Record<VideoCodec, OfferedCodec>> = {
  vp8: { name: 'VP8', payloadType: 96, rtxPayloadType: 97, format: '' },
  h264: {
    name: 'H.264',
    payloadType: 98,
    rtxPayloadType: 99,
    // Constrained baseline, level 3.1 or whatever the encoder makes: browsers decode what comes.
    format: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  },
};

const encodings: Readonly<Record<VideoCodec, string>> = {
  vp8: `vp8/${videoClockRate}`,
  h264: `h264/${videoClockRate}`,
};
const rtxEncoding = `rtx/${videoClockRate}`;

export interface VideoOffer {
  readonly mid: string;
  readonly codec: VideoCodec;
  readonly ssrc: number;
  readonly rtxSsrc: number;
  readonly cname: string;
  /** The MediaStream's id: that of the sound when both are to be played in step. */
  readonly streamId: string;
  readonly trackId: string;
}

/** The host's picture. */
export function offerVideo(offer: VideoOffer): OfferedMedia {
  const { ssrc, rtxSsrc, cname, streamId, trackId } = offer;
  const { payloadType: pt, rtxPayloadType: rtx, format } = codecs[offer.codec];
  const encoding = offer.codec === 'vp8' ? 'VP8' : 'H264';
  return {
    kind: 'video',
    mid: offer.mid,
    direction: 'sendonly',
    payloadTypes: [pt, rtx],
    attributes: [
      ...offerExtensions(),
      `rtpmap:${pt} ${encoding}/${videoClockRate}`,
      ...(format === '' ? [] : [`fmtp:${pt} ${format}`]),
      ...['nack', 'nack pli', 'ccm fir', 'transport-cc'].map((kind) => `rtcp-fb:${pt} ${kind}`),
      `rtpmap:${rtx} ${rtxEncoding}`,
      `fmtp:${rtx} apt=${pt}`,
      `msid:${streamId} ${trackId}`,
      `ssrc-group:FID ${ssrc} ${rtxSsrc}`,
      ...[ssrc, rtxSsrc].flatMap((source) => [
        `ssrc:${source} cname:${cname}`,
        `ssrc:${source} msid:${streamId} ${trackId}`,
      ]),
    ],
  };
}

export interface VideoAgreement {
  readonly codec: VideoCodec;
  readonly payloadType: number;
  /** Undefined: what is lost is lost, and a keyframe mends it. */
  readonly rtxPayloadType: number | undefined;
  readonly extensions: ExtensionIds;
}

/**
 * What the viewer agreed to for the section `mid`, or why it gets no picture, in a sentence. It has
 * the sound all the same, so nothing here is an error.
 */
export function agreeOnVideo(
  sections: readonly AnsweredSection[],
  { mid, codec }: { readonly mid: string; readonly codec: VideoCodec },
): VideoAgreement | string {
  const section = sections.find((candidate) => candidate.mid === mid);
  if (section === undefined || section.kind !== 'video') {
    return 'The browser answered nothing about the picture.';
  }
  const payloadType = section.payloadTypes.find(
    (pt) =>
      section.codecs.get(pt) === encodings[codec] && canDecode(codec, section.formats.get(pt)),
  );
  // A browser refuses a section by its port when it has none of the codecs (RFC 3264 §6).
  if (section.rejected || payloadType === undefined) {
    return `The browser cannot decode ${codecs[codec].name}, the codec in which the device encodes the picture; the sound goes on.`;
  }
  if (section.direction !== 'recvonly' && section.direction !== 'sendrecv') {
    return `The browser makes the picture "${section.direction}"; it must be "recvonly".`;
  }
  return {
    codec,
    payloadType,
    rtxPayloadType: section.payloadTypes.find(
      (pt) =>
        section.codecs.get(pt) === rtxEncoding &&
        readFormat(section.formats.get(pt)).get('apt') === String(payloadType),
    ),
    extensions: agreedExtensions(section),
  };
}

/** Large pictures come in fragments, which only packetization mode 1 knows (RFC 6184 §6.2). */
function canDecode(codec: VideoCodec, format: string | undefined): boolean {
  return codec !== 'h264' || readFormat(format).get('packetization-mode') === '1';
}
