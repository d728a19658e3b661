import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type AtxLine,
  crc8,
  LineCutter,
  maxLineBytes,
  readLine,
  writeLine,
} from '../../../../src/control/power/atx-lines.ts';

const document = readFileSync(
  new URL('../../../../src/control/power/ATX-PROTOCOL.md', import.meta.url),
  'utf8',
);

/** The lines of `bytes`, and how many were garbage. */
function cut(...parts: readonly (Uint8Array | string)[]) {
  const lines: string[] = [];
  let garbage = 0;
  const cutter = new LineCutter({
    onLine: (text) => lines.push(text),
    onGarbage: () => {
      garbage += 1;
    },
  });
  for (const part of parts) cutter.push(typeof part === 'string' ? Buffer.from(part) : part);
  return { lines, garbage };
}

describe('the lines of the power board', () => {
  it('have the checksum that the protocol names', () => {
    assert.equal(crc8(Buffer.from('123456789')), 0xf4);
    assert.equal(crc8(Buffer.alloc(0)), 0);
  });

  it('are written and read alike', () => {
    const word = fc.stringMatching(/^[\w.,:-]{1,12}$/);
    const id = fc.integer({ min: 1, max: 9_999 });
    const fields = fc.dictionary(
      fc.stringMatching(/^[a-z]\w{0,7}$/),
      fc.stringMatching(/^[\w.,:-]{0,12}$/),
      { maxKeys: 4, noNullPrototype: true },
    );
    const plain = { noNullPrototype: true };
    const line: fc.Arbitrary<AtxLine> = fc.oneof(
      fc.record(
        {
          kind: fc.constant('request' as const),
          id,
          words: fc.array(word, { minLength: 1, maxLength: 4 }),
        },
        plain,
      ),
      fc.record({ kind: fc.constant('done' as const), id, fields }, plain),
      fc.record({ kind: fc.constant('refused' as const), id, word }, plain),
      fc.record({ kind: fc.constant('event' as const), name: word, fields }, plain),
    );
    fc.assert(
      fc.property(line, (one) => {
        const text = writeLine(one);
        assert.ok(text.endsWith('\n'));
        assert.deepEqual(readLine(text.slice(0, -1)), one);
      }),
    );
  });

  it('are not read with one byte of them changed', () => {
    const text = writeLine({ kind: 'request', id: 3, words: ['press', 'power', '200'] }).trimEnd();
    for (let at = 0; at < text.length; at += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const changed = Buffer.from(text, 'latin1');
        if (changed[at] === byte) continue;
        changed[at] = byte;
        assert.equal(readLine(changed.toString('latin1')), undefined, changed.toString('latin1'));
      }
    }
  });

  it('are anything at all without harm', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (parts) => {
        const { lines } = cut(...parts, '\n', writeLine({ kind: 'event', name: 'x', fields: {} }));
        assert.ok(lines.every((text) => text.length <= maxLineBytes));
        assert.deepEqual(readLine(lines.at(-1) ?? ''), { kind: 'event', name: 'x', fields: {} });
        for (const text of lines) readLine(text);
      }),
    );
  });

  it('are none of the protocol in many ways', () => {
    const sum = (body: string): string =>
      `${body}*${crc8(Buffer.from(body)).toString(16).toUpperCase().padStart(2, '0')}`;
    assert.ok(readLine(sum('?1 state')));
    const wrong = ['', '1 state', '?0 state', '?10000 state', '?01 state', '?1', '?1  state'];
    const more = ['=1 yes', '=1 error', '=1 error a b', '=1 ok x', '!', '!led power', '#1 ok'];
    for (const body of [...wrong, ...more]) assert.equal(readLine(sum(body)), undefined, body);
    assert.equal(readLine('?1 state'), undefined);
    assert.equal(readLine('?2 state*7e'), undefined);
  });

  it('are those of ATX-PROTOCOL.md', () => {
    const examples = [...document.matchAll(/^ {4}([?=!].*)$/gm)].map(([, text = '']) => text);
    assert.equal(examples.length, 7);
    for (const text of examples) assert.ok(readLine(text), text);
    assert.ok(document.includes(`at most ${maxLineBytes} bytes`));
  });
});

describe('LineCutter', () => {
  it('cuts lines out of any pieces, without the ends of either kind', () => {
    assert.deepEqual(cut('a\nb', 'c\r\n', '\n\r\nd'), { lines: ['a', 'bc'], garbage: 0 });
  });

  it('drops what is too long, and goes on at the next line', () => {
    const long = 'x'.repeat(maxLineBytes);
    assert.deepEqual(cut(`${long}\n`), { lines: [long], garbage: 0 });
    assert.deepEqual(cut(`${long}y\nnext\n`), { lines: ['next'], garbage: 1 });
    assert.deepEqual(cut('z'.repeat(1_000_000), '\n', 'next\n'), { lines: ['next'], garbage: 1 });
  });

  it('keeps every byte of a line, whatever it is', () => {
    const bytes = Uint8Array.from([0, 255, 128, 10]);
    assert.deepEqual(cut(bytes), { lines: ['\u0000\u00ff\u0080'], garbage: 0 });
  });
});
