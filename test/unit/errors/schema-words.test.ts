import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { allowedWords, schemaNode, valueWords } from '../../../src/errors/schema-words.ts';

describe('allowedWords', () => {
  const cases: [v.GenericSchema, string][] = [
    [v.boolean(), 'true or false'],
    [v.optional(v.boolean(), true), 'true or false'],
    [v.number(), 'a number'],
    [v.pipe(v.number(), v.integer()), 'a whole number'],
    [v.pipe(v.number(), v.minValue(5)), 'a number of at least 5'],
    [v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 'a number from 0 to 1'],
    [v.string(), 'a text'],
    [v.pipe(v.string(), v.ip()), 'an IP address'],
    [
      v.pipe(v.string(), v.startsWith('/'), v.maxLength(9)),
      'an absolute path of at most 9 characters',
    ],
    [v.pipe(v.string(), v.regex(/^a/, 'begins with a')), 'a text which begins with a'],
    [v.literal(1), '1'],
    [v.picklist(['a', 'b c', 2]), 'one of a, "b c", 2'],
    [v.array(v.boolean()), 'a list, each true or false'],
    [
      v.pipe(v.array(v.number()), v.minLength(1), v.maxLength(3)),
      'a list from 1 to 3 entries, each a number',
    ],
    [v.strictObject({ a: v.string(), b: v.string() }), 'a map of a, b'],
  ];
  for (const [schema, words] of cases) {
    it(`says “${words}”`, () => assert.equal(allowedWords(schemaNode(schema)), words));
  }
});

describe('valueWords', () => {
  it('quotes text that could be taken for something else', () => {
    assert.equal(valueWords('hw:CARD=x,DEV=0'), 'hw:CARD=x,DEV=0');
    assert.equal(valueWords('80'), '"80"');
    assert.equal(valueWords('true'), '"true"');
    assert.equal(valueWords(80), '80');
    assert.equal(valueWords(undefined), 'undefined');
  });

  it('shortens what is long', () => assert.equal(valueWords('x '.repeat(100)).length, 78));
});
