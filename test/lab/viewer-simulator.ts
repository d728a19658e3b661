import type { TransportFeedback } from '../../src/media/rtcp-read.ts';

/** What a simulated sender puts on the wire. */
export interface WirePacket {
  readonly kind: 'sound' | 'picture' | 'padding';
  readonly transportSequence: number;
  readonly sentMs: number;
  readonly bytes: number;
  /** Of a picture's packet. */
  readonly frame: number;
  readonly part: number;
  readonly parts: number;
  /** The picture can be shown without any before it. */
  readonly keyframe: boolean;
}

/** A part of a picture that the viewer misses. */
export interface MissingPart {
  readonly frame: number;
  readonly part: number;
}

interface Frame {
  readonly have: Set<number>;
  parts: number;
  keyframe: boolean;
  askedMs: number;
}

const repeatAfterMs = 100;
/** Nothing shown for so long: a keyframe is asked for (RFC 4585 §6.3.1). */
const stuckMs = 3_000;
const referenceUnitMs = 64;

/**
 * A browser as the sender sees it: transport-wide feedback every so often, a receiver report a second, NACKs for parts
 * of pictures that are missing, and pictures shown in order once they are whole.
 */
export class ViewerSimulator {
  readonly #driftPpm: number;
  readonly #arrivals = new Map<number, number>();
  readonly #frames = new Map<number, Frame>();
  #nextSequence = 0;
  #newestSequence = -1;
  #feedbackCount = 0;
  #nextFrame = 0;
  #newestFrame = -1;
  #expected = 0;
  #received = 0;
  #movedMs = 0;
  /** When pictures were shown. */
  readonly shownMs: number[] = [];
  readonly soundDelaysMs: number[] = [];

  /** `driftPpm`: how much faster than the sender's the viewer's clock runs. */
  constructor({ driftPpm = 0 }: { driftPpm?: number } = {}) {
    this.#driftPpm = driftPpm;
  }

  receive(packet: WirePacket, atMs: number): void {
    this.#arrivals.set(packet.transportSequence, atMs * (1 + this.#driftPpm / 1e6));
    this.#expected += Math.max(packet.transportSequence - this.#newestSequence, 0);
    this.#received += 1;
    this.#newestSequence = Math.max(this.#newestSequence, packet.transportSequence);
    if (packet.kind === 'sound') this.soundDelaysMs.push(atMs - packet.sentMs);
    if (packet.kind === 'picture') this.#receivePart(packet, atMs);
  }

  /** Feedback about everything since the one before (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1). */
  feedback(): TransportFeedback | undefined {
    const first = this.#arrivals.get(this.#firstArrived());
    if (first === undefined) return undefined;
    const referenceTime = Math.floor(first / referenceUnitMs);
    const arrivalsUs: (number | undefined)[] = [];
    const baseSequence = this.#nextSequence;
    for (; this.#nextSequence <= this.#newestSequence; this.#nextSequence += 1) {
      const atMs = this.#arrivals.get(this.#nextSequence);
      this.#arrivals.delete(this.#nextSequence);
      const us = ((atMs ?? 0) - referenceTime * referenceUnitMs) * 1_000;
      arrivalsUs.push(atMs === undefined ? undefined : Math.round(us / 250) * 250);
    }
    this.#feedbackCount += 1;
    return {
      baseSequence: baseSequence & 0xffff,
      packetCount: arrivalsUs.length,
      referenceTime: (referenceTime << 8) >> 8,
      feedbackCount: this.#feedbackCount & 0xff,
      arrivalsUs,
    };
  }

  /** Share of packets lost since the last report (RFC 3550 §6.4.1). */
  report(): number {
    const lost = this.#expected === 0 ? 0 : 1 - this.#received / this.#expected;
    this.#expected = 0;
    this.#received = 0;
    return Math.min(Math.max(lost, 0), 1);
  }

  /** What to ask for again now. */
  missing(nowMs: number): MissingPart[] {
    const missing: MissingPart[] = [];
    for (let frame = this.#nextFrame; frame < this.#newestFrame; frame += 1) {
      const known = this.#frame(frame);
      if (nowMs - known.askedMs < repeatAfterMs) continue;
      known.askedMs = nowMs;
      // Of a picture none of which came, the first part tells how many there are.
      const parts = Math.max(known.parts, 1);
      for (let part = 0; part < parts; part += 1) {
        if (!known.have.has(part)) missing.push({ frame, part });
      }
    }
    return missing;
  }

  /** Whether to ask for a keyframe now. */
  wantsKeyframe(nowMs: number): boolean {
    if (nowMs - this.#movedMs < stuckMs) return false;
    this.#movedMs = nowMs;
    return true;
  }

  #firstArrived(): number {
    let sequence = this.#nextSequence;
    while (sequence <= this.#newestSequence && !this.#arrivals.has(sequence)) sequence += 1;
    return sequence;
  }

  #receivePart(packet: WirePacket, atMs: number): void {
    if (packet.frame < this.#nextFrame) return;
    const frame = this.#frame(packet.frame);
    frame.parts = packet.parts;
    frame.keyframe = packet.keyframe;
    frame.have.add(packet.part);
    this.#newestFrame = Math.max(this.#newestFrame, packet.frame);
    if (frame.keyframe && frame.have.size === frame.parts) this.#skipTo(packet.frame);
    for (;;) {
      const next = this.#frames.get(this.#nextFrame);
      if (next === undefined || next.have.size !== next.parts) return;
      this.#frames.delete(this.#nextFrame);
      this.#nextFrame += 1;
      this.#movedMs = atMs;
      this.shownMs.push(atMs);
    }
  }

  #skipTo(frame: number): void {
    for (; this.#nextFrame < frame; this.#nextFrame += 1) this.#frames.delete(this.#nextFrame);
  }

  #frame(number: number): Frame {
    const known = this.#frames.get(number);
    if (known !== undefined) return known;
    const frame = {
      have: new Set<number>(),
      parts: 0,
      keyframe: false,
      askedMs: Number.NEGATIVE_INFINITY,
    };
    this.#frames.set(number, frame);
    return frame;
  }
}
