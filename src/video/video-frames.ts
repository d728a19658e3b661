import { frameFlags, type MediaMessage } from '../ipc/messages.ts';
import type { VideoCodec } from './video-config.ts';

/** One encoded picture of the child, as the media hub takes it. */
export interface VideoFrame {
  readonly codec: VideoCodec;
  readonly payload: Buffer;
  readonly keyframe: boolean;
  readonly captureTimeNs: bigint;
  readonly discontinuity: boolean;
}

/** Reads a media message of the video child; undefined when it is no picture. */
export function videoFrame(
  { type, flags, timestampNs, payload }: MediaMessage,
  codec: VideoCodec,
): VideoFrame | undefined {
  if (type !== 'video' || payload.length === 0) return undefined;
  return {
    codec,
    payload,
    keyframe: (flags & frameFlags.keyframe) !== 0,
    captureTimeNs: timestampNs,
    discontinuity: (flags & frameFlags.discontinuity) !== 0,
  };
}

/** Whether main itself asked for it with a `picture` message, so that it is no frame of the host's. */
export function isSegmentFrame({ flags }: Pick<MediaMessage, 'flags'>): boolean {
  return (flags & frameFlags.segment) !== 0;
}

const sizeBytes = 4;

/** The payload of a `picture` message. Throws RangeError when the bytes are not of that size. */
export function pictureMessage(picture: {
  readonly width: number;
  readonly height: number;
  /** RGB, 3 bytes a pixel, row by row. */
  readonly rgb: Uint8Array;
}): Buffer {
  const { width, height, rgb } = picture;
  if (rgb.length !== width * height * 3) {
    throw new RangeError(
      `A picture of ${width}×${height} has ${width * height * 3} bytes, not ${rgb.length}.`,
    );
  }
  const payload = Buffer.allocUnsafe(sizeBytes + rgb.length);
  payload.writeUInt16LE(width, 0);
  payload.writeUInt16LE(height, 2);
  payload.set(rgb, sizeBytes);
  return payload;
}

/** Reads the payload of a `picture` message without copying; undefined when it is none. */
export function readPicture(
  payload: Buffer,
): { readonly width: number; readonly height: number; readonly rgb: Buffer } | undefined {
  if (payload.length < sizeBytes) return undefined;
  const width = payload.readUInt16LE(0);
  const height = payload.readUInt16LE(2);
  const rgb = payload.subarray(sizeBytes);
  if (width < minSide || height < minSide || rgb.length !== width * height * 3) return undefined;
  return { width, height, rgb };
}

/** The smallest picture an encoder takes. */
const minSide = 16;
