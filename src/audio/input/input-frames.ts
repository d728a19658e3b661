import type { MediaMessage } from '../../ipc/messages.ts';

/**
 * The `opus` frames the main process sends the audio-input child: what of the RTP header the jitter
 * buffer needs (RFC 3550 §5.1), then the Opus packet. The frame's timestamp is when the packet arrived.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 2 | RTP sequence number |
 * | 2 | 2 | flags: bit 0 the RTP marker |
 * | 4 | 4 | RTP timestamp, 48 kHz |
 * | 8 | 4 | SSRC |
 */
export interface InputFrame {
  readonly sequence: number;
  readonly marker: boolean;
  readonly timestamp: number;
  readonly ssrc: number;
  /** The Opus packet as it came over the network: unchecked. */
  readonly payload: Buffer;
}

export const inputFrameHeaderBytes = 12;

const markerFlag = 1;

/** The payload of an `opus` frame; allocates it. */
export function writeInputFrame(frame: InputFrame): Buffer {
  const bytes = Buffer.allocUnsafe(inputFrameHeaderBytes + frame.payload.length);
  bytes.writeUInt16LE(frame.sequence, 0);
  bytes.writeUInt16LE(frame.marker ? markerFlag : 0, 2);
  bytes.writeUInt32LE(frame.timestamp, 4);
  bytes.writeUInt32LE(frame.ssrc, 8);
  frame.payload.copy(bytes, inputFrameHeaderBytes);
  return bytes;
}

/** Reads one; undefined when it is no such frame. Its payload is a view of the message's. */
export function readInputFrame({ type, payload }: MediaMessage): InputFrame | undefined {
  if (type !== 'opus' || payload.length <= inputFrameHeaderBytes) return undefined;
  return {
    sequence: payload.readUInt16LE(0),
    marker: (payload.readUInt16LE(2) & markerFlag) !== 0,
    timestamp: payload.readUInt32LE(4),
    ssrc: payload.readUInt32LE(8),
    payload: payload.subarray(inputFrameHeaderBytes),
  };
}
