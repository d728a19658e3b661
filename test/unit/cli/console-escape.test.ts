import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConsoleEscape, escapeByte } from '../../../src/cli/console-escape.ts';

/** What the pieces mean, as words: `abc`, `<break>`, `!x` for an unknown key. */
function read(...pieces: readonly string[]): string[] {
  const reader = new ConsoleEscape(0x1d);
  return pieces
    .flatMap((piece) => reader.read(Buffer.from(piece, 'latin1')))
    .map((input) => {
      if ('bytes' in input) return Buffer.from(input.bytes).toString('latin1');
      return 'action' in input ? `<${input.action}>` : `!${input.unknown}`;
    });
}

describe('ConsoleEscape', () => {
  it('leaves everything else alone', () => {
    assert.deepEqual(read('abc', '~.\x03\x04\x1b[A\xff'), ['abc', '~.\x03\x04\x1b[A\xff']);
    assert.deepEqual(read(''), []);
  });

  it('takes out the escape key and the key after it, however they come', () => {
    assert.deepEqual(read('ab\x1d.cd'), ['ab', '<detach>', 'cd']);
    assert.deepEqual(read('ab\x1d', 'Bcd'), ['ab', '<break>', 'cd']);
    assert.deepEqual(read('\x1dt\x1d?'), ['<takeover>', '<help>']);
    assert.deepEqual(read('\x1dxy'), ['!x', 'y']);
  });

  it('sends the escape key when it is typed twice', () => {
    assert.deepEqual(read('a\x1d\x1db'), ['a', '\x1db']);
    assert.deepEqual(read('\x1d', '\x1d', '\x1d', '.'), ['\x1d', '<detach>']);
    assert.deepEqual(read('\x1d\x1d\x1d.'), ['\x1d', '<detach>']);
  });
});

describe('escapeByte', () => {
  it('reads control keys', () => {
    assert.deepEqual(
      ['^]', '^a', '^A', '^Z', '^[', '^_', '^\\'].map(escapeByte),
      [29, 1, 1, 26, 27, 31, 28],
    );
  });

  it('refuses everything else', () => {
    for (const text of ['', '^', '~', ']', '^1', '^^]', 'ctrl-a', '^@']) {
      assert.throws(() => escapeByte(text), { code: 'CLI_USAGE' }, text);
    }
  });
});
