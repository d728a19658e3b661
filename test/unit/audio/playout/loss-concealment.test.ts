import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LossConcealment } from '../../../../src/audio/playout/loss-concealment.ts';
import { pitchPeriod } from '../../../../src/audio/playout/pitch-period.ts';
import { SoundQueue } from '../../../../src/audio/playout/sound-queue.ts';
import { seededRandom } from '../../../lab/chirp.ts';

const rateHz = 48_000;
type Sound = (sample: number) => number;

/** 440 Hz with harmonics, noise, and a sweep of 300–4,000 Hz in half a second. */
const sounds: Record<'tone' | 'noise' | 'chirp', Sound> = {
  tone: (i) =>
    [0.4, 0.2, 0.1, 0.05].reduce(
      (sum, level, k) => sum + level * Math.sin((2 * Math.PI * 440 * (k + 1) * i) / rateHz),
      0,
    ),
  noise: (() => {
    const random = seededRandom(8);
    const table = Float32Array.from({ length: 48_000 }, () => 0.8 * (random() - 0.5));
    return (i) => table[i % table.length] ?? 0;
  })(),
  chirp: (i) => {
    const t = (i % 24_000) / rateHz;
    return 0.6 * Math.sin(2 * Math.PI * (300 * t + 3_700 * t * t));
  },
};

function append(queue: SoundQueue, samples: number, left: Sound, right: Sound, from: number) {
  queue.makeRoom(samples);
  for (let i = 0; i < samples; i += 1) {
    queue.left[queue.end + i] = left(from + i);
    queue.right[queue.end + i] = right(from + i);
  }
}

/** 100 ms of sound, a hole of `holeMs` filled, and 50 ms of what follows it; from sample 0 on. */
function mended(holeMs: number, left: Sound, right: Sound = left) {
  const queue = new SoundQueue();
  const concealment = new LossConcealment();
  const begins = queue.at;
  const hole = holeMs * 48;
  append(queue, 4_800, left, right, 0);
  concealment.fadeInto(queue.left, queue.right, queue.end, 4_800);
  queue.grow(4_800);
  concealment.begin(queue);
  for (let made = 0; made < hole; made += 120) concealment.extend(queue, 120);
  append(queue, 2_400, left, right, 4_800 + hole);
  concealment.fadeInto(queue.left, queue.right, queue.end, 2_400);
  queue.grow(2_400);
  assert.equal(concealment.active, false);
  const { end } = queue;
  return { left: queue.left.slice(begins, end), right: queue.right.slice(begins, end), hole };
}

function largestStep(pcm: Float32Array, from = 1, to = pcm.length): number {
  let largest = 0;
  for (let i = from; i < to; i += 1) {
    largest = Math.max(largest, Math.abs((pcm[i] ?? 0) - (pcm[i - 1] ?? 0)));
  }
  return largest;
}

function rms(pcm: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += (pcm[i] ?? 0) ** 2;
  return Math.sqrt(sum / (to - from));
}

