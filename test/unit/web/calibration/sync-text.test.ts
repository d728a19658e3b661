import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offsetWords, outcomeWords, summaryOf } from '../../../../src/web/calibration/sync-text.ts';

test('the offset is the median with the farthest of the others, in words', () => {
  assert.deepEqual(summaryOf([40, 90, 42]), { medianMs: 42, spreadMs: 48 });
  assert.deepEqual(summaryOf([10, -30]), { medianMs: -10, spreadMs: 20 });
  assert.equal(summaryOf([]), undefined);
  const words = [42.4, -60, 15, -15].map((medianMs) => offsetWords({ medianMs, spreadMs: 0 }));
  assert.deepEqual(words, [
    'The picture is 42 ms behind the sound.',
    'The picture is 60 ms ahead of the sound.',
    'Picture and sound are together.',
    'Picture and sound are together.',
  ]);
});

test('a run that measured nothing says what was missing', () => {
  const words = [
    [0, 0, 0],
    [0, 3, 0],
    [0, 0, 3],
    [0, 3, 3],
    [8, 0, 0],
    [8, 1, 0],
  ].map(([measured = 0, loneFlashes = 0, loneChirps = 0]) =>
    outcomeWords({ measured, loneFlashes, loneChirps }),
  );
  assert.deepEqual(words, [
    'The device sent neither flash nor chirp.',
    'Flashes were seen, but no chirp was heard.',
    'Chirps were heard, but no flash was seen.',
    'Flashes and chirps came, but further apart than 120 ms.',
    '',
    '1 more had no counterpart within 120 ms.',
  ]);
});
