import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaQueue, mediaQueueBounds, type QueuedFrame } from '../../../src/ipc/media-queue.ts';

function frame(atMs: number, bytes = 100): QueuedFrame {
  return { timestampNs: BigInt(atMs * 1e6), pieces: [Buffer.alloc(bytes)], bytes };
}

function drain(queue: MediaQueue): number[] {
  const times: number[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    times.push(Number(next.timestampNs) / 1e6);
  }
  return times;
}

describe('MediaQueue', () => {
  it('keeps 100 ms of audio and drops the oldest', () => {
    const queue = new MediaQueue(mediaQueueBounds.opus);
    let dropped = 0;
    for (let atMs = 0; atMs < 400; atMs += 20) dropped += queue.push(frame(atMs));
    assert.deepEqual(drain(queue), [300, 320, 340, 360, 380]);
    assert.equal(dropped, 15);
    assert.equal(queue.bytes, 0);
  });

  it('keeps 40 frames of 2.5 ms, which are 100 ms', () => {
    const queue = new MediaQueue(mediaQueueBounds.opus);
    let dropped = 0;
    for (let index = 0; index < 100; index += 1) dropped += queue.push(frame(index * 2.5));
    assert.equal(queue.length, 40);
    assert.equal(dropped, 60);
  });

  it('is bounded when timestamps stand still or go back', () => {
    const queue = new MediaQueue(mediaQueueBounds.opus);
    for (let index = 0; index < 1_000; index += 1) queue.push(frame(5));
    assert.equal(queue.length, 40);
    for (let index = 0; index < 1_000; index += 1) queue.push(frame(1_000 - index));
    assert.ok(queue.length <= 40);
  });

  it('keeps only the newest after a jump in time', () => {
    const queue = new MediaQueue(mediaQueueBounds.opus);
    for (const atMs of [0, 20, 40]) queue.push(frame(atMs));
    assert.equal(queue.push(frame(10_000)), 3);
    assert.deepEqual(drain(queue), [10_000]);
  });

  it('keeps 3 frames of video, however far apart', () => {
    const queue = new MediaQueue(mediaQueueBounds.video);
    for (const atMs of [0, 1_000, 2_000, 3_000]) queue.push(frame(atMs));
    assert.deepEqual(drain(queue), [1_000, 2_000, 3_000]);
  });

  it('says when the next frame would push one out', () => {
    const queue = new MediaQueue(mediaQueueBounds.video);
    assert.equal(queue.full, false);
    queue.push(frame(0));
    queue.push(frame(1));
    assert.equal(queue.full, false);
    queue.push(frame(2));
    assert.equal(queue.full, true);
  });

  it('counts its bytes, and what a clearing loses', () => {
    const queue = new MediaQueue(mediaQueueBounds.opus);
    queue.push(frame(0, 10));
    queue.push(frame(20, 30));
    assert.equal(queue.bytes, 40);
    assert.equal(queue.clear(), 2);
    assert.equal(queue.bytes, 0);
    assert.equal(queue.shift(), undefined);
  });
});
