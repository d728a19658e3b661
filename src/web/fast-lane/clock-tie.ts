/** The four times of one ping, in ms: two of this machine's clock, two of the device's. */
export interface PingTimes {
  readonly sentMs: number;
  readonly deviceReceivedMs: number;
  readonly deviceSentMs: number;
  readonly receivedMs: number;
}

/** How far back the quickest ping is looked for: longer is steadier, and clocks drift apart meanwhile (3 ms at 300 ppm). */
const windowMs = 10_000;

/** Pings kept; at four a second the window holds forty. */
const maxPings = 64;

/** A round trip beyond this ties nothing. */
const plausibleMs = 10_000;

interface Tie {
  readonly atMs: number;
  readonly roundTripMs: number;
  readonly offsetMs: number;
}

/**
 * Ties the device's clock to this machine's by pings, as NTP does (RFC 5905 §8): of the last ten
 * seconds the one with the shortest round trip counts, since the error is at most half of that.
 */
export class ClockTie {
  #ties: Tie[] = [];
  #best: Tie | undefined;

  /** What to add to a time of this machine to have the device's, in ms; undefined before any pong. */
  get offsetMs(): number | undefined {
    return this.#best?.offsetMs;
  }

  /** Round trip of the last pong, without the time it spent in the device, in ms; undefined before any. */
  get roundTripMs(): number | undefined {
    return this.#ties.at(-1)?.roundTripMs;
  }

  /** Takes a ping that was answered. False: its times cannot be, and it was left out. */
  note({ sentMs, deviceReceivedMs, deviceSentMs, receivedMs }: PingTimes): boolean {
    const roundTripMs = receivedMs - sentMs - (deviceSentMs - deviceReceivedMs);
    if (!(roundTripMs >= 0 && roundTripMs < plausibleMs)) return false;
    const offsetMs = (deviceReceivedMs - sentMs + (deviceSentMs - receivedMs)) / 2;
    this.#ties = this.#ties.filter(({ atMs }) => atMs > receivedMs - windowMs).slice(1 - maxPings);
    this.#ties.push({ atMs: receivedMs, roundTripMs, offsetMs });
    this.#best = this.#ties.reduce((best, tie) =>
      tie.roundTripMs < best.roundTripMs ? tie : best,
    );
    return true;
  }

  /** Another device, or the same one started anew. */
  reset(): void {
    this.#ties = [];
    this.#best = undefined;
  }
}

/** Now, in ms of the Unix epoch by the clock that never jumps: the same in a page and in its workers. */
export function steadyNowMs(): number {
  return performance.timeOrigin + performance.now();
}
