import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SoundStore } from '../../../../src/audio/playout/sound-store.ts';

const into = new Float32Array(5_760 * 2);

/** Keeps a packet whose every sample is `value`, and its negative on the right. */
function keep(store: SoundStore, samples: number, value: number) {
  const packet = store.blank;
  packet.samples = samples;
  packet.sequence = value;
  store.keep(new Float32Array(samples).fill(value), new Float32Array(samples).fill(-value));
  return packet;
}

describe('the sound store', () => {
  it('gives back what it was given, interleaved, for at least a second', () => {
    const store = new SoundStore();
    const lengths = [120, 480, 960, 5_760, 2_880];
    const kept = [];
    let held = 0;
    for (let i = 0; i < 400; i += 1) {
      const samples = lengths[i % lengths.length] ?? 480;
      kept.push(keep(store, samples, i));
      held += samples;
      while (held > 48_000) held -= kept.shift()?.samples ?? 0;
      for (const packet of kept) {
        assert.ok(store.fetch(packet, into));
        assert.equal(into[0], packet.sequence);
        assert.equal(into[packet.samples * 2 - 1], -packet.sequence);
      }
    }
  });

  it('knows what it has written over', () => {
    const store = new SoundStore();
    const first = keep(store, 480, 1);
    for (let i = 0; i < 13; i += 1) keep(store, 5_760, 2);
    assert.equal(store.fetch(first, into), false);
  });

  it('hands out as many packets as a jitter buffer can hold at once, before one is used again', () => {
    const store = new SoundStore();
    const seen = new Set<unknown>();
    for (let i = 0; i < 1_024; i += 1) seen.add(keep(store, 120, i));
    assert.equal(seen.size, 1_024);
    const blank = store.blank;
    assert.equal(store.blank, blank, 'the same until it is kept');
  });
});
