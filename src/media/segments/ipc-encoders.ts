import { EarshotError } from '../../errors/earshot-error.ts';
import { frameFlags, type MediaMessage, type MediaType } from '../../ipc/messages.ts';
import type { VideoCodec } from '../../ipc/video-codec.ts';
import { isSegmentFrame, pictureMessage } from '../../video/video-frames.ts';
import {
  type PictureFormat,
  type SegmentEncoders,
  type SegmentPicture,
  type SegmentSoundPacket,
  segmentPacketSamples,
} from './segment-encoders.ts';
import { type SegmentTimers, systemTimers } from './segment-timers.ts';
import { withinDeadline } from './within-deadline.ts';

/** A supervised child, as far as it encodes segments. */
export interface EncodingChild {
  sendMedia(frame: {
    readonly type: MediaType;
    readonly payload: Uint8Array;
    readonly timestampNs: bigint;
    readonly flags?: number;
  }): boolean;
}

export interface IpcEncodersOptions {
  /** The audio-output child: answers `pcm` with `opus`. */
  readonly sound: EncodingChild;
  /** The video child: answers `picture` with `video`. */
  readonly video: EncodingChild;
  /** What the video child encodes with; undefined while it is not known. */
  readonly codec: () => VideoCodec | undefined;
  readonly timers?: SegmentTimers;
  /** How long a child may take for one answer, in ms; 2,000 by default. */
  readonly answerDeadlineMs?: number;
}

/** Packets of sound in one `pcm` message, and pictures asked for at once: what the channel's queues hold. */
const packetsAtOnce = 2;
const picturesAtOnce = 2;
const packetNs = 20_000_000n;
const packetBytes = segmentPacketSamples * 4;

interface Answer {
  readonly payload: Buffer;
  readonly flags: number;
}

/**
 * Encodes segments in the children, by their channels. Each request carries a timestamp that is given once, and
 * its answer the same; so an answer that comes too late is no other's. At most two of each kind are asked for at
 * once. The first request of a segment has the discontinuity flag: the encoder begins anew, with a keyframe.
 */
export class IpcEncoders implements SegmentEncoders {
  readonly #options: IpcEncodersOptions;
  readonly #timers: SegmentTimers;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #lastKeyNs = 0n;
  #lateAnswers = 0;

  constructor(options: IpcEncodersOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  /** Answers that nobody waited for any more. */
  get lateAnswers(): number {
    return this.#lateAnswers;
  }

  /** Requests that wait for their answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a media message of either child; true when it is of a segment, and no business of the live stream. */
  receive({ type, flags, timestampNs, payload }: MediaMessage): boolean {
    if (!isSegmentFrame({ flags })) return false;
    const take = this.#waiting.get(keyOf(type, timestampNs));
    if (take === undefined) this.#lateAnswers += 1;
    else take({ payload: Buffer.from(payload), flags });
    return true;
  }

  /** Rejects with MEDIA_SEGMENT_TIMEOUT when the child does not answer. */
  async encodeSound(pcm: Int16Array, signal: AbortSignal): Promise<SegmentSoundPacket[]> {
    const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    const step = packetsAtOnce * packetBytes;
    const packets: SegmentSoundPacket[] = [];
    for (let from = 0; from < bytes.length; from += step) {
      signal.throwIfAborted();
      const payload = bytes.subarray(from, from + step);
      const key = this.#nextKey();
      const answers = Array.from({ length: payload.length / packetBytes }, (_, i) =>
        this.#answer({
          type: 'opus',
          key: key + BigInt(i) * packetNs,
          child: 'audio-output',
          signal,
        }),
      );
      this.#options.sound.sendMedia({
        ...{ type: 'pcm', payload, timestampNs: key, flags: requestFlags(from === 0) },
      });
      for (const answer of await Promise.all(answers)) {
        packets.push({ payload: answer.payload, samples: segmentPacketSamples });
      }
    }
    return packets;
  }

  /** Rejects with MEDIA_SEGMENT_TIMEOUT when the child does not answer, MEDIA_SEGMENT_FAILED without a codec. */
  async encodePictures(
    pictures: readonly Buffer[],
    { width, height }: PictureFormat,
    signal: AbortSignal,
  ): Promise<SegmentPicture[]> {
    const size = { width, height };
    // One picture may come many times; it is put behind its header once.
    const payloads = new Map<Buffer, Buffer>();
    const encoded: SegmentPicture[] = [];
    for (let from = 0; from < pictures.length; from += picturesAtOnce) {
      signal.throwIfAborted();
      const answers = pictures.slice(from, from + picturesAtOnce).map((picture, i) => {
        const payload = payloads.get(picture) ?? pictureMessage({ ...size, rgb: picture });
        payloads.set(picture, payload);
        const key = this.#nextKey();
        const answer = this.#answer({ type: 'video', key, child: 'video', signal });
        const flags = requestFlags(from + i === 0);
        this.#options.video.sendMedia({ type: 'picture', payload, timestampNs: key, flags });
        return answer;
      });
      for (const answer of await Promise.all(answers)) encoded.push(this.#picture(answer));
    }
    return encoded;
  }

  #picture({ payload, flags }: Answer): SegmentPicture {
    const codec = this.#options.codec();
    if (codec === undefined) {
      throw new EarshotError(
        'MEDIA_SEGMENT_FAILED',
        'The video child encoded a picture but has not said with which codec.',
      );
    }
    return { codec, payload, keyframe: (flags & frameFlags.keyframe) !== 0 };
  }

  /** A timestamp that no request had before. */
  #nextKey(): bigint {
    const nowNs = this.#timers.nowNs();
    this.#lastKeyNs = nowNs > this.#lastKeyNs ? nowNs : this.#lastKeyNs + 1n;
    return this.#lastKeyNs;
  }

  #answer(request: {
    readonly type: 'opus' | 'video';
    readonly key: bigint;
    readonly child: string;
    readonly signal: AbortSignal;
  }): Promise<Answer> {
    const { type, child, signal } = request;
    const key = keyOf(type, request.key);
    const answered = new Promise<Answer>((resolve) => {
      this.#waiting.set(key, resolve);
    });
    return withinDeadline(answered, {
      timers: this.#timers,
      ms: this.#options.answerDeadlineMs ?? 2_000,
      what: `The ${child} process did not encode a part of a segment`,
      signal,
    }).finally(() => this.#waiting.delete(key));
  }
}

function keyOf(type: MediaType, timestampNs: bigint): string {
  return `${type} ${timestampNs}`;
}

function requestFlags(isFirst: boolean): number {
  return frameFlags.segment | (isFirst ? frameFlags.discontinuity : 0);
}
