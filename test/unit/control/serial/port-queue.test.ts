import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PortQueue } from '../../../../src/control/serial/port-queue.ts';

/** A port that takes `room` bytes, and what it took. */
function port(room: number) {
  const taken: number[] = [];
  let left = room;
  const write = (bytes: Uint8Array): number => {
    const count = Math.min(left, bytes.length);
    taken.push(...bytes.subarray(0, count));
    left -= count;
    return count;
  };
  return { taken, write };
}

describe('PortQueue', () => {
  it('takes what there is room for', () => {
    const queue = new PortQueue(5);
    assert.equal(queue.add(Uint8Array.of(1, 2, 3)), 3);
    assert.equal(queue.add(Uint8Array.of(4, 5, 6)), 2);
    assert.equal(queue.add(Uint8Array.of(7)), 0);
    assert.equal(queue.bytes, 5);
  });

  it('hands bytes out in order, as many as are taken', () => {
    const queue = new PortQueue(10);
    for (const bytes of [[1, 2, 3], [4, 5], [6]]) queue.add(Uint8Array.from(bytes));
    const first = port(4);
    queue.drain(first.write);
    assert.deepEqual(first.taken, [1, 2, 3, 4]);
    assert.equal(queue.bytes, 2);
    const second = port(9);
    queue.drain(second.write);
    assert.deepEqual(second.taken, [5, 6]);
    assert.equal(queue.bytes, 0);
  });

  it('forgets everything at once', () => {
    const queue = new PortQueue(10);
    queue.add(Uint8Array.of(1, 2, 3));
    assert.equal(queue.clear(), 3);
    assert.equal(queue.bytes, 0);
    const after = port(9);
    queue.drain(after.write);
    assert.deepEqual(after.taken, []);
  });
});
