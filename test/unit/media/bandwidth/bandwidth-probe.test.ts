import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BandwidthProbe,
  type ProbeResult,
} from '../../../../src/media/bandwidth/bandwidth-probe.ts';

/** Runs a probe of 1 Mbit/s over a path that carries `pathBps`; `padded`: the sender fills it up. */
function probe(pathBps: number, padded = true): ProbeResult | undefined {
  const subject = new BandwidthProbe();
  subject.start(0, 1_000_000);
  let freeMs = 0;
  for (let atMs = 0; atMs < 400; atMs += 10) {
    let bytes = padded ? subject.paddingBytes(atMs) : 100;
    if (atMs >= 300) bytes = 100;
    if (bytes === 0) continue;
    subject.packetSent(bytes, atMs);
    freeMs = Math.max(freeMs, atMs) + (bytes * 8_000) / pathBps;
    subject.acknowledged(atMs, bytes, freeMs + 1e6);
  }
  return subject.finish(400);
}

test('a path that carries it is free', () => {
  const result = probe(5_000_000);
  assert.equal(result?.kind, 'free');
  if (result?.kind === 'free') assert.ok(result.bps > 920_000 && result.bps <= 1_000_000);
});

test('a path that does not is full at what came through', () => {
  const result = probe(700_000);
  assert.equal(result?.kind, 'full');
  if (result?.kind === 'full') assert.ok(Math.abs(result.bps - 700_000) < 50_000, `${result.bps}`);
});

test('nothing is learnt when nobody pads', () => {
  assert.deepEqual(probe(5_000_000, false), { kind: 'nothing' });
});

test('nothing is learnt when nothing is heard', () => {
  const subject = new BandwidthProbe();
  subject.start(0, 1_000_000);
  assert.equal(subject.finish(1_300), undefined);
  assert.deepEqual(subject.finish(1_301), { kind: 'nothing' });
  assert.equal(subject.isRunning, false);
  assert.equal(subject.finish(1_400), undefined);
});

test('one that is ended tells what came through, once that can be told', () => {
  const subject = new BandwidthProbe();
  for (const [lastsMs, bps] of [
    [100, undefined],
    [200, 800_000],
  ] as const) {
    subject.start(0, 1_000_000);
    for (let atMs = 0; atMs <= lastsMs; atMs += 10) subject.acknowledged(atMs, 1_000, atMs + 50);
    assert.equal(subject.cancel(), bps);
    assert.equal(subject.isRunning, false);
  }
});

test('it asks for no more than 6,000 bytes at once, and for nothing after its end', () => {
  const subject = new BandwidthProbe();
  assert.equal(subject.paddingBytes(0), 0);
  subject.start(0, 100_000_000);
  assert.equal(subject.paddingBytes(200), 6_000);
  assert.equal(subject.paddingBytes(300), 0);
  subject.start(1_000, 1_000_000);
  subject.cancel();
  assert.equal(subject.paddingBytes(1_100), 0);
});
