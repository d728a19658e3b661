import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteRing } from '../../../../src/control/serial/byte-ring.ts';

const text = (ring: ByteRing): string =>
  Buffer.from(ring.read(ring.lineStart(), Number.MAX_SAFE_INTEGER)).toString('latin1');

function ringOf(capacity: number, ...parts: readonly string[]): ByteRing {
  const ring = new ByteRing(capacity);
  for (const part of parts) ring.append(Buffer.from(part, 'latin1'));
  return ring;
}

describe('ByteRing', () => {
  it('keeps everything until it is full, then the last bytes', () => {
    assert.equal(text(ringOf(8)), '');
    assert.equal(text(ringOf(8, 'abc')), 'abc');
    assert.equal(text(ringOf(8, 'abc', 'defgh')), 'abcdefgh');
    const ring = ringOf(8, 'abc', 'defgh', 'ij');
    assert.deepEqual([ring.start, ring.end], [2, 10]);
    assert.equal(text(ring), 'cdefghij');
  });

  it('keeps the end of what is longer than itself', () => {
    const ring = ringOf(4, 'x', 'abcdefghij');
    assert.deepEqual([ring.start, ring.end], [7, 11]);
    assert.equal(text(ring), 'ghij');
  });

  it('begins at a whole line once older ones are gone', () => {
    assert.equal(text(ringOf(8, 'ab\ncd')), 'ab\ncd');
    assert.equal(text(ringOf(8, 'ab\ncd\nefgh')), 'cd\nefgh');
    assert.equal(text(ringOf(8, 'ab\ncd\nefghi')), 'efghi');
    assert.equal(text(ringOf(8, 'abcdefghijkl')), 'efghijkl');
    assert.equal(text(ringOf(8, 'abcdefghijk\n')), 'efghijk\n');
  });

  it('reads any part, as it was appended in any pieces', () => {
    const bytes = Uint8Array.from({ length: 1_000 }, (_, index) => (index * 31) % 256);
    for (const capacity of [1, 7, 64, 999, 1_000, 4_096]) {
      const ring = new ByteRing(capacity);
      for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 5 + 1) % 83) {
        size = Math.max(1, size);
        ring.append(bytes.subarray(at, at + size));
      }
      assert.equal(ring.end, 1_000);
      assert.equal(ring.start, Math.max(0, 1_000 - capacity));
      assert.deepEqual(ring.read(ring.start, 1_000), bytes.subarray(ring.start));
      const middle = Math.floor((ring.start + ring.end) / 2);
      assert.deepEqual(ring.read(middle, 5), bytes.subarray(middle, middle + 5));
    }
  });

  it('hands out copies', () => {
    const ring = ringOf(4, 'abcd');
    const before = ring.read(0, 4);
    ring.append(Buffer.from('efgh'));
    assert.equal(Buffer.from(before).toString(), 'abcd');
  });
});
