import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentPackets } from '../../../../src/media/bandwidth/sent-packets.ts';

test('a packet is acknowledged once, and its size and time are given', () => {
  const sent = new SentPackets();
  sent.add({ transportSequence: 7, bytes: 1_200, atMs: 3 });
  assert.equal(sent.acknowledge(7), 'new');
  assert.deepEqual([sent.atMs, sent.bytes], [3, 1_200]);
  assert.equal(sent.acknowledge(7), 'repeated');
});

test('what was never sent is unknown: before anything, ahead, behind, and half the circle away', () => {
  const sent = new SentPackets();
  assert.equal(sent.acknowledge(0), 'unknown');
  assert.equal(sent.find(0), false);
  sent.add({ transportSequence: 100, bytes: 1, atMs: 0 });
  for (const sequence of [99, 101, 100 + 0x8000, 0xffff]) {
    assert.equal(sent.acknowledge(sequence), 'unknown');
    assert.equal(sent.find(sequence), false);
  }
});

test('sequence numbers wrap again and again', () => {
  const sent = new SentPackets();
  for (let count = 0; count < 200_000; count += 1) {
    sent.add({ transportSequence: (65_000 + count) & 0xffff, bytes: 1, atMs: count });
    const earlier = count - 4_000;
    if (earlier < 0) continue;
    assert.equal(sent.acknowledge((65_000 + earlier) & 0xffff), 'new');
    assert.equal(sent.atMs, earlier);
  }
});

test('what was sent more than 4,096 packets ago is unknown, and is not the packet in its place', () => {
  const sent = new SentPackets();
  for (let count = 0; count <= 4_096; count += 1) {
    sent.add({ transportSequence: count, bytes: 1, atMs: count });
  }
  assert.equal(sent.acknowledge(0), 'unknown');
  assert.equal(sent.acknowledge(1), 'new');
  assert.equal(sent.acknowledge(4_096), 'new');
});

test('a packet that did not arrive is found until it arrives', () => {
  const sent = new SentPackets();
  sent.add({ transportSequence: 1, bytes: 50, atMs: 9 });
  assert.equal(sent.find(1), true);
  assert.deepEqual([sent.atMs, sent.bytes], [9, 50]);
  assert.equal(sent.acknowledge(1), 'new');
  assert.equal(sent.find(1), false);
});
