import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  emptySoundPacket,
  maxPacketSamples,
  SoundRing,
  soundRingBytes,
} from '../../src/web/fast-lane/sound-ring.ts';

test('a thread that reads finds every packet of a thread that writes, whole and in order', async () => {
  const packets = 20_000;
  const buffer = new SharedArrayBuffer(soundRingBytes);
  const worker = new Worker(new URL('../fixtures/ring-writer.ts', import.meta.url), {
    workerData: { buffer, packets },
  });
  const refusals = once(worker, 'message', { signal: AbortSignal.timeout(60_000) });
  const ring = new SoundRing(buffer);
  const packet = emptySoundPacket();
  const left = new Float32Array(maxPacketSamples);
  const right = new Float32Array(maxPacketSamples);
  let faults = 0;
  const endMs = performance.now() + 60_000;
  for (let n = 0; n < packets; ) {
    if (!ring.read(packet, left, right)) {
      assert.ok(performance.now() < endMs, `only ${n} packets came`);
      await turn();
      continue;
    }
    if (packet.sequence !== (n & 0xffff) || packet.samples !== 120 + ((n * 37) % 900)) faults += 1;
    for (let at = 0; at < packet.samples; at += 1) {
      if (left[at] !== n || right[at] !== -n) faults += 1;
    }
    n += 1;
  }
  assert.equal(faults, 0);
  const [dropped] = await refusals;
  assert.equal(typeof dropped, 'number');
  await worker.terminate();
});
