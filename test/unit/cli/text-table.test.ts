import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bytesText,
  colour,
  countText,
  durationText,
  printable,
  textFields,
  textTable,
} from '../../../src/cli/text-table.ts';

describe('textTable', () => {
  it('pads columns and leaves no trailing blanks', () => {
    const text = textTable(
      ['A', 'LONG', 'C'],
      [
        ['wide one', 'x', ''],
        ['', 'y', 'z'],
      ],
    );
    assert.equal(text, 'A         LONG  C\nwide one  x\n          y     z\n');
  });

  it('shows control characters of a cell instead of obeying them', () => {
    assert.equal(textTable(['A'], [['\u001b[2Jx\n']]), 'A\n?[2Jx?\n');
  });
});

describe('words for people', () => {
  it('durations', () => {
    assert.equal(durationText(0), '0 ms');
    assert.equal(durationText(999), '999 ms');
    assert.equal(durationText(1_000), '1.0 s');
    assert.equal(durationText(59_949), '59.9 s');
    assert.equal(durationText(60_000), '1 min 0 s');
    assert.equal(durationText(3_725_000), '1 h 2 min');
    assert.equal(durationText(90_000_000), '1 d 1 h');
  });

  it('bytes', () => {
    assert.equal(bytesText(0), '0 B');
    assert.equal(bytesText(1_536), '1.5 KiB');
    assert.equal(bytesText(41 * 1024 ** 2), '41.0 MiB');
    assert.equal(bytesText(2 * 1024 ** 3), '2.0 GiB');
  });

  it('counts', () => {
    assert.equal(countText(1, 'xrun'), '1 xrun');
    assert.equal(countText(0, 'xrun'), '0 xruns');
    assert.equal(countText(2, 'child', 'children'), '2 children');
  });

  it('fields', () =>
    assert.equal(
      textFields([
        ['a', '1'],
        ['long', '2'],
      ]),
      'a     1\nlong  2\n',
    ));

  it('printable text', () => assert.equal(printable('a\u001b\u0007\u009bé'), 'a???é'));
});

describe('colour', () => {
  const io = (isTTY: boolean, env: Record<string, string>) => ({
    stdout: { write: () => true, isTTY },
    stderr: { write: () => true },
    env,
  });

  it('is used on a terminal only', () => {
    assert.equal(colour(io(true, {}), 'red', 'x'), '\u001b[31mx\u001b[0m');
    assert.equal(colour(io(false, {}), 'red', 'x'), 'x');
  });

  it('is not used when NO_COLOR says so, and an empty one says nothing', () => {
    assert.equal(colour(io(true, { NO_COLOR: '1' }), 'red', 'x'), 'x');
    assert.equal(colour(io(true, { TERM: 'dumb' }), 'red', 'x'), 'x');
    assert.equal(colour(io(true, { NO_COLOR: '' }), 'red', 'x'), '\u001b[31mx\u001b[0m');
  });
});
