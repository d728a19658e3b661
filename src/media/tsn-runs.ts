import { distance } from './sctp-packet.ts';

/** A run of transmission sequence numbers, both ends included. */
interface Run {
  from: number;
  to: number;
}

/**
 * Transmission sequence numbers (32 bits, RFC 9260 §1.6) that came beyond a gap, as runs. Adding one
 * that comes in order costs O(1), any other one a look at the runs beyond it.
 */
export class TsnRuns {
  /** Lowest first; no two touch. */
  readonly #runs: Run[] = [];

  /** False: it is there already. */
  add(tsn: number): boolean {
    const runs = this.#runs;
    let at = runs.length;
    while (at > 0 && distance(runs[at - 1]?.from ?? 0, tsn) < 0) at -= 1;
    const [before, after] = [runs[at - 1], runs[at]];
    if (before !== undefined && distance(tsn, before.to) >= 0) return false;
    const followsBefore = before !== undefined && next(before.to) === tsn;
    const precedesAfter = after !== undefined && next(tsn) === after.from;
    if (followsBefore && precedesAfter) {
      before.to = after.to;
      runs.splice(at, 1);
    } else if (followsBefore) before.to = tsn;
    else if (precedesAfter) after.from = tsn;
    else runs.splice(at, 0, { from: tsn, to: tsn });
    return true;
  }

  /** Takes out what is no longer beyond a gap when everything up to `tsn` came; returns up to where that is. */
  advance(tsn: number): number {
    let last = tsn;
    for (;;) {
      const [first] = this.#runs;
      if (first === undefined || distance(next(last), first.from) > 0) return last;
      if (distance(last, first.to) > 0) last = first.to;
      this.#runs.shift();
    }
  }

  /** At most so many runs as offsets from `tsn`, lowest first. */
  offsets(tsn: number, most: number): (readonly [start: number, end: number])[] {
    return this.#runs
      .slice(0, most)
      .map(({ from, to }) => [distance(tsn, from), distance(tsn, to)] as const);
  }
}

function next(tsn: number): number {
  return (tsn + 1) >>> 0;
}
