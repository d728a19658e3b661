import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBitrate,
  formatChannels,
  formatCount,
  formatMegabytes,
  formatNumber,
} from '../../../src/web/format.ts';

test('numbers have their decimals, and a dash stands for none', () => {
  assert.equal(formatNumber(12.345, 1), '12.3');
  assert.equal(formatNumber(undefined, 1), '–');
});

test('encoder settings read as people say them', () => {
  assert.equal(formatBitrate({ bitrateBps: 64_000 }), '64 kbps');
  assert.equal(formatBitrate({ bitrateBps: 6_500 }), '6.5 kbps');
  assert.equal(formatChannels({ channels: 1 }), 'Mono');
  assert.equal(formatChannels({ channels: 2 }), 'Stereo');
});

test('large numbers are grouped', () => {
  assert.equal(formatCount(0), '0');
  assert.equal(formatCount(999), '999');
  assert.equal(formatCount(1_234_567), '1\u202f234\u202f567');
  assert.equal(formatMegabytes(41 * 1_048_576), '41 MB');
});
