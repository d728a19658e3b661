import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { checkInput, faultSentences } from '../../../src/errors/check-input.ts';

const schema = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(8)),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9)), 5),
  mode: v.optional(v.picklist(['slow', 'fast'])),
  parts: v.optional(v.array(v.strictObject({ size: v.number() }))),
  inner: v.optional(v.strictObject({ token: v.optional(v.pipe(v.string(), v.maxLength(4))) })),
});

function sentences(input: unknown): string {
  const result = checkInput(schema, input);
  assert.ok(!result.ok);
  return faultSentences(result.faults);
}

describe('checkInput', () => {
  it('returns the value with defaults filled in', () => {
    assert.deepEqual(checkInput(schema, { name: 'a' }), {
      ok: true,
      value: { name: 'a', port: 5 },
    });
  });

  const bad: [name: string, input: unknown, sentence: string][] = [
    ['a missing key', {}, 'name: is missing; expected a text of at most 8 characters'],
    [
      'a wrong type',
      { name: 'a', port: '5' },
      'port: "5" is not allowed; expected a whole number from 1 to 9',
    ],
    [
      'a value out of range',
      { name: 'a', port: 10 },
      'port: 10 is not allowed; expected a whole number from 1 to 9',
    ],
    [
      'a fraction',
      { name: 'a', port: 1.5 },
      'port: 1.5 is not allowed; expected a whole number from 1 to 9',
    ],
    [
      'a word not on the list',
      { name: 'a', mode: 'quick' },
      'mode: quick is not allowed; expected one of slow, fast',
    ],
    [
      'an unknown key close to a known one',
      { name: 'a', prot: 1 },
      'prot: unknown key; did you mean port? (there are: name, port, mode, parts, inner)',
    ],
    [
      'an unknown key deep in a list',
      { name: 'a', parts: [{ size: 1 }, { size: 1, colour: 2 }] },
      'parts[1].colour: unknown key (there are: size)',
    ],
    [
      'a list where an object belongs',
      [],
      '[] is not allowed; expected a map of name, port, mode, parts, inner',
    ],
    [
      'nothing at all',
      null,
      'null is not allowed; expected a map of name, port, mode, parts, inner',
    ],
    [
      'a key of Object.prototype',
      JSON.parse('{"name":"a","__proto__":{"port":1}}'),
      '__proto__: unknown key (there are: name, port, mode, parts, inner)',
    ],
  ];
  for (const [name, input, sentence] of bad) {
    it(`says what is wrong with ${name}`, () => assert.equal(sentences(input), sentence));
  }

  it('reports every unknown key, not only the first', () => {
    assert.match(sentences({ name: 'a', x: 1, y: 2 }), /x: unknown key.*\ny: unknown key/);
  });

  it('does not repeat a secret', () => {
    const text = sentences({ name: 'a', inner: { token: 'hunter22' } });
    assert.equal(
      text,
      'inner.token: [redacted] is not allowed; expected a text of at most 4 characters',
    );
  });

  it('does not repeat a secret under an unknown key either', () => {
    const result = checkInput(schema, { name: 'a', password: 'hunter22' });
    assert.ok(!result.ok && !JSON.stringify(result).includes('hunter22'));
  });

  it('bounds what it repeats', () => {
    const result = checkInput(schema, {
      name: 'x'.repeat(9_000),
      ['y'.repeat(9_000)]: ['z'.repeat(9_000)],
    });
    assert.ok(!result.ok && JSON.stringify(result).length < 2_000);
  });

  it('bounds the list of faults', () => {
    const input = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i]));
    const result = checkInput(schema, input);
    assert.ok(!result.ok && result.faults.length === 8);
  });
});
