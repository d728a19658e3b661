/** The part of an RTCRtpSender that is used, so that a test can stand in for it. */
export interface TrackSender<T> {
  readonly track: T | null;
  replaceTrack(track: T | null): Promise<void>;
  getParameters(): RTCRtpSendParameters;
  setParameters(parameters: RTCRtpSendParameters): Promise<void>;
}

/**
 * Puts the microphone's track on whatever sender there is: the transceiver is negotiated from the
 * first answer on, so turning the microphone on and off, changing its device, and going on after a media
 * reset are all `replaceTrack`, which negotiates nothing (W3C webrtc §5.2).
 *
 * INVARIANT: operations of one sender run one after the other; the last word is the newest track.
 */
export class MicrophoneSender<T = MediaStreamTrack> {
  #sender: TrackSender<T> | undefined;
  #track: T | undefined;
  #maxBitrateBps: number | undefined;
  #work: Promise<void> = Promise.resolve();

  /** The sender of the connection under way; undefined while there is none. */
  attach(sender: TrackSender<T> | undefined): void {
    this.#sender = sender;
    this.#enqueue(applyTrack);
    this.#enqueue(applyBitrate);
  }

  /** What is sent; undefined sends nothing, not even silence. */
  setTrack(track: T | undefined): void {
    this.#track = track;
    this.#enqueue(applyTrack);
  }

  /** The encoder's ceiling in bits per second, from now on and on every later sender. */
  setMaxBitrate(maxBitrateBps: number): void {
    if (this.#maxBitrateBps === maxBitrateBps) return;
    this.#maxBitrateBps = maxBitrateBps;
    this.#enqueue(applyBitrate);
  }

  /** What the encoder runs with; undefined without a sender. */
  get parameters(): RTCRtpSendParameters | undefined {
    return this.#sender?.getParameters();
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#work;
  }

  #enqueue(apply: (sender: TrackSender<T>, wanted: Wanted<T>) => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      const sender = this.#sender;
      if (sender === undefined) return;
      try {
        await apply(sender, { track: this.#track, maxBitrateBps: this.#maxBitrateBps });
      } catch {
        // The connection was closed meanwhile; the next one's sender gets everything again.
      }
    });
  }
}

interface Wanted<T> {
  readonly track: T | undefined;
  readonly maxBitrateBps: number | undefined;
}

async function applyTrack<T>(sender: TrackSender<T>, { track }: Wanted<T>): Promise<void> {
  if (sender.track !== (track ?? null)) await sender.replaceTrack(track ?? null);
}

async function applyBitrate<T>(
  sender: TrackSender<T>,
  { maxBitrateBps }: Wanted<T>,
): Promise<void> {
  if (maxBitrateBps === undefined) return;
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings;
  if (encoding === undefined || encoding.maxBitrate === maxBitrateBps) return;
  encoding.maxBitrate = maxBitrateBps;
  await sender.setParameters(parameters);
}
