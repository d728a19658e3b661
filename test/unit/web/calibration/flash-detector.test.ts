import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FlashDetector, magentaShare } from '../../../../src/web/calibration/flash-detector.ts';

/** A picture of 100 pixels, of which so many are of this colour and the rest are grey. */
function picture(count: number, colour: readonly [number, number, number]): Uint8ClampedArray {
  return Uint8ClampedArray.from({ length: 400 }, (_, at) => {
    if (at % 4 === 3) return 255;
    return at >> 2 < count ? (colour[at % 4] ?? 0) : 128;
  });
}

const magenta = [255, 0, 255] as const;

describe('REFERENCE 1b: calibration: the flash', () => {
  test('REFERENCE 1b: R and B above 180 and G below 100 is magenta', () => {
    for (const [colour, expected] of [
      [[181, 99, 181], 0.4],
      [[180, 99, 181], 0],
      [[181, 100, 181], 0],
      [[181, 99, 180], 0],
      [[255, 255, 255], 0],
    ] as const) {
      assert.equal(magentaShare(picture(40, colour)), expected, colour.join());
    }
    assert.equal(magentaShare(new Uint8ClampedArray(0)), 0);
  });

  test('REFERENCE 1b: more than 35 % magenta is a flash, once for as long as it lasts', () => {
    const detector = new FlashDetector();
    const counts = [0, 35, 36, 100, 100, 20, 36, 0];
    const begins = counts.map((count) => detector.next(picture(count, magenta)));
    assert.deepEqual(begins, [false, false, true, false, false, false, true, false]);
  });

  test('a flash that is there at the first look has no beginning that is known', () => {
    const detector = new FlashDetector();
    const begins = [100, 100, 0, 100].map((count) => detector.next(picture(count, magenta)));
    assert.deepEqual(begins, [false, false, false, true]);
  });
});
