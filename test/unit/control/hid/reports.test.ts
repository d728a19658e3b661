import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  absoluteReport,
  consumerReport,
  firstPart,
  isStill,
  keyboardReport,
  relativeReport,
  remainder,
  reportBytes,
  systemReport,
} from '../../../../src/control/hid/reports.ts';

describe('reports', () => {
  it('make a boot keyboard report: modifiers, 0, six usages', () => {
    assert.deepEqual([...keyboardReport(0, [])], [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...keyboardReport(0x22, [4, 5])], [0x22, 0, 4, 5, 0, 0, 0, 0]);
    assert.deepEqual([...keyboardReport(1, [4, 5, 6, 7, 8, 9])], [1, 0, 4, 5, 6, 7, 8, 9]);
  });

  it('say ErrorRollOver for more than six keys, with the modifiers', () => {
    assert.deepEqual([...keyboardReport(2, [4, 5, 6, 7, 8, 9, 10])], [2, 0, 1, 1, 1, 1, 1, 1]);
  });

  it('are little-endian, each as long as its kind', () => {
    const relative = relativeReport(5, { dx: -2, dy: 0x102, wheel: -1, pan: 3 });
    assert.deepEqual([...relative], [5, 0xfe, 0xff, 0x02, 0x01, 0xff, 3]);
    const absolute = absoluteReport({ buttons: 3, x: 0x1234, y: 0x7fff });
    assert.deepEqual([...absolute], [3, 0x34, 0x12, 0xff, 0x7f]);
    assert.deepEqual([...consumerReport(0x223)], [0x23, 0x02]);
    assert.deepEqual([...systemReport(0b101)], [5]);
    assert.deepEqual(
      [keyboardReport(0, []), absolute, relative, consumerReport(0), systemReport(0)].map(
        ({ length }) => length,
      ),
      Object.values(reportBytes),
    );
  });

  it('part what one of them cannot hold, without loss', () => {
    let rest = { dx: 70_000, dy: -32_768, wheel: 300, pan: -128 };
    const parts = [];
    while (!isStill(rest)) {
      const part = firstPart(rest);
      parts.push(part);
      rest = remainder(rest, part);
    }
    assert.deepEqual(parts, [
      { dx: 32_767, dy: -32_767, wheel: 127, pan: -127 },
      { dx: 32_767, dy: -1, wheel: 127, pan: -1 },
      { dx: 4_466, dy: 0, wheel: 46, pan: 0 },
    ]);
  });
});
