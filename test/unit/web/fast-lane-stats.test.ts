import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FastLaneSnapshot, fastLaneBetween } from '../../../src/web/fast-lane-stats.ts';

const before: FastLaneSnapshot = {
  received: 1_000,
  lost: 10,
  recovered: 20,
  concealedMs: 300,
  underrunMs: 40,
  levelMs: 12,
  bitrateKbps: 128,
  outputLatencyMs: 36,
  roundTripMs: 2,
};

test('a calm second has no loss, and the figures as they are', () => {
  assert.deepEqual(fastLaneBetween(before, { ...before, received: 1_100 }, 1_000), {
    jitterBufferMs: 12,
    lossPercent: 0,
    concealedPercent: 0,
    bitrateKbps: 128,
    playoutMs: 36,
    roundTripMs: 2,
  });
});

test('what redundancy brought back was lost on the way; what was missing counts as concealed', () => {
  const after = {
    ...before,
    received: 1_090,
    lost: 13,
    recovered: 27,
    concealedMs: 320,
    underrunMs: 50,
  };
  const { lossPercent, concealedPercent } = fastLaneBetween(before, after, 1_000);
  assert.deepEqual({ lossPercent, concealedPercent }, { lossPercent: 10, concealedPercent: 3 });
});

test('what is not known is not made up, nor is anything of counters that began again', () => {
  const unknown = { ...before, levelMs: -1, outputLatencyMs: -1, roundTripMs: -1, bitrateKbps: -1 };
  assert.deepEqual(
    fastLaneBetween(before, { ...unknown, lost: 0, recovered: 0, concealedMs: 0 }, 1_000),
    {
      jitterBufferMs: undefined,
      lossPercent: undefined,
      concealedPercent: undefined,
      bitrateKbps: undefined,
      playoutMs: undefined,
      roundTripMs: undefined,
    },
  );
});
