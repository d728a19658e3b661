/** Writing RTP headers with one-byte header extensions (RFC 3550 §5.1, RFC 8285 §4.2). */

/** URIs of the header extensions we write. */
export const extensionUris = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  transportSequence: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  absCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
} as const;

export type ExtensionName = keyof typeof extensionUris;

/** Ids agreed in the answer (1–14); a name that is absent was not accepted and is not written. */
export type ExtensionIds = Readonly<Partial<Record<ExtensionName, number>>>;

/** A packet before protection. The payload may be shared between viewers; nobody writes to it. */
export interface RtpPacket {
  readonly header: Buffer;
  readonly payload: Buffer;
}

export interface RtpHeaderFields {
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits. */
  readonly timestamp: number;
  readonly ssrc: number;
  readonly extensions: {
    /** At most 16 ASCII characters. */
    readonly mid?: string;
    /** 16 bits. */
    readonly transportSequence?: number;
    /** NTP timestamp of the first sample's capture. */
    readonly absCaptureTime?: bigint;
  };
}

const fixedHeaderBytes = 12;
const oneByteProfile = 0xbede;

/** Writes a header; extensions without an agreed id are left out. One allocation. */
export function writeRtpHeader(fields: RtpHeaderFields, ids: ExtensionIds): Buffer {
  const { mid, transportSequence, absCaptureTime } = fields.extensions;
  const midBytes = mid !== undefined && ids.mid !== undefined ? 1 + mid.length : 0;
  const sequenceBytes =
    transportSequence !== undefined && ids.transportSequence !== undefined ? 3 : 0;
  const captureBytes = absCaptureTime !== undefined && ids.absCaptureTime !== undefined ? 9 : 0;
  const words = Math.ceil((midBytes + sequenceBytes + captureBytes) / 4);
  const header = Buffer.allocUnsafe(fixedHeaderBytes + (words > 0 ? 4 + words * 4 : 0));
  header.writeUInt8(words > 0 ? 0x90 : 0x80, 0);
  header.writeUInt8((fields.marker ? 0x80 : 0) | fields.payloadType, 1);
  header.writeUInt16BE(fields.sequence & 0xffff, 2);
  header.writeUInt32BE(fields.timestamp >>> 0, 4);
  header.writeUInt32BE(fields.ssrc >>> 0, 8);
  if (words === 0) return header;
  header.writeUInt16BE(oneByteProfile, 12);
  header.writeUInt16BE(words, 14);
  let offset = 16;
  if (sequenceBytes > 0) {
    offset = header.writeUInt8(((ids.transportSequence ?? 0) << 4) | 1, offset);
    offset = header.writeUInt16BE((transportSequence ?? 0) & 0xffff, offset);
  }
  if (captureBytes > 0) {
    offset = header.writeUInt8(((ids.absCaptureTime ?? 0) << 4) | 7, offset);
    offset = header.writeBigUInt64BE(absCaptureTime ?? 0n, offset);
  }
  if (midBytes > 0) {
    offset = header.writeUInt8(((ids.mid ?? 0) << 4) | (midBytes - 2), offset);
    offset += header.write(mid ?? '', offset, 'latin1');
  }
  header.fill(0, offset);
  return header;
}

/** What changes from packet to packet of one stream. */
export interface RtpHeaderChanges {
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly transportSequence: number;
  readonly absCaptureTime: bigint | undefined;
}

/**
 * The headers of one stream: what stays the same is laid out once, so that a packet costs one
 * allocation, one copy and the bytes that change, stored by index (the cheapest way there is).
 */
export class RtpHeaderTemplate {
  readonly #plain: Buffer;
  readonly #withTime: Buffer;
  readonly #hasTransportSequence: boolean;
  readonly #captureTimeAt: number;

  constructor(
    fields: { readonly payloadType: number; readonly ssrc: number; readonly mid: string },
    ids: ExtensionIds,
  ) {
    const { payloadType, ssrc, mid } = fields;
    const fixed = { payloadType, ssrc, marker: false, sequence: 0, timestamp: 0 };
    const extensions = { mid, transportSequence: 0 };
    this.#plain = writeRtpHeader({ ...fixed, extensions }, ids);
    this.#withTime = writeRtpHeader(
      { ...fixed, extensions: { ...extensions, absCaptureTime: 0n } },
      ids,
    );
    this.#hasTransportSequence = ids.transportSequence !== undefined;
    const captureTimeAt = this.#hasTransportSequence ? 20 : 17;
    this.#captureTimeAt = ids.absCaptureTime === undefined ? 0 : captureTimeAt;
  }

  write(changes: RtpHeaderChanges): Buffer {
    const { sequence, timestamp, transportSequence, absCaptureTime } = changes;
    const template = absCaptureTime === undefined ? this.#plain : this.#withTime;
    const header = Buffer.allocUnsafe(template.length);
    header.set(template);
    if (changes.marker) header[1] = (template[1] ?? 0) | 0x80;
    header[2] = sequence >>> 8;
    header[3] = sequence;
    header[4] = timestamp >>> 24;
    header[5] = timestamp >>> 16;
    header[6] = timestamp >>> 8;
    header[7] = timestamp;
    if (this.#hasTransportSequence) {
      header[17] = transportSequence >>> 8;
      header[18] = transportSequence;
    }
    if (absCaptureTime !== undefined && this.#captureTimeAt > 0) {
      header.writeBigUInt64BE(absCaptureTime, this.#captureTimeAt);
    }
    return header;
  }
}
