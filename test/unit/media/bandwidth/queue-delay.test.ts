import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueDelay } from '../../../../src/media/bandwidth/queue-delay.ts';

test('the delay over the least is the queue, whatever the clocks', () => {
  const queue = new QueueDelay();
  for (let atMs = 0; atMs < 5_000; atMs += 20) assert.equal(queue.add(atMs, atMs - 1e9), 0);
  assert.equal(queue.add(5_000, 5_070 - 1e9), 70);
});

test('one packet that was noted late does not count', () => {
  const queue = new QueueDelay();
  for (let atMs = 0; atMs < 5_000; atMs += 20) queue.add(atMs, atMs + 30);
  assert.equal(queue.add(5_000, 4_940), 0);
  assert.equal(queue.add(5_020, 5_050), 0);
});

test('a longer way is the usual one after ten seconds', () => {
  const queue = new QueueDelay();
  for (let atMs = 0; atMs < 5_000; atMs += 20) queue.add(atMs, atMs + 30);
  let delayMs = 0;
  for (let atMs = 5_000; atMs < 20_000; atMs += 20) {
    delayMs = queue.add(atMs, atMs + 90);
    if (atMs < 13_000) assert.equal(delayMs, 60);
  }
  assert.equal(delayMs, 0);
});

test('after a pause and after a restart there is no usual delay', () => {
  const queue = new QueueDelay();
  queue.add(0, 30);
  assert.equal(queue.add(60_000, 60_900), 0);
  queue.restart();
  assert.equal(queue.add(60_020, 61_900), 0);
});
