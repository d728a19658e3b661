import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addChirp,
  calibrationClip,
  calibrationFormat,
  chirpSamples,
  drawMarker,
} from '../../../src/media/calibration-clip.ts';
import { drawCard } from '../../../src/media/segments/card.ts';
import { checkSegment } from '../../../src/media/segments/segment.ts';

/** Level of 1,800 Hz in one channel, by Goertzel's recurrence; 1 is a full sine of that amplitude. */
function goertzel(samples: readonly number[], hz = 1_800): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / 48_000);
  let [last, before] = [0, 0];
  for (const sample of samples) [last, before] = [sample + coefficient * last - before, last];
  const power = last * last + before * before - coefficient * last * before;
  return (2 * Math.sqrt(Math.max(power, 0))) / samples.length;
}

function channel(pcm: Int16Array, from: number, samples: number, side = 0): number[] {
  return Array.from({ length: samples }, (_, i) => pcm[(from + i) * 2 + side] ?? 0);
}

/** As the browser sees it: R, B > 180 and G < 100. */
function isMagenta(picture: Buffer, width: number, x: number, y: number): boolean {
  const [red = 0, green = 0, blue = 0] = picture.subarray((y * width + x) * 3);
  return red > 180 && blue > 180 && green < 100;
}

test('REFERENCE 1b: Calibration: a magenta block in the top-left fifth (at least 48 px) over two frames', () => {
  for (const [width, height, right, bottom] of [
    [640, 360, 128, 72],
    [1_280, 720, 256, 144],
    [100, 90, 48, 48],
    [32, 32, 32, 32],
  ] as const) {
    const clip = calibrationClip({
      ...{ marker: 3, epoch: 2 },
      format: { width, height, framesPerSecond: 25 },
    });
    checkSegment(clip);
    const flashes = clip.pictures.map((picture) => isMagenta(picture, width, 0, 0));
    assert.deepEqual(
      flashes.flatMap((is, i) => (is ? [i] : [])),
      [12, 13],
    );
    assert.deepEqual(clip.marker, { id: 3, picture: 12 });
    const flash = clip.pictures[12] ?? Buffer.alloc(0);
    assert.ok(isMagenta(flash, width, right - 1, bottom - 1));
    if (right < width) assert.ok(!isMagenta(flash, width, right, 0));
    if (bottom < height) assert.ok(!isMagenta(flash, width, 0, bottom));
    assert.ok(clip.pictures.every((picture) => picture.length === width * height * 3));
  }
});

test('REFERENCE 1b: an 1800 Hz chirp of the same length (at least 60 ms, 5 ms fades, amplitude 22000)', () => {
  for (const [framesPerSecond, ms] of [
    [25, 80],
    [30, 1_000 / 15],
    [60, 60],
    [10, 200],
  ] as const) {
    const clip = calibrationClip({
      ...{ marker: 1, epoch: 1 },
      format: { ...calibrationFormat, framesPerSecond },
    });
    const samples = chirpSamples(framesPerSecond);
    assert.ok(Math.abs(samples / 48 - ms) < 0.02);
    const begin = Math.round((Math.floor(clip.pictures.length / 2) * 48_000) / framesPerSecond);
    // From the first sample of the first flash, and nothing before or after.
    assert.equal(
      channel(clip.pcm, 0, begin).findLastIndex((x) => x !== 0),
      -1,
    );
    const end = begin + samples;
    assert.ok(channel(clip.pcm, end, clip.pcm.length / 2 - end).every((x) => x === 0));
    for (const side of [0, 1]) {
      const middle = channel(clip.pcm, begin + 240, samples - 480, side);
      assert.ok(Math.abs(goertzel(middle) - 22_000) < 250, `${goertzel(middle)}`);
      assert.ok(goertzel(middle, 900) < 800 && goertzel(middle, 3_600) < 800);
      assert.ok(Math.max(...middle) <= 22_000 && Math.max(...middle) > 21_900);
    }
    // It rises and falls within 5 ms: half way up after half of it, and no step at either end.
    const rise = channel(clip.pcm, begin, 240);
    assert.ok(Math.max(...rise.slice(0, 48).map(Math.abs)) < 22_000 * 0.21);
    assert.ok(Math.max(...rise.slice(192).map(Math.abs)) > 22_000 * 0.8);
    assert.ok(Math.abs(clip.pcm[2 * (end - 1)] ?? 0) < 22_000 * 0.01);
  }
});

