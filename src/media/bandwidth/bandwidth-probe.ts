/** A probe lasts so long: enough to be told from jitter, and a queue of less than 100 ms at the path's limit. */
const probeMs = 300;
/** Nothing heard of its packets so long after its end: nothing was learnt. */
const answerMs = 1_000;
/** Over less nothing can be told. */
const leastMs = 120;
/** Offered so much at least, it was a probe at all. */
const offeredShare = 0.85;
/** Came through so much of what was offered, the path was not full. */
const throughShare = 0.92;
/** Padding asked for at once. */
const mostBytes = 6_000;

/** What a probe found: that so much came through without a queue, that the path is full at so much, or nothing. */
export type ProbeResult =
  | { readonly kind: 'free'; readonly bps: number }
  | { readonly kind: 'full'; readonly bps: number }
  | { readonly kind: 'nothing' };

/**
 * Finds out whether the path carries more than is sent: the sender fills up with padding, for 0.3 s, to more than
 * the target, and what comes through of that is measured where it arrives. A picture that uses 65 % of the
 * target would never find out by itself. Pure: time comes in with the calls.
 */
export class BandwidthProbe {
  #startMs = Number.NaN;
  #bps = 0;
  #sentBytes = 0;
  #throughBytes = 0;
  #firstArrivalMs = Number.NaN;
  #lastArrivalMs = Number.NaN;
  #isOver = false;

  get isRunning(): boolean {
    return !Number.isNaN(this.#startMs);
  }

  /** Begins; `bps`: what to offer. */
  start(nowMs: number, bps: number): void {
    this.#startMs = nowMs;
    this.#bps = bps;
    this.#sentBytes = 0;
    this.#throughBytes = 0;
    this.#firstArrivalMs = Number.NaN;
    this.#lastArrivalMs = Number.NaN;
    this.#isOver = false;
  }

  /** Bytes missing now from what the probe is to have sent. */
  paddingBytes(nowMs: number): number {
    const elapsedMs = nowMs - this.#startMs;
    if (!(elapsedMs < probeMs)) return 0;
    return Math.min(Math.max((this.#bps * elapsedMs) / 8_000 - this.#sentBytes, 0), mostBytes);
  }

  packetSent(bytes: number, atMs: number): void {
    if (this.#includes(atMs)) this.#sentBytes += bytes;
  }

  /** A packet arrived, `arrivedMs` on the viewer's clock. */
  acknowledged(sentMs: number, bytes: number, arrivedMs: number): void {
    if (!this.isRunning) return;
    if (sentMs >= this.#startMs + probeMs) this.#isOver = true;
    if (!this.#includes(sentMs)) return;
    if (Number.isNaN(this.#firstArrivalMs)) {
      this.#firstArrivalMs = arrivedMs;
      this.#lastArrivalMs = arrivedMs;
      return;
    }
    this.#throughBytes += bytes;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivedMs);
  }

  /** What it found, once; undefined while it lasts. */
  finish(nowMs: number): ProbeResult | undefined {
    const isLate = nowMs - this.#startMs > probeMs + answerMs;
    if (!this.#isOver && !isLate) return undefined;
    this.#startMs = Number.NaN;
    const offeredBps = (this.#sentBytes * 8_000) / probeMs;
    const tookMs = this.#lastArrivalMs - this.#firstArrivalMs;
    if (!this.#isOver || offeredBps < offeredShare * this.#bps || !(tookMs >= probeMs / 2)) {
      return { kind: 'nothing' };
    }
    const throughBps = (this.#throughBytes * 8_000) / Math.max(tookMs, probeMs);
    const kind = throughBps >= throughShare * offeredBps ? 'free' : 'full';
    return { kind, bps: Math.min(throughBps, offeredBps) };
  }

  /** The queue grows: ends it. What comes through, in bit/s, if that can be told yet. */
  cancel(): number | undefined {
    this.#startMs = Number.NaN;
    const tookMs = this.#lastArrivalMs - this.#firstArrivalMs;
    return tookMs >= leastMs ? (this.#throughBytes * 8_000) / tookMs : undefined;
  }

  #includes(sentMs: number): boolean {
    return sentMs >= this.#startMs && sentMs < this.#startMs + probeMs;
  }
}
