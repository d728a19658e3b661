import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { JitterBuffer } from '../../../../src/audio/playout/jitter-buffer.ts';
import { SoundPlayout } from '../../../../src/audio/playout/sound-playout.ts';
import { heapBytes } from '../../../fixtures/heap.ts';
import { GeneratedTrace, network, RecordedPackets } from '../../../fixtures/packet-traces.ts';
import { simulate } from '../../../fixtures/playout-simulator.ts';
import { fitSine } from '../../../fixtures/sine.ts';
import {
  FeedLine,
  type SoundSimulationOptions,
  type SoundSimulationResult,
  simulateSound,
} from '../../../fixtures/sound-simulator.ts';

const rateHz = 48_000;
const packetMs = 10;
/** 440 Hz and harmonics, a whole number of periods in its second. */
const tone = Float32Array.from({ length: rateHz }, (_, i) =>
  [0.4, 0.1, 0.05].reduce(
    (sum, level, k) => sum + level * Math.sin((2 * Math.PI * 440 * (k + 1) * i) / rateHz),
    0,
  ),
);
const toneStep = largestStep(tone);
/** What going over from the tone to itself in any phase adds to its steps: 1.1 in 4 ms, by a cubic. */
const fadeStep = (1.1 * 1.5) / 192;

/** Arrival 2 ms after sending, with normally distributed jitter of 0.5 ms. */
function calm(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.max(0, 2 + 0.5 * normal);
}

function largestStep(pcm: Float32Array): number {
  let largest = 0;
  for (let i = 1; i < pcm.length; i += 1) {
    largest = Math.max(largest, Math.abs((pcm[i] ?? 0) - (pcm[i - 1] ?? 0)));
  }
  return largest;
}

/** Plays the tone, and holds what is to be true on every network: no step that the tone has not, nothing louder. */
function play(options: Omit<SoundSimulationOptions, 'sound'>): SoundSimulationResult {
  const result = simulateSound({ sound: tone, keepFromS: 0, ...options });
  const ratio = rateHz / (options.sampleRate ?? rateHz);
  const step = largestStep(result.heard);
  const most = (toneStep + fadeStep) * ratio;
  assert.ok(step <= most, `a click: ${step} beside ${most}`);
  for (const sample of result.heard) assert.ok(Math.abs(sample) < 0.6);
  return result;
}

function at(result: SoundSimulationResult, second: number) {
  const note = result.notes.find(({ atMs }) => atMs >= second * 1_000) ?? result.notes.at(-1);
  assert.ok(note !== undefined);
  return note;
}

