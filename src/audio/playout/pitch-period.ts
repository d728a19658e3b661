/** The periods looked for, in samples at 48 kHz: 2.5–15 ms, which holds a period of any voice from 67 Hz. */
export const leastPeriod = 120;
export const mostPeriod = 720;
/** How much sound is compared with how it was a period before: as long as the longest. */
const window = 720;
/** Looked for in means of so many samples, then decided in all of them. */
const coarse = 4;
const coarseWindow = window / coarse;
const coarseSpan = (window + mostPeriod) / coarse;
/** Less alike than this it has no period; then the longest is the least of a buzz. */
const alike = 0.5;

/** The means of the last samples. One for all calls: nothing is allocated. */
const coarseLeft = new Float32Array(coarseSpan);
const coarseRight = new Float32Array(coarseSpan);

/**
 * After how many samples, 120–720, the sound before `end` is most like itself, in both channels together;
 * 720 when it is like itself nowhere. Looks at the last 30 ms. About 60 µs; allocates nothing.
 */
export function pitchPeriod(left: Float32Array, right: Float32Array, end: number): number {
  thin(left, coarseLeft, end);
  thin(right, coarseRight, end);
  let best = -1;
  let near = mostPeriod / coarse;
  for (let lag = leastPeriod / coarse; lag <= mostPeriod / coarse; lag += 1) {
    const found = likeness(coarseLeft, coarseRight, coarseSpan, coarseWindow, lag);
    if (found > best) {
      best = found;
      near = lag;
    }
  }
  best = -1;
  let period = mostPeriod;
  const from = Math.max(near * coarse - coarse + 1, leastPeriod);
  const to = Math.min(near * coarse + coarse - 1, mostPeriod);
  for (let lag = from; lag <= to; lag += 1) {
    const found = likeness(left, right, end, window, lag);
    if (found > best) {
      best = found;
      period = lag;
    }
  }
  return best >= alike ? period : mostPeriod;
}

function thin(samples: Float32Array, means: Float32Array, end: number): void {
  let at = end - coarseSpan * coarse;
  for (let i = 0; i < coarseSpan; i += 1) {
    let sum = 0;
    for (const stop = at + coarse; at < stop; at += 1) sum += samples[at] ?? 0;
    means[i] = sum;
  }
}

/**
 * Normalised cross-correlation of the last `length` samples before `end` with those `lag` before them.
 * Not an options object: it would be garbage, 160 times a call.
 */
function likeness(
  left: Float32Array,
  right: Float32Array,
  end: number,
  length: number,
  lag: number,
): number {
  let product = 0;
  let now = 0;
  let before = 0;
  for (let at = end - length; at < end; at += 1) {
    const x = left[at] ?? 0;
    const y = left[at - lag] ?? 0;
    const z = right[at] ?? 0;
    const w = right[at - lag] ?? 0;
    product += x * y + z * w;
    now += x * x + z * z;
    before += y * y + w * w;
  }
  return product / Math.sqrt(now * before + 1e-20);
}
