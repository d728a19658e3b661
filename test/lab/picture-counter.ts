import { type RtpPacket, Vp8RtpPayload } from 'werift';

/** Pictures looked at at once: more than are ever under way. */
const maxPictures = 64;

interface Picture {
  readonly sequences: Set<number>;
  first: number | undefined;
  last: number | undefined;
  keyframe: boolean;
  whole: boolean;
}

/** Counts the VP8 pictures (RFC 7741) of which every packet came, in whatever order, some of them perhaps twice. */
export class PictureCounter {
  readonly #pictures = new Map<number, Picture>();
  #whole = 0;
  #wholeKeyframes = 0;

  get whole(): number {
    return this.#whole;
  }

  /** Of the whole ones, those that need none before them. */
  get wholeKeyframes(): number {
    return this.#wholeKeyframes;
  }

  /** One packet of the stream, or one that was sent again and is as it was. */
  add({ header, payload }: Pick<RtpPacket, 'header' | 'payload'>): void {
    // Padding.
    if (payload.length === 0) return;
    const picture = this.#picture(header.timestamp);
    picture.sequences.add(header.sequenceNumber);
    if (beginsPicture(payload)) {
      picture.first = header.sequenceNumber;
      picture.keyframe = Vp8RtpPayload.deSerialize(payload).isKeyframe;
    }
    if (header.marker) picture.last = header.sequenceNumber;
    if (picture.whole || picture.first === undefined || picture.last === undefined) return;
    picture.whole = picture.sequences.size === ((picture.last - picture.first) & 0xffff) + 1;
    if (!picture.whole) return;
    this.#whole += 1;
    if (picture.keyframe) this.#wholeKeyframes += 1;
  }

  #picture(timestamp: number): Picture {
    const known = this.#pictures.get(timestamp);
    if (known !== undefined) return known;
    const [oldest] = this.#pictures.keys();
    if (this.#pictures.size === maxPictures && oldest !== undefined) this.#pictures.delete(oldest);
    const picture: Picture = {
      ...{ sequences: new Set<number>(), first: undefined, last: undefined },
      ...{ keyframe: false, whole: false },
    };
    this.#pictures.set(timestamp, picture);
    return picture;
  }
}

/** Start of the first partition (RFC 7741 §4.2: S set, PID 0). */
function beginsPicture(payload: Buffer): boolean {
  return ((payload[0] ?? 0) & 0x17) === 0x10;
}