test('REFERENCE 1b: the chirp is added saturating', () => {
  fc.assert(
    fc.property(fc.int16Array({ minLength: 2, maxLength: 8_000 }), fc.nat(1_000), (pcm, from) => {
      const sound = pcm.subarray(0, pcm.length - (pcm.length % 2));
      const before = Int16Array.from(sound);
      addChirp(sound, { from, framesPerSecond: 60 });
      for (const [i, value] of sound.entries()) {
        const sample = Math.floor(i / 2) - from;
        const isChirp = sample >= 0 && sample < chirpSamples(60);
        if (!isChirp) assert.equal(value, before[i]);
        // What wraps around would change its sign and land far from where it was.
        assert.ok(Math.abs(value - (before[i] ?? 0)) <= 22_000);
      }
    }),
  );
  const loud = new Int16Array(2 * 2_880).fill(32_000);
  addChirp(loud, { from: 0, framesPerSecond: 60 });
  assert.equal(Math.max(...loud), 32_767);
  const low = new Int16Array(2 * 2_880).fill(-32_000);
  addChirp(low, { from: 0, framesPerSecond: 60 });
  assert.equal(Math.min(...low), -32_768);
});

test('it is drawn over the picture and the sound that are given, which stay as they are', () => {
  const { width, height } = calibrationFormat;
  const background = Buffer.alloc(width * height * 3, 77);
  const pcm = new Int16Array(96_000).fill(100);
  const clip = calibrationClip({
    ...{ marker: 1, epoch: 1, format: calibrationFormat, background, pcm },
  });
  assert.ok(background.every((value) => value === 77));
  assert.ok(pcm.every((value) => value === 100));
  assert.equal(clip.pictures[0], background);
  const flash = clip.pictures[12] ?? Buffer.alloc(0);
  assert.equal(flash.at(-1), 77);
  assert.equal(clip.pcm[0], 100);
});

test('the card has its words in the middle, light on dark, and no magenta', () => {
  const [width, height] = [320, 180];
  const card = drawCard({ width, height, lines: ['No signal', 'HDMI 1/2: 0-9,.'] });
  const lit = (x: number, y: number): boolean => (card[(y * width + x) * 3] ?? 0) > 128;
  const points = Array.from({ length: width * height }, (_, i) => [
    i % width,
    Math.floor(i / width),
  ]);
  const words = points.filter(([x = 0, y = 0]) => lit(x, y));
  const xs = words.map(([x = 0]) => x);
  const ys = words.map(([, y = 0]) => y);
  assert.ok(words.length > 500 && words.length < (width * height) / 4);
  assert.ok(Math.abs(Math.min(...xs) + Math.max(...xs) - width) < 0.1 * width);
  assert.ok(Math.abs(Math.min(...ys) + Math.max(...ys) - height) < 0.1 * height);
  assert.ok(points.every(([x = 0, y = 0]) => !isMagenta(card, width, x, y)));
  const empty = drawCard({ width, height, lines: [] });
  assert.ok(empty.every((value) => value < 40));
  drawMarker(empty, { width, height });
  assert.ok(isMagenta(empty, width, 63, 47) && !isMagenta(empty, width, 64, 47));
});

test('words that do not fit are cut, at no other place than the edges', () => {
  const card = drawCard({ width: 16, height: 16, lines: ['far too long for this', 'and', 'more'] });
  assert.equal(card.length, 16 * 16 * 3);
});

test('the chirp follows the flash by what is asked for, as far as the clip reaches', () => {
  const firstMs = (soundShiftMs: number): number => {
    const { pcm } = calibrationClip({
      ...{ marker: 1, epoch: 1, format: calibrationFormat, soundShiftMs },
    });
    return pcm.findIndex((sample) => sample !== 0) / 2 / 48;
  };
  const flashMs = firstMs(0);
  for (const shiftMs of [41.5, -120]) {
    assert.ok(Math.abs(firstMs(shiftMs) - flashMs - shiftMs) < 0.1, `${shiftMs}`);
  }
  assert.ok(firstMs(-5_000) < 1);
  assert.ok(firstMs(5_000) < 1_000 - 79);
});
