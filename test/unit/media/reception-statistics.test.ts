import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { ReceptionStatistics } from '../../../src/media/reception-statistics.ts';

let statistics: ReceptionStatistics;

/** Packets of 20 ms that arrive when they are sent. */
function receive(...sequences: number[]): boolean[] {
  return sequences.map((sequence) =>
    statistics.add({ sequence, timestamp: sequence * 960, arrivalMs: sequence * 20 }),
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => (from + index) & 0xffff);
}

beforeEach(() => {
  statistics = new ReceptionStatistics({ clockRate: 48_000 });
});

describe('ReceptionStatistics', () => {
  test('has nothing to say of a stream that did not come, or not since the last time', () => {
    assert.equal(statistics.summarize(), undefined);
    assert.equal(statistics.packetsLost, 0);
    receive(7);
    assert.deepEqual(statistics.summarize(), {
      fractionLost: 0,
      packetsLost: 0,
      highestSequence: 7,
      jitter: 0,
    });
    assert.equal(statistics.summarize(), undefined);
  });

  test('the fraction is of the packets since the last summary, the loss of all (A.3)', () => {
    receive(...range(0, 50), ...range(60, 100));
    assert.equal(statistics.summarize()?.fractionLost, Math.floor((10 * 256) / 100));
    receive(...range(100, 200));
    const { fractionLost, packetsLost } = statistics.summarize() ?? {};
    assert.deepEqual([fractionLost, packetsLost], [0, 10]);
    receive(200, 204);
    assert.equal(statistics.summarize()?.fractionLost, Math.floor((3 * 256) / 5));
    assert.equal(statistics.packetsLost, 13);
  });

  test('packets that come late are not lost after all', () => {
    receive(0, 1, 5);
    assert.equal(statistics.packetsLost, 3);
    receive(3, 2, 4);
    assert.equal(statistics.packetsLost, 0);
    assert.equal(statistics.summarize()?.highestSequence, 5);
  });

  test('packets that come twice make the loss negative, and no fraction (A.3)', () => {
    receive(1, 1, 1, 2);
    assert.deepEqual(statistics.summarize(), {
      fractionLost: 0,
      packetsLost: -2,
      highestSequence: 2,
      jitter: statistics.jitterMs,
    });
  });

  test('sequence numbers wrap, again and again (A.1)', () => {
    for (let round = 0; round < 3; round += 1) receive(...range(0, 65_536));
    assert.equal(statistics.packetsLost, 0);
    assert.equal(statistics.summarize()?.highestSequence, 2 * 65_536 + 65_535);
    receive(3, 65_534);
    assert.equal(statistics.summarize()?.highestSequence, 3 * 65_536 + 3);
  });

  test('a far jump counts only when the next packet follows on it: the sender restarted (A.1)', () => {
    receive(...range(0, 20), 25);
    assert.deepEqual(receive(30_000), [false]);
    assert.equal(statistics.packetsLost, 5);
    assert.deepEqual(receive(26), [true]);
    assert.deepEqual(receive(30_000, 30_001, 30_002), [false, true, true]);
    assert.equal(statistics.packetsLost, 5);
    assert.equal(statistics.summarize()?.highestSequence, 30_002);
  });

  test('3,000 packets ahead are a restart, 2,999 are loss; 100 behind a restart, 99 late', () => {
    assert.deepEqual(receive(1_000, 4_000), [true, false]);
    assert.deepEqual(receive(3_999), [true]);
    assert.deepEqual(receive(3_899), [false]);
    assert.deepEqual(receive(3_900), [true]);
  });

  test('jitter is the smoothed change of the transit time (A.8)', () => {
    let transitMs = 100;
    let expected = 0;
    for (let index = 0; index < 500; index += 1) {
      const before = transitMs;
      transitMs = index % 2 === 0 ? 100 : 110;
      statistics.add({
        sequence: index,
        timestamp: index * 960,
        arrivalMs: index * 20 + transitMs,
      });
      if (index > 0) expected += (Math.abs(transitMs - before) - expected) / 16;
    }
    assert.ok(Math.abs(statistics.jitterMs - expected) < 0.05, `${statistics.jitterMs}`);
    assert.ok(Math.abs(statistics.jitterMs - 10) < 0.05);
    assert.equal(statistics.summarize()?.jitter, Math.floor(statistics.jitterMs * 48));
  });

  test('neither a timestamp that wraps, nor padding, nor a clock that stood still is jitter', () => {
    const start = 0xffffffff - 960 * 5;
    for (let index = 0; index < 20; index += 1) {
      const timestamp = (start + index * 960) >>> 0;
      statistics.add({ sequence: index, timestamp, arrivalMs: 5_000_000_000 + index * 20 });
    }
    statistics.add({ sequence: 20, timestamp: undefined, arrivalMs: 5_000_000_900 });
    assert.equal(statistics.jitterMs, 0);
    const silent = (start + 20 * 960) >>> 0;
    statistics.add({ sequence: 21, timestamp: silent, arrivalMs: 5_000_060_000 });
    assert.equal(statistics.jitterMs, 0);
  });

  test('any packets end in a report that fits its fields', () => {
    const packet = fc.record({
      sequence: fc.nat({ max: 65_535 }),
      timestamp: fc.option(fc.nat({ max: 0xffffffff }), { nil: undefined }),
      arrivalMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(fc.array(packet, { maxLength: 40 }), { maxLength: 10 }), (bursts) => {
        const fresh = new ReceptionStatistics({ clockRate: 48_000 });
        for (const burst of bursts) {
          for (const one of burst) fresh.add(one);
          const summary = fresh.summarize();
          if (summary === undefined) continue;
          const { fractionLost, packetsLost, highestSequence, jitter } = summary;
          assert.ok(Number.isInteger(fractionLost) && fractionLost >= 0 && fractionLost <= 255);
          assert.ok(Number.isInteger(packetsLost) && Math.abs(packetsLost) <= 0x800000);
          assert.ok(Number.isInteger(highestSequence) && highestSequence >= 0);
          assert.ok(Number.isInteger(jitter) && jitter >= 0 && jitter <= 0xffffffff);
        }
      }),
    );
  });
});
