import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketGroups } from '../../../../src/media/bandwidth/packet-groups.ts';

/** The deltas of packets given as [sent, arrived]. */
function deltas(packets: readonly (readonly [number, number])[]): number[] {
  const groups = new PacketGroups();
  const found: number[] = [];
  for (const [sentMs, arrivedMs] of packets) {
    if (groups.add(sentMs, arrivedMs)) found.push(groups.deltaMs);
  }
  return found;
}

test('packets sent within 5 ms are one group, and its last arrival counts', () => {
  const packets = [
    [0, 50],
    [2, 55],
    [20, 70],
    [25, 82],
    [40, 90],
  ] as const;
  // (82 − 55) − (25 − 2)
  assert.deepEqual(deltas(packets), [4]);
});

test('what was held up and let go together is one group', () => {
  const packets = [
    [0, 50],
    [20, 120],
    [40, 121],
    [60, 122],
    [80, 130],
    [100, 150],
  ] as const;
  // The three that came within 2 ms: (122 − 50) − (60 − 0); then the steps of 20 sent and 8 come.
  assert.deepEqual(deltas(packets), [12, -12]);
});

test('a group sent later that came earlier is left out', () => {
  const packets = [
    [0, 50],
    [20, 90],
    [40, 80],
    [60, 110],
    [80, 130],
    [100, 150],
  ] as const;
  for (const delta of deltas(packets)) assert.ok(Math.abs(delta) <= 20);
});

test('nothing is said over a pause of seconds', () => {
  const packets = [
    [0, 50],
    [20, 70],
    [10_000, 10_050],
    [10_020, 10_070],
    [10_040, 10_090],
  ] as const;
  assert.deepEqual(deltas(packets), [0, 0]);
});

test('a clock set back costs a few groups, not the stream', () => {
  const packets: [number, number][] = [];
  for (let atMs = 0; atMs < 400; atMs += 20) packets.push([atMs, atMs + 50]);
  for (let atMs = 400; atMs < 800; atMs += 20) packets.push([atMs, atMs - 100_000]);
  const found = deltas(packets);
  assert.ok(found.length >= 25);
  for (const delta of found.slice(-10)) assert.equal(delta, 0);
});

test('packets out of the order of sending are left out', () => {
  const groups = new PacketGroups();
  groups.add(100, 150);
  assert.equal(groups.add(50, 160), false);
  groups.add(120, 170);
  groups.add(140, 190);
  assert.equal(groups.deltaMs, 0);
});
