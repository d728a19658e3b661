import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endToEndDelay } from '../../../src/web/delay.ts';
import type { StatsNumbers, StatsSnapshot } from '../../../src/web/stats.ts';

const nowMs = 1_795_246_433_000;
/** The device's clock is 40 minutes behind this browser's. */
const behindMs = 2_400_000;
const ntpEpochMs = 2_208_988_800_000;

const numbers: StatsNumbers = {
  jitterBufferMs: 40,
  lossPercent: 0,
  concealedPercent: 0,
  bitrateKbps: 64,
  playoutMs: 12,
  roundTripMs: 6,
};

const snapshot: StatsSnapshot = {
  timestampMs: nowMs,
  bytesReceived: 0,
  packetsReceived: 0,
  packetsLost: 0,
  jitterBufferDelayS: 0,
  jitterBufferEmitted: 0,
  totalSamples: 0,
  concealedSamples: 0,
  silentConcealedSamples: 0,
  playoutDelayS: 0,
  playoutSamples: 0,
  roundTripMs: 6,
  estimatedPlayoutMs: undefined,
  senderReport: { remoteMs: nowMs - 500 - behindMs, arrivalMs: nowMs - 497 },
};

const encoding = { frameMs: 20, application: 'audio' } as const;
const source = {
  timestamp: nowMs - 10,
  captureTimestamp: nowMs - 10 - 75 - behindMs + ntpEpochMs,
};

test('capture times are compared on the sender’s clock, and playout and lookahead come on top', () => {
  const delay = endToEndDelay({ snapshot, numbers, source, encoding });
  assert.deepEqual(delay, { ms: 75 + 12 + 6.5, method: 'capture-time' });
});

test('without them the playout time after the sender reports serves', () => {
  const delay = endToEndDelay({
    snapshot: { ...snapshot, estimatedPlayoutMs: nowMs - 90 - behindMs },
    numbers,
    source: { timestamp: source.timestamp },
    encoding,
  });
  assert.deepEqual(delay, { ms: 90 + 6.5, method: 'sender-report' });
});

test('without any clock the known parts are added up', () => {
  const poor = { ...snapshot, senderReport: undefined };
  assert.deepEqual(endToEndDelay({ snapshot: poor, numbers, source, encoding }), {
    ms: 20 + 6.5 + 3 + 40 + 12,
    method: 'sum',
  });
  assert.deepEqual(
    endToEndDelay({
      snapshot: poor,
      numbers,
      source,
      encoding: { frameMs: 10, application: 'restricted-lowdelay' },
    }),
    { ms: 10 + 2.5 + 3 + 40 + 12, method: 'sum' },
  );
});

test('clocks that cannot be compared are not believed', () => {
  for (const offMs of [-60_000, 60_000]) {
    const delay = endToEndDelay({
      snapshot,
      numbers,
      source: { ...source, captureTimestamp: source.captureTimestamp + offMs },
      encoding,
    });
    assert.equal(delay?.method, 'sum');
  }
});

test('nothing is said before sound was played', () => {
  const silent = { ...numbers, jitterBufferMs: undefined };
  assert.equal(endToEndDelay({ snapshot, numbers: silent, source, encoding }), undefined);
});
