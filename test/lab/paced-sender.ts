import { VideoPacer } from '../../src/media/video-pacer.ts';
import type { MissingPart, WirePacket } from './viewer-simulator.ts';

/** A packet that has not left yet. */
export type Unsent = Omit<WirePacket, 'transportSequence' | 'sentMs'>;

interface Picture {
  readonly parts: readonly Unsent[];
  readonly keyframe: boolean;
  readonly lateMs: number;
  next: number;
}

export interface PacedSenderOptions {
  /** IP, UDP, SRTP and RTP around a packet's bytes. */
  readonly overheadBytes: number;
  readonly send: (packet: Unsent, atMs: number) => void;
}

const lateAfterMs = { picture: 100, keyframe: 300, repeat: 250 } as const;
const mendMs = 3_000;
const keyframeMs = 50;
const longestQueueMs = 500;
const maxRepeats = 3;
const restMs = { first: 500, longest: 8_000, forgivenAfter: 10_000 } as const;

/**
 * Pictures on their way into a simulated path, as src/media/video-sender.ts sends them: paced by the same pacer,
 * repeated on request as far as its share goes, and none sent after one was dropped until a keyframe comes.
 */
export class PacedSender {
  readonly #options: PacedSenderOptions;
  readonly #pacer: VideoPacer;
  readonly #waiting: Picture[] = [];
  readonly #sent = new Map<number, readonly Unsent[]>();
  readonly #repeats = new Map<Unsent, { count: number; atMs: number }>();
  readonly #owed = new Map<Unsent, number>();
  #keyframe = 0;
  #keyframeMs = Number.NEGATIVE_INFINITY;
  #needsKeyframe = true;
  #askAtMs = 0;
  #droppedMs = Number.NEGATIVE_INFINITY;
  #restMs = 0;

  constructor(options: PacedSenderOptions & { readonly targetBps: number }) {
    this.#options = options;
    this.#pacer = new VideoPacer({ targetBps: options.targetBps, nowMs: 0 });
  }

  /** Whether packets wait: they serve as padding. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether it asks for a keyframe now. */
  wantsKeyframe(atMs: number): boolean {
    if (!this.#needsKeyframe || atMs < this.#askAtMs) return false;
    this.#askAtMs = atMs + 1_000;
    return true;
  }

  picture(parts: readonly Unsent[], { atMs, keyframe }: { atMs: number; keyframe: boolean }): void {
    if (this.#needsKeyframe && !keyframe) return;
    this.#needsKeyframe = false;
    if (keyframe) {
      this.#pacer.expectKeyframe(parts.reduce((sum, { bytes }) => sum + bytes, 0));
      this.#keyframeMs = atMs;
    }
    const lateMs = Math.max(
      atMs + (keyframe ? lateAfterMs.keyframe : lateAfterMs.picture),
      this.#waiting.at(-1)?.lateMs ?? 0,
    );
    this.#waiting.push({ parts, keyframe, lateMs, next: 0 });
  }

  /** Lets time pass, at the target of now; to be called every 5 ms, and after `picture`. */
  drain(atMs: number, targetBps: number, queueMs: number): void {
    this.#pacer.advance(atMs, targetBps);
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      if (atMs > head.lateMs) this.#skipToKeyframe(atMs, queueMs);
      else if (!this.#sendSome(head, atMs)) return;
    }
    this.#pacer.rest();
  }

  repeat(
    { frame, part }: MissingPart,
    timing: { atMs: number; spacingMs: number; queueMs: number },
  ): void {
    const packet = this.#sent.get(frame)?.[part];
    if (packet === undefined || this.#needsKeyframe || frame < this.#keyframe) return;
    const { atMs, spacingMs, queueMs } = timing;
    const known = this.#repeats.get(packet) ?? { count: 0, atMs: Number.NEGATIVE_INFINITY };
    if (atMs - known.atMs < spacingMs) return;
    const bytes = packet.bytes + this.#options.overheadBytes;
    if (known.count >= maxRepeats) this.#giveUp(atMs, queueMs);
    else if (this.#pacer.takeRepeat(bytes)) {
      this.#owed.delete(packet);
      this.#repeats.set(packet, { count: known.count + 1, atMs });
      this.#options.send(packet, atMs);
    } else {
      this.#owed.set(packet, bytes);
      const owedBytes = [...this.#owed.values()].reduce((sum, one) => sum + one, 0);
      if (this.#pacer.repeatMs(owedBytes) > lateAfterMs.repeat) this.#giveUp(atMs, queueMs);
    }
  }

  #giveUp(atMs: number, queueMs: number): void {
    if (atMs - this.#keyframeMs < mendMs) return;
    this.#waiting.length = 0;
    this.#awaitKeyframe(atMs, queueMs);
  }

  /** Sends what may leave now; true when that was all of it. */
  #sendSome(picture: Picture, atMs: number): boolean {
    for (; picture.next < picture.parts.length && this.#pacer.isOpen; picture.next += 1) {
      const packet = picture.parts[picture.next];
      if (packet === undefined) break;
      this.#pacer.spend(packet.bytes + this.#options.overheadBytes);
      this.#sent.set(packet.frame, picture.parts);
      if (picture.keyframe && packet.frame !== this.#keyframe) {
        this.#keyframe = packet.frame;
        this.#owed.clear();
      }
      this.#options.send(packet, atMs);
    }
    if (picture.next < picture.parts.length) return false;
    this.#waiting.shift();
    return true;
  }

  #skipToKeyframe(atMs: number, queueMs: number): void {
    do this.#waiting.shift();
    while (this.#waiting[0]?.keyframe === false);
    if (this.#waiting.length === 0) this.#awaitKeyframe(atMs, queueMs);
  }

  #awaitKeyframe(atMs: number, queueMs: number): void {
    this.#needsKeyframe = true;
    const isAgain = atMs - this.#droppedMs < restMs.forgivenAfter;
    this.#restMs = isAgain ? Math.min(Math.max(this.#restMs * 2, restMs.first), restMs.longest) : 0;
    this.#droppedMs = atMs;
    const waitMs = Math.min(queueMs - keyframeMs, longestQueueMs);
    this.#askAtMs = atMs + Math.max(this.#restMs, waitMs, 0);
  }
}
