import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockText, drawSlate, type RgbPicture, wrap } from '../../../src/video/slate.ts';
import { glyphColumns, glyphRows, glyphs } from '../../../src/video/slate-font.ts';

function brightPixels({ rgb }: RgbPicture): number {
  let bright = 0;
  for (let at = 0; at < rgb.length; at += 3) {
    if ((rgb[at] ?? 0) > 200) bright += 1;
  }
  return bright;
}

test('a slate is dark with some bright letters', () => {
  const picture = drawSlate({ width: 640, height: 360 }, { title: 'No signal', elapsedMs: 0 });
  assert.equal(picture.rgb.length, 640 * 360 * 3);
  assert.deepEqual([...picture.rgb.subarray(0, 3)], [16, 20, 28]);
  const bright = brightPixels(picture);
  assert.ok(bright > 500 && bright < (640 * 360) / 10, `${bright} bright pixels`);
});

test('it is seen to be alive: each picture of a row is another', () => {
  const size = { width: 320, height: 180 };
  const pictures = [0, 500, 1_000, 1_500].map((elapsedMs) =>
    drawSlate(size, { title: 'No signal', elapsedMs }).rgb.toString('latin1'),
  );
  assert.equal(new Set(pictures).size, pictures.length);
});

test('a long reason, a tiny picture and letters without a glyph draw without a fault', () => {
  const title = `Unsupported signal: ${'4096x2160 at 59.94 Hz, '.repeat(20)}€ ${'x'.repeat(300)}`;
  for (const size of [
    { width: 16, height: 16 },
    { width: 2, height: 400 },
    { width: 1_280, height: 720 },
  ]) {
    assert.equal(drawSlate(size, { title, elapsedMs: 1 }).rgb.length, size.width * size.height * 3);
  }
});

test('lines break between words and are no longer than the room', () => {
  assert.deepEqual(wrap('Capture device lost', 14), ['Capture device', 'lost']);
  assert.deepEqual(wrap('abcdefgh', 3), ['abc']);
  assert.deepEqual(wrap('  ', 3), []);
});

test('the running time is minutes and seconds, and hours when there are any', () => {
  assert.equal(clockText(7_999), '0:07');
  assert.equal(clockText(754_000), '12:34');
  assert.equal(clockText(3_723_000), '1:02:03');
});

test('every glyph has its rows, and fits its columns', () => {
  for (const [letter, rows] of Object.entries(glyphs)) {
    assert.equal(rows.length, glyphRows, letter);
    assert.ok(
      rows.every((bits) => bits >= 0 && bits < 1 << glyphColumns),
      letter,
    );
  }
  for (const letter of 'NO SIGNAL UNSUPPORTED CAPTURE DEVICE LOST 0123456789:'.replaceAll(
    ' ',
    '',
  )) {
    assert.ok(letter in glyphs, letter);
  }
});
