import { seededRandom } from './chirp.ts';

/** A path without a clock of its own: a bottleneck with a drop-tail queue, and what lies behind it. */
export interface LinkSettings {
  /** What the bottleneck carries, in bit/s, at a time in ms. */
  readonly rateBps: (atMs: number) => number;
  /** The queue's length: what would wait longer than this at the rate of the moment is dropped. 300 by default. */
  readonly queueMs?: number;
  /** What every packet takes behind the bottleneck. 25 by default. */
  readonly propagationMs?: number;
  /** Longest extra delay (uniform); packets wait behind one held up. 0 by default. */
  readonly jitterMs?: number;
  /** When what would arrive at a time arrives in truth: then, or later. Never later by default. */
  readonly heldUntilMs?: (atMs: number) => number;
  /** Share of packets lost on their own, 0–1. */
  readonly lossRate?: (atMs: number) => number;
  /** Any whole number. */
  readonly seed?: number;
}

interface Packet<P> {
  readonly payload: P;
  bytesLeft: number;
}

interface Arrival<P> {
  readonly payload: P;
  readonly atMs: number;
}

/**
 * Carries packets from one simulated millisecond to the next; the same packets at the same times meet the same
 * fate in every run.
 */
export class LinkSimulator<P> {
  readonly #settings: Required<LinkSettings>;
  readonly #random: () => number;
  readonly #queue: Packet<P>[] = [];
  readonly #underWay: Arrival<P>[] = [];
  #queuedBytes = 0;
  #newestMs = 0;
  /** Lost to the queue's end, and to the air. */
  dropped = 0;
  lost = 0;

  constructor(settings: LinkSettings) {
    this.#settings = {
      queueMs: 300,
      propagationMs: 25,
      jitterMs: 0,
      heldUntilMs: (atMs) => atMs,
      lossRate: () => 0,
      seed: 1,
      ...settings,
    };
    this.#random = seededRandom(this.#settings.seed);
  }

  /** How long a packet sent at `atMs` would wait. */
  queueMs(atMs: number): number {
    return (this.#queuedBytes * 8_000) / this.#settings.rateBps(atMs);
  }

  /** Hands a packet to the bottleneck. */
  send(payload: P, bytes: number, atMs: number): void {
    if (this.queueMs(atMs) > this.#settings.queueMs) {
      this.dropped += 1;
      return;
    }
    this.#queue.push({ payload, bytesLeft: bytes });
    this.#queuedBytes += bytes;
  }

  /** Lets the millisecond from `atMs` on pass; what arrives at the far end during it, in order. */
  step(atMs: number): Arrival<P>[] {
    this.#serve(atMs);
    let arrived = 0;
    while ((this.#underWay[arrived]?.atMs ?? Number.POSITIVE_INFINITY) < atMs + 1) arrived += 1;
    return this.#underWay.splice(0, arrived);
  }

  #serve(atMs: number): void {
    const perMs = this.#settings.rateBps(atMs) / 8_000;
    let budget = perMs;
    for (let head = this.#queue[0]; head !== undefined && budget > 0; head = this.#queue[0]) {
      const served = Math.min(head.bytesLeft, budget);
      head.bytesLeft -= served;
      budget -= served;
      this.#queuedBytes -= served;
      if (head.bytesLeft > 0) return;
      this.#queue.shift();
      this.#deliver(head.payload, atMs + (perMs - budget) / perMs);
    }
  }

  #deliver(payload: P, leftMs: number): void {
    const { propagationMs, jitterMs, heldUntilMs, lossRate } = this.#settings;
    const dueMs = heldUntilMs(leftMs + propagationMs + this.#random() * jitterMs);
    const atMs = Math.max(dueMs, this.#newestMs);
    if (this.#random() < lossRate(leftMs)) {
      this.lost += 1;
      return;
    }
    this.#newestMs = atMs;
    this.#underWay.push({ payload, atMs });
  }
}
