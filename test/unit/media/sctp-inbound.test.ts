import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { writeSack } from '../../../src/media/sctp-inbound.ts';
import { readSctpPacket } from '../../../src/media/sctp-packet.ts';
import { TsnRuns } from '../../../src/media/tsn-runs.ts';
import { sctpPacket } from '../../fixtures/sctp-packets.ts';

/** Numbers at `offsets` from `tsn`. */
const at = (tsn: number, offsets: readonly number[]): number[] =>
  offsets.map((offset) => (tsn + offset) >>> 0);

describe('numbers beyond a gap', () => {
  test('are runs, over the wrap and powers of ten', () => {
    for (const last of [8, 99_999_998, 999_999_998, 0xffff_fffe, 0xffff_ffff]) {
      const runs = new TsnRuns();
      for (const tsn of at(last, [5, 2, 3, 12, 4, 11, 20])) assert.equal(runs.add(tsn), true);
      for (const tsn of at(last, [2, 4, 5, 11, 20])) assert.equal(runs.add(tsn), false);
      const all = [
        [2, 5],
        [11, 12],
        [20, 20],
      ];
      assert.deepEqual(runs.offsets(last, 9), all);
      assert.deepEqual(runs.offsets(last, 2), all.slice(0, 2));
      assert.equal(runs.advance(last), last);
      const [first = 0, middle = 0, end = 0] = at(last, [1, 11, 12]);
      assert.equal(runs.advance(first), (last + 5) >>> 0);
      assert.equal(runs.advance(middle), end);
      assert.deepEqual(runs.offsets(end, 9), [[8, 8]]);
    }
  });

  test('are counted as a set would, whatever comes', () => {
    const step = fc.record({ offset: fc.integer({ min: 1, max: 60 }), skips: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.array(step), (start, steps) => {
        const runs = new TsnRuns();
        const seen = new Set<number>();
        let last = 0;
        for (const { offset, skips } of steps) {
          if (skips) {
            last = Math.max(last, offset);
          } else if (offset > last) {
            assert.equal(runs.add((start + offset) >>> 0), !seen.has(offset));
            seen.add(offset);
          }
          while (seen.has(last + 1)) last += 1;
          assert.equal(
            runs.advance((start + Math.max(last, skips ? offset : 0)) >>> 0),
            (start + last) >>> 0,
          );
          const named = runs.offsets(start >>> 0, 99).flatMap(([from, to]) => {
            return Array.from({ length: to - from + 1 }, (_, index) => from + index);
          });
          assert.deepEqual(
            named,
            [...seen].filter((each) => each > last).sort((a, b) => a - b),
          );
        }
      }),
    );
  });
});

describe('an acknowledgement', () => {
  test('is one that our own reader takes', () => {
    const sack = writeSack(100, -5, [
      [2, 5],
      [11, 12],
    ]);
    const progress = { established: true, receivedTsn: 1, ackedTsn: 90, sentTsn: 700 };
    assert.ok(readSctpPacket(sctpPacket(1, sack), progress));
    assert.equal(sack.readUInt32BE(4), 100);
    assert.equal(sack.readUInt32BE(8), 0);
    assert.deepEqual([...sack.subarray(16)], [0, 2, 0, 5, 0, 11, 0, 12]);
  });
});
