import type { VideoCodec } from '../../ipc/video-codec.ts';

/** Sound of a segment, encoded. The payload is its receiver's to keep. */
export interface SegmentSoundPacket {
  readonly payload: Buffer;
  /** Samples per channel at 48 kHz. */
  readonly samples: number;
}

/** A picture of a segment, encoded. The payload is its receiver's to keep. */
export interface SegmentPicture {
  readonly codec: VideoCodec;
  readonly payload: Buffer;
  readonly keyframe: boolean;
}

/** What a segment's encoders need to know beside its pictures. */
export interface PictureFormat {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

/**
 * Encodes segments. Each call is a whole segment and independent of the one before: sound and picture begin
 * anew. `signal` says that the result is not wanted any more.
 */
export interface SegmentEncoders {
  /** Sound of a whole number of packets of {@link segmentPacketSamples}. */
  encodeSound(pcm: Int16Array, signal: AbortSignal): Promise<readonly SegmentSoundPacket[]>;
  /** As many as were given, in their order; the first one a keyframe. */
  encodePictures(
    pictures: readonly Buffer[],
    format: PictureFormat,
    signal: AbortSignal,
  ): Promise<readonly SegmentPicture[]>;
}

/** Samples per channel of one packet of a segment's sound: 20 ms, whatever the preset's frame. */
export const segmentPacketSamples = 960;
