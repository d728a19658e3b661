import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { editDistance, nearest } from '../../../src/errors/nearest.ts';

describe('nearest', () => {
  it('finds a mistyped word', () => {
    assert.equal(nearest('prt', ['port', 'listen']), 'port');
    assert.equal(nearest('LISTEN', ['port', 'listen']), 'listen');
    assert.equal(nearest('perodMs', ['bufferMs', 'periodMs']), 'periodMs');
  });

  it('finds nothing where nothing is close', () => {
    assert.equal(nearest('turbo', ['low', 'medium', 'high', 'ultra', 'custom']), undefined);
    assert.equal(nearest('', ['port']), undefined);
    assert.equal(nearest('port', []), undefined);
  });
});

describe('editDistance', () => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['flaw', 'lawn', 2],
    ['prot', 'port', 1],
    ['ab', 'ba', 1],
  ];
  for (const [a, b, distance] of cases) {
    it(`is ${distance} from "${a}" to "${b}"`, () => assert.equal(editDistance(a, b), distance));
  }
});
