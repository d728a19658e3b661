import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SoundQueue } from '../../../../src/audio/playout/sound-queue.ts';

/** Puts samples in, each with its own number as its value. */
function put(queue: SoundQueue, from: number, samples: number): void {
  queue.makeRoom(samples);
  for (let i = 0; i < samples; i += 1) {
    queue.left[queue.end + i] = from + i;
    queue.right[queue.end + i] = -(from + i);
  }
  queue.grow(samples);
}

describe('the sound queue', () => {
  it('keeps what waits and its past in place, however much goes through', () => {
    const queue = new SoundQueue();
    let written = 0;
    let read = 0;
    for (let turn = 0; turn < 2_000; turn += 1) {
      const samples = 120 + ((turn * 37) % 6_000);
      put(queue, written, samples);
      written += samples;
      while (queue.waiting >= 128) {
        assert.equal(queue.left[queue.at], read);
        assert.equal(queue.right[queue.at + 127], -(read + 127));
        if (read > 2_000) assert.equal(queue.left[queue.end - 2_000], written - 2_000);
        queue.advance(128);
        read += 128;
      }
    }
  });

  it('knows when each sample was captured, to the fraction', () => {
    const queue = new SoundQueue();
    queue.captured(-1);
    queue.growSilent(480);
    for (let packet = 0; packet < 300; packet += 1) {
      queue.captured(packet * 20_000);
      put(queue, packet * 480, 480);
      queue.advance(480);
      // 480 behind: what is given out now is the packet before, if there was one.
      const expected = packet * 20_000 + 1_000 / 48 / 2;
      assert.equal(queue.waiting, 480);
      assert.ok(Math.abs(queue.captureTimeUs(0.5) - expected) < 1e-6);
    }
  });

  it('knows of two times within one block', () => {
    const queue = new SoundQueue();
    queue.captured(1_000);
    queue.captured(50_000, 240);
    put(queue, 0, 480);
    queue.advance(239);
    assert.ok(Math.abs(queue.captureTimeUs(0) - (1_000 + 239 / 0.048)) < 1e-6);
    queue.advance(1);
    assert.equal(queue.captureTimeUs(0), 50_000);
  });

  it('forgets the times of what was taken back', () => {
    const queue = new SoundQueue();
    queue.captured(1_000);
    put(queue, 0, 480);
    queue.captured(-1);
    put(queue, 480, 480);
    queue.captured(70_000);
    put(queue, 960, 480);
    queue.cut(100);
    assert.equal(queue.waiting, 100);
    queue.captured(-1);
    queue.growSilent(480);
    queue.advance(99);
    assert.ok(queue.captureTimeUs(0) > 1_000);
    queue.advance(1);
    assert.equal(queue.captureTimeUs(0), -1);
    queue.advance(400);
    assert.equal(queue.captureTimeUs(0), -1);
  });

  it('says that it does not know before the first sound', () => {
    const queue = new SoundQueue();
    queue.growSilent(100);
    assert.equal(queue.captureTimeUs(0), -1);
  });
});
