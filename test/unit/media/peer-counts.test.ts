import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  addCounts,
  allDrops,
  microphoneDropReasons,
  noCounts,
} from '../../../src/media/peer-counts.ts';

describe('PeerCounts', () => {
  test('every count is added, each to its own', () => {
    const counts = noCounts();
    const { microphoneDrops, ...plain } = counts;
    const sample = {
      ...Object.assign(
        noCounts(),
        Object.fromEntries(Object.keys(plain).map((name, index) => [name, index + 1])),
      ),
      microphoneDrops: Object.assign(
        noCounts().microphoneDrops,
        Object.fromEntries(microphoneDropReasons.map((reason, index) => [reason, 100 + index])),
      ),
    };
    addCounts(counts, sample);
    assert.deepEqual(counts, sample);
    assert.deepEqual(Object.keys(microphoneDrops), [...microphoneDropReasons]);
    addCounts(counts, sample);
    assert.equal(counts.packetsSent, 2);
    assert.equal(allDrops(counts.microphoneDrops), 2 * (7 * 100 + 21));
  });
});
