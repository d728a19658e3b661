import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silences } from '../../lab/steady-tone.ts';

/** A second of 1 kHz at −12 dBFS, silent between the given times (ms). */
function toneWithout(...gaps: readonly (readonly [number, number])[]): Int16Array {
  return Int16Array.from({ length: 48_000 }, (_, n) => {
    const ms = n / 48;
    const silent = gaps.some(([from, to]) => ms >= from && ms < to);
    return silent ? 0 : 8_192 * Math.sin((2 * Math.PI * n) / 48);
  });
}

describe('silences', () => {
  const recorded = (samples: Int16Array) => ({ samples, channels: 1, startMs: 5_000 });

  it('finds none in a steady tone', () => {
    assert.deepEqual(silences(recorded(toneWithout())), []);
  });

  it('finds each interruption, on the clock of the recording', () => {
    assert.deepEqual(silences(recorded(toneWithout([200, 300], [600, 605]))), [
      { fromMs: 5_200, toMs: 5_300 },
      { fromMs: 5_600, toMs: 5_605 },
    ]);
  });

  it('leaves the end open of a silence that lasts', () => {
    assert.deepEqual(silences(recorded(toneWithout([900, 1_000]))), [
      { fromMs: 5_900, toMs: Number.POSITIVE_INFINITY },
    ]);
  });
});
