import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readStats, type StatsSnapshot, statsBetween, unixMs } from '../../../src/web/stats.ts';

/** Two reports of Chromium 156, a second apart, of 64 kbps Opus in 20 ms packets. */
const recorded: readonly (readonly Record<string, unknown>[])[] = JSON.parse(
  readFileSync(new URL('../../fixtures/web/chromium-156-stats.json', import.meta.url), 'utf8'),
);

function snapshotOf(entries: readonly unknown[] | undefined): StatsSnapshot {
  const snapshot = readStats(new Map(entries?.map((entry, index) => [index, entry])));
  assert.ok(snapshot);
  return snapshot;
}

const before = snapshotOf(recorded[0]);
const after = snapshotOf(recorded[1]);

function near(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) < 1e-3,
    `${actual} is not ${expected}`,
  );
}

test('two recorded reports give the second between them', () => {
  const numbers = statsBetween(before, after);
  near(numbers.jitterBufferMs, (14_659.2 / 48_960) * 1_000);
  near(numbers.bitrateKbps, (8_211 * 8) / 1_020.040_039);
  near(numbers.playoutMs, 30);
  assert.equal(numbers.lossPercent, 0);
  assert.equal(numbers.concealedPercent, 0);
  assert.equal(numbers.roundTripMs, 1);
});

test('the round trip is that of the pair the transport names, not of another that succeeded', () => {
  const swapped = recorded[1]?.map((entry) =>
    entry['type'] === 'transport'
      ? {
          ...entry,
          selectedCandidatePairId: recorded[1]?.find(
            ({ type, nominated }) => type === 'candidate-pair' && nominated === false,
          )?.['id'],
        }
      : entry,
  );
  assert.equal(snapshotOf(swapped).roundTripMs, 45);
});

test('a browser that marks the pair instead of naming it is read as well', () => {
  const marked = recorded[1]
    ?.filter(({ type }) => type !== 'transport')
    .map((entry) =>
      entry['type'] === 'candidate-pair' ? { ...entry, selected: !entry['nominated'] } : entry,
    );
  assert.equal(snapshotOf(marked).roundTripMs, 45);
});

test('the sender report is read from the stream it belongs to', () => {
  assert.deepEqual(after.senderReport, {
    remoteMs: 1_795_246_429_526.334,
    arrivalMs: 1_795_246_429_526.924,
  });
  const other = recorded[1]?.map((entry) =>
    entry['type'] === 'remote-outbound-rtp' ? { ...entry, id: 'another' } : entry,
  );
  assert.equal(snapshotOf(other).senderReport, undefined);
});

test('loss and concealment are shares of what was expected and played', () => {
  const worse: StatsSnapshot = {
    ...after,
    packetsLost: before.packetsLost + 17,
    concealedSamples: 18_312 + 4_896,
    silentConcealedSamples: 2_448,
  };
  const numbers = statsBetween(before, worse);
  near(numbers.lossPercent, (17 / (17 + 51)) * 100);
  near(numbers.concealedPercent, 5);
});

test('a loss counter that falls, since a late packet came after all, reads as none lost', () => {
  const numbers = statsBetween({ ...before, packetsLost: 3 }, { ...after, packetsLost: 1 });
  assert.equal(numbers.lossPercent, 0);
});

test('what the browser does not give is undefined', () => {
  const poor = recorded.map((entries) =>
    entries
      .filter(({ type }) => type === 'inbound-rtp')
      .map(({ type, kind, timestamp, bytesReceived, packetsReceived, packetsLost }) => ({
        ...{ type, kind, timestamp, bytesReceived, packetsReceived, packetsLost },
      })),
  );
  const numbers = statsBetween(snapshotOf(poor[0]), snapshotOf(poor[1]));
  assert.equal(numbers.jitterBufferMs, undefined);
  assert.equal(numbers.concealedPercent, undefined);
  assert.equal(numbers.playoutMs, undefined);
  assert.equal(numbers.roundTripMs, undefined);
  near(numbers.bitrateKbps, 64.397);
});

test('nothing played in between gives no mean, and no division by zero', () => {
  const numbers = statsBetween(after, after);
  assert.deepEqual(
    [numbers.jitterBufferMs, numbers.lossPercent, numbers.concealedPercent, numbers.bitrateKbps],
    [undefined, undefined, undefined, undefined],
  );
});

test('counters that began anew give nothing rather than negative numbers', () => {
  const numbers = statsBetween(after, before);
  assert.deepEqual(
    [numbers.jitterBufferMs, numbers.lossPercent, numbers.concealedPercent, numbers.bitrateKbps],
    [undefined, undefined, undefined, undefined],
  );
});

test('a report without received sound is none', () => {
  assert.equal(readStats(new Map()), undefined);
  assert.equal(readStats(new Map([['a', null]])), undefined);
  assert.equal(
    readStats(new Map([['a', { type: 'inbound-rtp', kind: 'video', timestamp: 1 }]])),
    undefined,
  );
});

test('times count from 1970, whichever epoch a browser uses', () => {
  assert.equal(unixMs(1_795_246_429_526), 1_795_246_429_526);
  assert.equal(unixMs(1_795_246_429_526 + 2_208_988_800_000), 1_795_246_429_526);
  assert.equal(unixMs(0), undefined);
  assert.equal(unixMs(undefined), undefined);
});
