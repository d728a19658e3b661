import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StderrLines } from '../../../supervisor/stderr-lines.ts';

function linesOf({ maxLineLength = 20, maxLinesPerS = 5 } = {}) {
  const clock = { nowMs: 0 };
  const lines = new StderrLines({ maxLineLength, maxLinesPerS, now: () => clock.nowMs });
  return { clock, lines };
}

describe('StderrLines', () => {
  it('cuts at newlines, wherever the chunks end', () => {
    const { lines } = linesOf();
    assert.deepEqual(lines.push(Buffer.from('one\ntw')), ['one']);
    assert.deepEqual(lines.push(Buffer.from('o\r\n\nthree')), ['two']);
    assert.deepEqual(lines.end(), ['three']);
    assert.deepEqual(lines.end(), []);
  });

  it('keeps characters whole that straddle chunks', () => {
    const bytes = Buffer.from('Tön ♪\n');
    for (let place = 0; place <= bytes.length; place += 1) {
      const { lines } = linesOf();
      const got = [...lines.push(bytes.subarray(0, place)), ...lines.push(bytes.subarray(place))];
      assert.deepEqual(got, ['Tön ♪'], `cut at ${place}`);
    }
  });

  it('cuts long lines and drops their rest', () => {
    const { lines } = linesOf();
    assert.deepEqual(lines.push(Buffer.from(`${'x'.repeat(20)}\n`)), ['x'.repeat(20)]);
    assert.deepEqual(lines.push(Buffer.from(`${'x'.repeat(21)}\n`)), [`${'x'.repeat(20)}…`]);
    for (let chunk = 0; chunk < 1_000; chunk += 1) {
      assert.deepEqual(lines.push(Buffer.alloc(10_000, 'y')), []);
    }
    assert.deepEqual(lines.push(Buffer.from('\nshort\n')), [`${'y'.repeat(20)}…`, 'short']);
  });

  it('hands out so many lines a second and says how many it did not', () => {
    const { clock, lines } = linesOf();
    assert.equal(lines.push(Buffer.from('a\n'.repeat(100))).length, 5);
    clock.nowMs = 999;
    assert.deepEqual(lines.push(Buffer.from('b\n')), []);
    clock.nowMs = 1_000;
    assert.deepEqual(lines.push(Buffer.from('c\n')), ['(96 more lines were not kept)', 'c']);
    assert.equal(lines.push(Buffer.from('d\n'.repeat(10))).length, 4);
    assert.deepEqual(lines.end(), ['(6 more lines were not kept)']);
  });

  it('is bounded whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const { lines } = linesOf();
        const got = chunks.flatMap((chunk) => lines.push(Buffer.from(chunk)));
        got.push(...lines.end());
        assert.ok(got.length <= 6);
        assert.ok(got.every((line) => line.length <= 40 && !line.includes('\n')));
      }),
    );
  });
});
