import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  emptySoundPacket,
  maxPacketSamples,
  SoundRing,
  soundRingBytes,
} from '../../../../src/web/fast-lane/sound-ring.ts';

function pair(): { readonly writer: SoundRing; readonly reader: SoundRing } {
  const buffer = new SharedArrayBuffer(soundRingBytes);
  return { writer: new SoundRing(buffer), reader: new SoundRing(buffer) };
}

function packetOf(sequence: number, samples: number) {
  const captureTimeUs = 14_211_994_905_276.375 + sequence;
  const flags = { isDtx: sequence % 2 === 1, isCopy: sequence % 3 === 0, begins: true };
  return { sequence, timestamp: 4_294_967_290, samples, captureTimeUs, heldMs: 1.5, ...flags };
}

const left = new Float32Array(maxPacketSamples);
const right = new Float32Array(maxPacketSamples);

test('a packet comes out as it went in', () => {
  const { writer, reader } = pair();
  const into = emptySoundPacket();
  assert.equal(reader.read(into, left, right), false);
  const sent = packetOf(65_535, 3);
  assert.equal(writer.write(sent, Float32Array.of(1, 2, 3), Float32Array.of(-1, -2, -3)), true);
  assert.equal(reader.read(into, left, right), true);
  assert.deepEqual(into, sent);
  assert.deepEqual([...left.subarray(0, 3)], [1, 2, 3]);
  assert.deepEqual([...right.subarray(0, 3)], [-1, -2, -3]);
  assert.equal(reader.read(into, left, right), false);
});

test('sound that lies across the end of the memory is whole', () => {
  const { writer, reader } = pair();
  const into = emptySoundPacket();
  const samples = 5_000;
  for (let round = 0; round < 40; round += 1) {
    const sound = Float32Array.from({ length: samples }, (_, n) => round + n / samples);
    assert.equal(writer.write(packetOf(round, samples), sound, sound), true);
    assert.equal(reader.read(into, left, right), true);
    assert.equal(into.sequence, round);
    assert.deepEqual(left.subarray(0, samples), sound);
    assert.deepEqual(right.subarray(0, samples), sound);
  }
  assert.equal(writer.dropped, 0);
});

test('when nobody reads, so much is kept and the rest is dropped and counted', () => {
  const { writer, reader } = pair();
  const sound = new Float32Array(480);
  let kept = 0;
  for (let n = 0; n < 200; n += 1) if (writer.write(packetOf(n, 480), sound, sound)) kept += 1;
  assert.equal(kept, Math.floor(65_536 / 480));
  assert.equal(writer.dropped, 200 - kept);
  const into = emptySoundPacket();
  let read = 0;
  while (reader.read(into, left, right)) {
    assert.equal(into.sequence, read);
    read += 1;
  }
  assert.equal(read, kept);
  assert.equal(writer.write(packetOf(7, 480), sound, sound), true);
});

test('the number of packets is bounded too', () => {
  const { writer } = pair();
  const sound = new Float32Array(1);
  for (let n = 0; n < 1_024; n += 1) assert.equal(writer.write(packetOf(n, 1), sound, sound), true);
  assert.equal(writer.write(packetOf(0, 1), sound, sound), false);
});
