/** Times the target rate: faster than the picture needs, slower than a burst that fills a queue. */
const paceFactor = 2.5;
/** What may go at once, in time at the target rate: a picture of usual size never waits. */
const burstMs = 50;
const leastBurstBytes = 3_600;
/** A keyframe leaves within this, however low the target is. */
const keyframeDrainMs = 200;
/** Share of the target that repeats may take in the long run, and at once in time at the target rate. */
const repeatShare = 0.3;
const repeatBurstMs = 250;

/**
 * When video packets may leave, in bytes: pure, time comes in with the calls (ms of any steady
 * clock). Sound is never asked about here: it always goes at once.
 */
export class VideoPacer {
  #targetBps: number;
  #open: number;
  #repeats: number;
  #floorBps = 0;
  #atMs: number;

  constructor(options: { readonly targetBps: number; readonly nowMs: number }) {
    this.#targetBps = options.targetBps;
    this.#atMs = options.nowMs;
    this.#open = this.#burstBytes;
    this.#repeats = this.#repeatBurstBytes;
  }

  /** Lets time pass at the target of now, in bit/s. */
  advance(nowMs: number, targetBps: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1_000;
    this.#atMs = nowMs;
    this.#targetBps = targetBps;
    const paceBps = Math.max(paceFactor * targetBps, this.#floorBps);
    this.#open = Math.min(this.#burstBytes, this.#open + (seconds * paceBps) / 8);
    this.#repeats = Math.min(
      this.#repeatBurstBytes,
      this.#repeats + (seconds * repeatShare * targetBps) / 8,
    );
  }

  /** A packet may leave now. The last one may be larger than what is left, which is then owed. */
  get isOpen(): boolean {
    return this.#open > 0;
  }

  spend(bytes: number): void {
    this.#open -= bytes;
  }

  /** Takes the bytes of one repeat; false when repeats have had their share. */
  takeRepeat(bytes: number): boolean {
    if (this.#repeats < bytes) return false;
    this.#repeats -= bytes;
    this.#open -= bytes;
    return true;
  }

  /** How long repeats of so many bytes would take from now, in ms. */
  repeatMs(bytes: number): number {
    const missing = Math.max(0, bytes - this.#repeats);
    return (missing * 8_000) / (repeatShare * this.#targetBps);
  }

  /** A keyframe of so many bytes begins to wait. */
  expectKeyframe(bytes: number): void {
    this.#floorBps = Math.max(this.#floorBps, (bytes * 8 * 1_000) / keyframeDrainMs);
  }

  /** Nothing waits any more. */
  rest(): void {
    this.#floorBps = 0;
  }

  get #burstBytes(): number {
    return Math.max(leastBurstBytes, (this.#targetBps * burstMs) / 8_000);
  }

  get #repeatBurstBytes(): number {
    return Math.max(leastBurstBytes, (this.#targetBps * repeatBurstMs) / 8_000);
  }
}