/** Share of the power, in dB, that lies above `hz`, by a Hann-windowed DFT of 2,048 samples. */
function powerAboveDb(pcm: Float32Array, from: number, hz: number): number {
  const length = 2_048;
  let [above, all] = [0, 0];
  for (let bin = 1; bin < length / 2; bin += 1) {
    let [re, im] = [0, 0];
    for (let i = 0; i < length; i += 1) {
      const x = (pcm[from + i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
      re += x * Math.cos((2 * Math.PI * bin * i) / length);
      im += x * Math.sin((2 * Math.PI * bin * i) / length);
    }
    all += re * re + im * im;
    if ((bin * rateHz) / length > hz) above += re * re + im * im;
  }
  return 10 * Math.log10(above / all);
}

describe('made-up sound', () => {
  for (const [name, sound] of Object.entries(sounds)) {
    for (const holeMs of [5, 10, 20, 60, 120]) {
      it(`has no step that the sound has not: ${name}, ${holeMs} ms`, (t) => {
        const original = Float32Array.from({ length: 4_800 * 3 + holeMs * 48 }, (_, i) => sound(i));
        const { left, hole } = mended(holeMs, sound);
        const most = largestStep(original, 4_800 - 480, 4_800 + holeMs * 48 + 400);
        const step = largestStep(left, 4_800 - 10, 4_800 + hole + 400);
        t.diagnostic(`${step.toFixed(4)} beside ${most.toFixed(4)}`);
        assert.ok(step <= most * 1.02, `${step} beside ${most}`);
      });
    }
  }

  it('stays in a tone’s band', (t) => {
    const { left } = mended(10, sounds.tone);
    const clean = powerAboveDb(left, 2_000, 3_000);
    // Its middle has the hole’s beginning and end in it.
    const found = powerAboveDb(left, 4_800 + 240 - 1_024, 3_000);
    t.diagnostic(`${found.toFixed(1)} dB above 3 kHz beside ${clean.toFixed(1)}`);
    assert.ok(found < -50, `${found} dB`);
    const cut = Float32Array.from(left);
    cut.fill(0, 4_800, 4_800 + 480);
    assert.ok(powerAboveDb(cut, 4_800 + 240 - 1_024, 3_000) > -45, 'the measure sees a hole');
  });

  it('goes on with a tone as it was: 10 ms of 440 Hz are hardly to be told from it', () => {
    const { left } = mended(10, sounds.tone);
    let [signal, noise] = [0, 0];
    for (let i = 4_800; i < 4_800 + 480; i += 1) {
      signal += sounds.tone(i) ** 2;
      noise += ((left[i] ?? 0) - sounds.tone(i)) ** 2;
    }
    assert.ok(10 * Math.log10(signal / noise) > 20, `${10 * Math.log10(signal / noise)} dB`);
  });

  it('fades to silence by 60 ms, and back in', () => {
    const { left, hole } = mended(120, sounds.tone);
    const before = rms(left, 2_400, 4_800);
    assert.ok(rms(left, 4_800, 4_800 + 480) > 0.9 * before);
    assert.ok(rms(left, 4_800 + 1_440, 4_800 + 1_920) < 0.7 * before);
    assert.equal(rms(left, 4_800 + 2_881, 4_800 + hole), 0);
    assert.ok(rms(left, 4_800 + hole, 4_800 + hole + 24) < 0.05 * before);
    assert.ok(rms(left, 4_800 + hole + 192, 4_800 + hole + 1_200) > 0.9 * before);
  });

  it('fades within 5 ms when nothing is to follow', () => {
    const queue = new SoundQueue();
    const concealment = new LossConcealment();
    append(queue, 4_800, sounds.tone, sounds.tone, 0);
    concealment.fadeInto(queue.left, queue.right, queue.end, 4_800);
    queue.grow(4_800);
    concealment.begin(queue);
    concealment.hurry();
    concealment.extend(queue, 480);
    assert.ok(concealment.silent);
    assert.equal(rms(queue.left, queue.end - 239, queue.end), 0);
    assert.ok(
      largestStep(queue.left, queue.end - 490, queue.end) <= largestStep(queue.left) * 1.02,
    );
  });

  it('keeps the channels together, whatever they are to each other', () => {
    const opposite = (i: number) => -sounds.tone(i);
    const { left, right } = mended(20, sounds.tone, opposite);
    for (let i = 0; i < left.length; i += 1) {
      assert.ok(Math.abs((left[i] ?? 0) + (right[i] ?? 0)) < 1e-6);
    }
    assert.ok(rms(left, 4_800, 5_280) > 0.3);
  });

  it('stays silent where it was silent, and before the first sound', () => {
    const queue = new SoundQueue();
    const concealment = new LossConcealment();
    concealment.begin(queue);
    concealment.extend(queue, 960);
    assert.equal(rms(queue.left, queue.at, queue.end), 0);
    const { left } = mended(20, () => 0);
    assert.ok(left.every((sample) => sample === 0));
  });
});

describe('the pitch period', () => {
  for (const hz of [70, 100, 220, 440, 997, 3_000, 7_301]) {
    it(`is a whole number of periods of ${hz} Hz`, () => {
      const tone = Float32Array.from({ length: 2_000 }, (_, i) =>
        Math.sin((2 * Math.PI * hz * i) / rateHz),
      );
      const period = pitchPeriod(tone, tone, 2_000);
      assert.ok(period >= 120 && period <= 720);
      const turns = (period * hz) / rateHz;
      const off = Math.abs(turns - Math.round(turns));
      // Half a sample of the tone at the most.
      assert.ok(off <= (0.5 * hz) / rateHz + 1e-9, `${period} samples: ${turns} periods`);
    });
  }

  it('is the longest where there is none', () => {
    const random = seededRandom(2);
    const noise = Float32Array.from({ length: 2_000 }, () => random() - 0.5);
    assert.equal(pitchPeriod(noise, noise, 2_000), 720);
  });

  it('hears a sound that is in one channel only', () => {
    const tone = Float32Array.from({ length: 2_000 }, (_, i) => Math.sin((2 * Math.PI * i) / 300));
    assert.equal(pitchPeriod(new Float32Array(2_000), tone, 2_000) % 300, 0);
  });
});
