import { randomInt } from 'node:crypto';
import { packetizeH264 } from './h264-payload.ts';
import type { EncodedVideoFrame } from './media-types.ts';
import { VideoClock } from './video-clock.ts';
import type { PacketizedPicture } from './video-sender.ts';
import { packetizeVp8, pictureIds } from './vp8-payload.ts';

/** More packets than that are no picture of a stream; a sender's history holds no more. */
const maxPicturePackets = 2_048;

/** The picture as packets, made once for all viewers: payloads, picture numbers and RTP times. */
export class VideoStream {
  readonly #clock = new VideoClock();
  #pictureId = randomInt(pictureIds);
  #refused = 0;

  /** Pictures that could not be put into packets: empty, no NAL unit, or more than 2 MB. */
  get refused(): number {
    return this.#refused;
  }

  /** RTP time of what was captured then; undefined before the first picture. */
  timestampOf(captureTimeNs: bigint): number | undefined {
    return this.#clock.of(captureTimeNs);
  }

  /** One picture; its bytes are copied. Undefined when nothing can be made of it. */
  packetize(frame: EncodedVideoFrame): PacketizedPicture | undefined {
    const { codec, keyframe, captureTimeNs } = frame;
    const payloads =
      codec === 'vp8' ? packetizeVp8(frame.payload, this.#pictureId) : packetizeH264(frame.payload);
    if (payloads.length === 0 || payloads.length > maxPicturePackets) {
      this.#refused += 1;
      return undefined;
    }
    this.#pictureId = (this.#pictureId + 1) % pictureIds;
    let bytes = 0;
    for (const payload of payloads) bytes += payload.length;
    const timestamp = this.#clock.at(captureTimeNs);
    return { codec, payloads, bytes, timestamp, keyframe, captureTimeNs };
  }
}
