import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSentStats, sentBetween } from '../../../src/web/sent-stats.ts';

function report(fields: {
  readonly timestamp: number;
  readonly bytesSent: number;
  readonly energy?: number;
  readonly remote?: boolean;
}) {
  const { timestamp, bytesSent, energy, remote = true } = fields;
  const entries: object[] = [
    { type: 'inbound-rtp', kind: 'audio', id: 'I', timestamp },
    {
      type: 'outbound-rtp',
      kind: 'audio',
      id: 'O',
      timestamp,
      bytesSent,
      remoteId: 'R',
      mediaSourceId: 'S',
    },
    { type: 'media-source', id: 'S', totalAudioEnergy: energy },
  ];
  if (remote) {
    entries.push({ type: 'remote-inbound-rtp', id: 'R', fractionLost: 0.05, roundTripTime: 0.012 });
  }
  return readSentStats(entries);
}

function between(before: ReturnType<typeof report>, after: ReturnType<typeof report>) {
  assert.ok(before && after);
  return sentBetween(before, after);
}

test('reads what was sent and what the device says of it', () => {
  const before = report({ timestamp: 1_000, bytesSent: 10_000, energy: 0.5 });
  const after = report({ timestamp: 2_000, bytesSent: 14_000, energy: 0.75 });
  assert.deepEqual(between(before, after), {
    bitrateKbps: 32,
    lossPercent: 5,
    roundTripMs: 12,
    heard: true,
  });
});

test('digital silence is told from sound, and from not knowing', () => {
  const at = (timestamp: number, energy?: number) =>
    report({ timestamp, bytesSent: 0, ...(energy === undefined ? {} : { energy }) });
  assert.equal(between(at(1_000, 0.5), at(2_000, 0.5)).heard, false);
  // Another track begins at nothing.
  assert.equal(between(at(1_000, 0.5), at(2_000, 0)).heard, true);
  assert.equal(between(at(1_000), at(2_000)).heard, undefined);
});

test('before the device has reported, loss and round trip are unknown', () => {
  const before = report({ timestamp: 1_000, bytesSent: 0, remote: false });
  const after = report({ timestamp: 2_000, bytesSent: 1_000, remote: false });
  const numbers = between(before, after);
  assert.equal(numbers.lossPercent, undefined);
  assert.equal(numbers.roundTripMs, undefined);
  assert.equal(numbers.bitrateKbps, 8);
});

test('nothing is sent: nothing is read, and a counter that began anew gives no bitrate', () => {
  assert.equal(readSentStats([{ type: 'inbound-rtp', kind: 'audio', timestamp: 1 }]), undefined);
  const numbers = between(
    report({ timestamp: 1_000, bytesSent: 5_000 }),
    report({ timestamp: 2_000, bytesSent: 0 }),
  );
  assert.equal(numbers.bitrateKbps, undefined);
});