/** Mean of what was noted from one second to another, what is unknown not counted. */
function mean(
  result: SoundSimulationResult,
  what: 'levelMs' | 'targetMs' | 'delayMs',
  fromS = 0,
  toS = Number.POSITIVE_INFINITY,
): number {
  const values = result.notes
    .filter(({ atMs }) => atMs >= fromS * 1_000 && atMs < toS * 1_000)
    .map((note) => note[what])
    .filter((value) => !Number.isNaN(value));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function offTarget(result: SoundSimulationResult, fromS: number): number {
  return result.notes
    .filter(({ atMs }) => atMs >= fromS * 1_000)
    .reduce((most, { levelMs, targetMs }) => Math.max(most, Math.abs(levelMs - targetMs)), 0);
}

function madeUpMs(result: SoundSimulationResult, fromS = 0, toS = Number.POSITIVE_INFINITY) {
  const [before, after] = [at(result, fromS), at(result, toS)];
  return after.concealedMs - before.concealedMs + after.underrunMs - before.underrunMs;
}

describe('the fast lane on a calm network', () => {
  // What the bursts take, 3 ms queued when asked, 4 ms of margin, and the network's jitter (2 σ, in steps).
  for (const [burstFrames, mostTargetMs] of [
    [128, 128 / 48 + 7 + 1.5],
    [512, 512 / 48 + 7 + 1.5],
    [1_024, 1_024 / 48 + 7 + 3],
  ] as const) {
    it(`settles and never runs dry when ${burstFrames} frames are taken at a time`, (t) => {
      const source = new GeneratedTrace({ packetMs, delayMs: calm });
      const result = play({ source, seconds: 600, burstFrames, keepFromS: 590 });
      const targetMs = mean(result, 'targetMs', 60);
      const levelMs = mean(result, 'levelMs', 60);
      t.diagnostic(
        `target ${targetMs.toFixed(2)} ms, level ${levelMs.toFixed(2)} ms, ` +
          `from capture to output ${mean(result, 'delayMs', 60).toFixed(2)} ms`,
      );
      assert.equal(madeUpMs(result, 3), 0);
      assert.ok(targetMs <= mostTargetMs, `${targetMs} ms`);
      assert.ok(Math.abs(levelMs - targetMs) < 0.5);
      assert.ok(offTarget(result, 60) < 3, `${offTarget(result, 60)} ms`);
      assert.ok(Math.abs(result.playout.numbers.driftPpm) < 10);
      const { snrDb } = fitSine(
        Float64Array.from(result.heard).subarray(0, rateHz / 10),
        rateHz,
        440,
      );
      assert.ok(snrDb > 10, 'it is the tone');
    });
  }

  it('begins within its target, faded in', () => {
    const source = new GeneratedTrace({ packetMs, delayMs: calm });
    const result = play({ source, seconds: 1 });
    const first = result.notes.find(({ playing }) => playing);
    assert.ok(first !== undefined && first.atMs < 45, `${first?.atMs} ms`);
    const begins = result.heard.findIndex((sample) => sample !== 0);
    assert.ok(Math.abs(result.heard[begins + 5] ?? 1) < 0.01);
    assert.equal(madeUpMs(result), 0);
  });

  it('gives out the sound as it came', () => {
    const source = new GeneratedTrace({ packetMs, delayMs: calm });
    const { heard } = play({ source, seconds: 30, keepFromS: 25 });
    for (let from = 0; from + 2_400 <= heard.length; from += 2_400) {
      const part = Float64Array.from(heard.subarray(from, from + 2_400));
      assert.ok(Math.abs(fitSine(part, rateHz, 440).amplitude - 0.4) < 0.004);
    }
  });

  it('does so at 44,100 Hz too', () => {
    const source = new GeneratedTrace({ packetMs, delayMs: calm });
    const result = play({ source, seconds: 60, sampleRate: 44_100 });
    assert.equal(madeUpMs(result, 3), 0);
    assert.ok(mean(result, 'targetMs', 20) < (2 * 128) / 44.1 + 6);
    assert.ok(offTarget(result, 20) < 3);
    assert.ok(Math.abs(result.playout.numbers.driftPpm) < 15);
    const second = Float64Array.from(result.heard.subarray(-44_100));
    assert.ok(Math.abs(fitSine(second, 44_100, 440).amplitude - 0.4) < 0.01);
  });
});

describe('the fast lane on a bad network', () => {
  it('jitter of 0–40 ms with overtaking: little made up, and back when it is over', (t) => {
    const delayMs = (random: () => number, sentMs: number) =>
      2 + (sentMs < 60_000 ? 40 * random() : random());
    const feed = new FeedLine();
    const result = play({ source: new GeneratedTrace({ packetMs, delayMs }), seconds: 90, feed });
    const share = madeUpMs(result, 3, 60) / 57_000;
    t.diagnostic(`${(share * 100).toFixed(2)} % made up, target ${at(result, 59).targetMs} ms`);
    assert.ok(share < 0.02, `${share * 100} %`);
    assert.ok(mean(result, 'targetMs', 10, 60) < 40 + 15);
    assert.ok(mean(result, 'levelMs', 80) < 20, `${mean(result, 'levelMs', 80)} ms`);
    assert.equal(madeUpMs(result, 75), 0);
  });

  for (const loss of [0.01, 0.03, 0.05, 0.1]) {
    it(`${loss * 100} % loss: made up for without redundancy, gone with it`, (t) => {
      const trace = { packetMs, delayMs: network.lossy(loss, calm) };
      const without = play({
        source: new GeneratedTrace(trace),
        seconds: 60,
        feed: new FeedLine(),
      });
      const feed = new FeedLine({ redundancy: true });
      const result = play({ source: new GeneratedTrace(trace), seconds: 60, feed });
      t.diagnostic(
        `made up ${madeUpMs(without, 5)} ms without, ${madeUpMs(result, 5)} ms with it, in 55 s; ` +
          `target ${at(without, 50).targetMs.toFixed(1)} and ${at(result, 50).targetMs.toFixed(1)} ms`,
      );
      assert.ok(madeUpMs(without, 5) < loss * 55_000 * 1.5);
      assert.ok(madeUpMs(without, 5) > loss * 55_000 * 0.5);
      // Two in a row are lost beyond redundancy.
      assert.ok(feed.feed.counts.lost < loss * loss * 6_000 * 2 + 4);
      assert.ok(madeUpMs(result, 5) < loss * loss * 55_000 * 2 + 150, `${madeUpMs(result, 5)} ms`);
      assert.ok(result.playout.numbers.levelMs < 30);
    });
  }

  it('bursts of loss: made up, faded, and gone on with at the target', () => {
    const delayMs = (random: () => number, sentMs: number) =>
      sentMs % 3_000 < 80 && sentMs > 200 ? Number.POSITIVE_INFINITY : calm(random);
    const source = new GeneratedTrace({ packetMs, delayMs });
    const result = play({ source, seconds: 60, feed: new FeedLine() });
    assert.ok(madeUpMs(result, 5) < 18 * 80 * 1.4, `${madeUpMs(result, 5)} ms`);
    assert.ok(mean(result, 'levelMs', 10) < 45, `${mean(result, 'levelMs', 10)} ms`);
  });

  it('an outage of 1 s: silence, and afterwards no delay of it', () => {
    const delayMs = network.outage(20_000, 21_000, calm);
    const source = new GeneratedTrace({ packetMs, delayMs, inOrder: true });
    const result = play({ source, seconds: 40, feed: new FeedLine() });
    assert.equal(at(result, 20.9).delayMs, Number.NaN);
    assert.ok(mean(result, 'delayMs', 23) < packetMs + 2 + 25, `${mean(result, 'delayMs', 23)} ms`);
    assert.equal(madeUpMs(result, 22), 0);
  });

  it('recorded packets of a machine that is overloaded', (t) => {
    const source = new RecordedPackets('loaded-10ms');
    const result = play({ source, seconds: source.seconds, feed: new FeedLine() });
    const share = madeUpMs(result, 3) / ((source.seconds - 3) * 1_000);
    t.diagnostic(`${(share * 100).toFixed(2)} % made up`);
    assert.ok(share < 0.03, `${share * 100} %`);
  });
});

describe('the fast lane and its clocks', () => {
  for (const [minutes, driftPpm] of [
    [60, 300],
    [10, -300],
  ] as const) {
    it(`holds the level for ${minutes} min with ${driftPpm} ppm between them`, (t) => {
      const source = new GeneratedTrace({ packetMs, driftPpm, delayMs: calm });
      const seconds = minutes * 60;
      const result = play({ source, seconds, keepFromS: seconds - 5, noteEveryMs: 250 });
      t.diagnostic(
        `drift ${result.playout.numbers.driftPpm.toFixed(1)} ppm, ` +
          `level at most ${offTarget(result, 120).toFixed(2)} ms off target`,
      );
      assert.equal(madeUpMs(result, 3), 0);
      assert.ok(offTarget(result, 120) < 2, `${offTarget(result, 120)} ms`);
      assert.ok(Math.abs(result.playout.numbers.driftPpm - driftPpm) < 10);
      assert.ok(at(result, seconds).stretchedMs - at(result, 120).stretchedMs === 0);
    });
  }

  for (const driftPpm of [300, -300]) {
    it(`and for a day with ${driftPpm} ppm, the sound left out`, (t) => {
      const result = simulate({
        source: new GeneratedTrace({ packetMs, driftPpm, delayMs: calm }),
        ...{ seconds: 24 * 3_600, periodMs: 512 / 48, deviceMs: 0, lowWaterMs: 1_024 / 48 },
        ...{ sampleEveryMs: 200, keepEveryMs: 2_000 },
        buffer: new JitterBuffer<number>({ minTargetMs: 3 }),
      });
      const late = result.samples.filter(({ atMs }) => atMs > 180_000);
      const off = late.reduce(
        (most, { levelMs, targetMs }) => Math.max(most, Math.abs(levelMs - targetMs)),
        0,
      );
      t.diagnostic(
        `drift ${result.drift.driftPpm.toFixed(1)} ppm, at most ${off.toFixed(2)} ms off target, ` +
          `${result.underrunMs} ms bridged`,
      );
      assert.ok(Math.abs(result.drift.driftPpm - driftPpm) < 15);
      assert.ok(off < 4, `${off} ms`);
      assert.ok(result.starvedMs + result.lossMs + result.idleMs === 0);
      assert.ok(result.underrunMs < 60, `${result.underrunMs} ms`);
    });
  }

  it('takes a page that loads, and is slow with its first packets, for no drift', () => {
    const delayMs = (random: () => number, sentMs: number) =>
      calm(random) + Math.max(0, 20 - sentMs / 250);
    const source = new GeneratedTrace({ packetMs, delayMs, inOrder: true });
    const result = play({ source, seconds: 60, burstFrames: 512, keepFromS: 59 });
    const most = Math.max(...result.notes.map(({ driftPpm }) => Math.abs(driftPpm)));
    assert.ok(most < 40, `${most} ppm`);
  });

  it('knows when what is heard was captured, through stretching, loss and drift', () => {
    // A second's position is told by the angle of the two channels.
    const turn = (i: number) => (2 * Math.PI * i) / rateHz;
    const delayMs = (random: () => number, sentMs: number) =>
      random() < 0.02
        ? Number.POSITIVE_INFINITY
        : 2 + (sentMs % 20_000 < 8_000 ? 30 : 1) * random();
    const result = simulateSound({
      source: new GeneratedTrace({ packetMs: 20, driftPpm: 200, delayMs, firstTimestamp: 0 }),
      sound: Float32Array.from({ length: rateHz }, (_, i) => 0.5 * Math.cos(turn(i))),
      rightSound: Float32Array.from({ length: rateHz }, (_, i) => 0.5 * Math.sin(turn(i))),
      ...{ seconds: 60, keepFromS: 2, sampleRate: 44_100 },
    });
    const { numbers } = result.playout;
    assert.ok(numbers.stretchedSamples > 1_000 && numbers.lost > 20);
    let known = 0;
    let right = 0;
    result.capturedMs.forEach((capturedMs, index) => {
      if (Number.isNaN(capturedMs)) return;
      known += 1;
      const x = result.heard[index * 128] ?? 0;
      const y = result.heardRight[index * 128] ?? 0;
      const positionMs = (Math.atan2(y, x) / (2 * Math.PI)) * 1_000;
      const offMs = positionMs - capturedMs * (1 + 200e-6);
      if (Math.abs(offMs - 1_000 * Math.round(offMs / 1_000)) < 1) right += 1;
    });
    assert.ok(known > 0.9 * result.capturedMs.length);
    // The rest is where two places go over into each other.
    assert.ok(right / known > 0.97, `${right} of ${known}`);
  });

  it('an output that was suspended for 2 s: the backlog is not heard', () => {
    const source = new GeneratedTrace({ packetMs, delayMs: calm });
    const result = play({
      source,
      seconds: 20,
      suspendedMs: [10_000, 12_000],
      feed: new FeedLine(),
    });
    const before = mean(result, 'delayMs', 5, 10);
    assert.ok(mean(result, 'delayMs', 12.1, 12.5) < before + 15);
    assert.ok(Math.abs(mean(result, 'delayMs', 15) - before) < 3);
    assert.equal(madeUpMs(result, 12.5), 0);
    assert.ok(result.playout.numbers.dropped > 10);
  });

  it('frames that were never asked for: gone on after them, faded in', () => {
    const playout = new SoundPlayout({ sampleRate: rateHz });
    const left = new Float32Array(128);
    const right = new Float32Array(128);
    let sent = 0;
    const run = (from: number, to: number, lag = 0) => {
      let heard = 0;
      for (let frame = from; frame < to; frame += 128) {
        for (; sent * 480 + 480 <= frame + lag; sent += 1) insert(playout, sent, frame);
        playout.render(left, right, frame);
        heard = Math.max(heard, ...left);
      }
      return heard;
    };
    assert.ok(run(0, 96_000) > 0.4);
    run(96_000, 96_128);
    playout.render(left, right, 110_080);
    assert.ok(Math.abs(left[0] ?? 1) < 0.01, 'faded in');
    assert.ok(run(110_208, 206_208) > 0.4);
    assert.ok(playout.numbers.playing && playout.numbers.levelMs < 30);
    // The counter goes back.
    assert.ok(run(0, 96_000, 206_208) > 0.4);
    assert.ok(playout.numbers.playing && playout.numbers.levelMs < 30);
  });
});

/** A packet of the tone, 10 ms. */
function insert(playout: SoundPlayout, index: number, frame: number): void {
  const from = (index * 480) % rateHz;
  const sound = tone.subarray(from, from + 480);
  playout.insert(
    {
      sequence: index & 0xffff,
      timestamp: (index * 480) >>> 0,
      ...{ samples: 480, captureTimeUs: index * 10_000, heldMs: 0 },
    },
    sound,
    sound,
    frame,
  );
}

describe('the fast lane and its stream', () => {
  it('packet lengths that change under way (a preset is switched)', () => {
    const lengths = [10, 40, 20, 2.5, 60];
    const source = new GeneratedTrace({
      packetMs: (ms) => lengths[Math.floor(ms / 12_000) % lengths.length] ?? 10,
      delayMs: calm,
    });
    const result = play({ source, seconds: 72, feed: new FeedLine() });
    const { lost, late, dropped } = result.playout.numbers;
    assert.deepEqual({ lost, late, dropped }, { lost: 0, late: 0, dropped: 0 });
    // A packet of 40 ms comes 30 ms later than one of 10 did: that has to be bridged, once.
    assert.ok(madeUpMs(result) < (30 + 57.5 + 20) * 1.4, `${madeUpMs(result)} ms`);
    for (const second of [10, 22, 34, 46, 58]) {
      assert.ok(offTarget(result, second) < 60);
    }
  });

  it('wraps of sequence number and timestamp are not heard', () => {
    const source = new GeneratedTrace({
      ...{ packetMs, delayMs: calm, firstSequence: 64_000 },
      firstTimestamp: 0x1_0000_0000 - rateHz * 20,
    });
    const result = play({ source, seconds: 40, feed: new FeedLine() });
    assert.equal(madeUpMs(result), 0);
    assert.equal(result.playout.numbers.lost + result.playout.numbers.late, 0);
  });

  for (const told of [true, false]) {
    it(`another stream, ${told ? 'after a reset' : 'untold'}: fades over, and begins at once`, () => {
      const second = new GeneratedTrace({
        ...{ packetMs, delayMs: calm, firstSequence: 31_000, firstTimestamp: 3_000_000_000 },
      });
      const first = new GeneratedTrace({ packetMs, delayMs: calm, seconds: 10 });
      let offset = 0;
      const result = play({
        source: {
          deliver: (untilMs, to) => {
            first.deliver(untilMs, to);
            if (untilMs < 10_100) return;
            offset = 10_100;
            second.deliver(untilMs - offset, (packet) =>
              to({
                ...packet,
                payload: packet.payload + offset,
                arrivalMs: packet.arrivalMs + offset,
              }),
            );
          },
        },
        seconds: 20,
        before: (nowMs, playout) => {
          if (told && nowMs > 10_050 && nowMs < 10_055) playout.reset();
        },
      });
      assert.equal(at(result, 10.09).delayMs, Number.NaN);
      const again = result.notes.find(({ atMs, delayMs }) => atMs > 10_110 && delayMs > 0);
      assert.ok(again !== undefined && again.atMs < 10_160, `${again?.atMs} ms`);
      assert.ok(mean(result, 'delayMs', 12) < packetMs + 2 + 14);
      assert.equal(madeUpMs(result, 10.2), 0);
    });
  }

  it('reset fades out at once, and stays silent until the next packet', () => {
    const playout = new SoundPlayout({ sampleRate: rateHz });
    const heard = new Float32Array(rateHz);
    const right = new Float32Array(128);
    for (let frame = 0, sent = 0; frame + 128 <= rateHz; frame += 128) {
      for (; sent * 480 + 480 <= Math.min(frame, 24_000); sent += 1) insert(playout, sent, frame);
      if (frame === 24_064) playout.reset();
      playout.render(heard.subarray(frame, frame + 128), right, frame);
    }
    assert.ok(largestStep(heard) <= toneStep * 1.02);
    assert.ok(heard.subarray(23_500, 24_064).some((sample) => sample > 0.4));
    assert.ok(heard.subarray(24_064 + 300).every((sample) => sample === 0));
    assert.equal(playout.numbers.playing, false);
    assert.equal(playout.numbers.underrunSamples, 0);
  });

  it('a pause of the sender (DTX) is silence, and nothing is missing', () => {
    const playout = new SoundPlayout({ sampleRate: rateHz });
    const [left, right] = [new Float32Array(128), new Float32Array(128)];
    let sequence = 0;
    let heardAfter = false;
    // 0.5 s of sound, a packet that announces the pause, 0.7 s of nothing, sound again.
    for (let frame = 0, position = 0; frame < 2 * rateHz; frame += 128) {
      for (; position + 480 <= frame; position += 480) {
        const isDtx = position === 24_000;
        if (position > 24_000 && position < 57_600) continue;
        const sound = isDtx ? new Float32Array(480) : tone.subarray(0, 480);
        const packet = { sequence, timestamp: position, samples: 480, isDtx };
        playout.insert({ ...packet, captureTimeUs: -1, heldMs: 0 }, sound, sound, frame);
        sequence += 1;
      }
      playout.render(left, right, frame);
      if (frame > 60_000) heardAfter ||= left.some((sample) => sample > 0.4);
    }
    assert.ok(heardAfter);
    assert.equal(playout.numbers.underrunSamples, 0);
    assert.equal(playout.numbers.concealedSamples, 0);
    assert.equal(playout.numbers.lost, 0);
  });

  it('refuses what it cannot play, and counts it', () => {
    const playout = new SoundPlayout({ sampleRate: rateHz, maxPacketSamples: 2_880 });
    const pcm = new Float32Array(5_760);
    const good = { sequence: 1, timestamp: 0, samples: 480, captureTimeUs: 0, heldMs: 0 };
    for (const bad of [
      { ...good, samples: 0 },
      { ...good, samples: -1 },
      { ...good, samples: 119 },
      { ...good, samples: 5_760 },
      { ...good, samples: Number.NaN },
      { ...good, heldMs: Number.NaN },
      { ...good, heldMs: -1 },
    ]) {
      playout.insert(bad, pcm, pcm, 0);
    }
    playout.insert(good, pcm.subarray(0, 479), pcm, 0);
    playout.render(pcm, pcm, 0);
    assert.equal(playout.numbers.dropped, 8);
  });

  it('packets from the past and twice: counted, not heard', () => {
    const source = new GeneratedTrace({ packetMs, delayMs: calm, duplicateShare: 0.2 });
    const result = play({
      source,
      seconds: 20,
      before: (nowMs, playout) => {
        if (nowMs > 10_000 && nowMs < 10_100) {
          const pcm = new Float32Array(480);
          const old = { sequence: 1_500, timestamp: 50_000 + 500 * 480, samples: 480 };
          playout.insert({ ...old, captureTimeUs: 0, heldMs: 0 }, pcm, pcm, 0);
        }
      },
    });
    assert.equal(madeUpMs(result), 0);
    assert.equal(result.playout.numbers.lost, 0);
  });

  it('holds no more than half a second, whatever comes', () => {
    const playout = new SoundPlayout({ sampleRate: rateHz });
    const [left, right] = [new Float32Array(128), new Float32Array(128)];
    for (let index = 0; index < 5_000; index += 1) insert(playout, index, 0);
    playout.render(left, right, 0);
    assert.ok(playout.numbers.dropped >= 4_900);
    for (let frame = 128, sent = 5_000; frame < 96_000; frame += 128) {
      for (; (sent - 5_000) * 480 + 480 <= frame; sent += 1) insert(playout, sent, frame);
      playout.render(left, right, frame);
    }
    assert.ok(playout.numbers.playing && playout.numbers.levelMs < 15);
  });

  it('fills quanta of any length', () => {
    const playout = new SoundPlayout({ sampleRate: rateHz });
    const heard = new Float32Array(96_000);
    const right = new Float32Array(4_000);
    const sizes = [128, 1, 1_024, 333, 4_000, 256];
    let sent = 0;
    let frame = 0;
    for (let turn = 0; frame <= heard.length - 4_000; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 128;
      for (; sent * 480 + 480 <= frame; sent += 1) insert(playout, sent, frame);
      playout.render(heard.subarray(frame, frame + size), right.subarray(0, size), frame);
      frame += size;
    }
    assert.ok(largestStep(heard.subarray(0, frame)) <= toneStep + fadeStep);
    assert.ok(playout.numbers.playing);
    assert.ok(playout.numbers.underrunSamples < 4_800 * 2);
  });
});

describe('what the fast lane costs', () => {
  /** Seconds for so many quanta, a packet every 10 ms, one in `lossEvery` lost. */
  function quanta(playout: SoundPlayout, from: number, count: number, lossEvery: number): number {
    const [left, right] = [new Float32Array(128), new Float32Array(128)];
    const packet = { sequence: 0, timestamp: 0, samples: 480, captureTimeUs: 0, heldMs: 0 };
    const sound = tone.subarray(0, 480);
    const began = performance.now();
    for (let quantum = from; quantum < from + count; quantum += 1) {
      const frame = quantum * 128;
      const sent = Math.floor(frame / 480);
      if (frame % 480 < 128 && sent % lossEvery !== 0) {
        packet.sequence = sent & 0xffff;
        packet.timestamp = (sent * 480) >>> 0;
        packet.captureTimeUs = sent * 10_000;
        playout.insert(packet, sound, sound, frame);
      }
      playout.render(left, right, frame);
    }
    return (performance.now() - began) / 1_000;
  }

  it('far less than a quantum’s time, and no memory', (t: TestContext) => {
    const playout = new SoundPlayout({ sampleRate: rateHz });
    quanta(playout, 0, 50_000, 20);
    const before = heapBytes();
    const seconds = quanta(playout, 50_000, 100_000, 20);
    const grown = heapBytes() - before;
    t.diagnostic(`${(seconds * 10).toFixed(1)} µs a quantum, heap ${grown} bytes larger`);
    assert.ok(grown < 200_000, `${grown} bytes`);
    // A quantum lasts 2,667 µs; bounded for a machine that is busy with other tests.
    assert.ok(seconds * 10 < 267, `${seconds * 10} µs`);
  });
});
