import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStats } from '../../../src/web/stats.ts';
import { readVideoStats, videoBetween } from '../../../src/web/video-stats.ts';

/** As Chromium 156 has them, of VP8. */
const inbound = {
  type: 'inbound-rtp',
  kind: 'video',
  id: 'IT01V',
  codecId: 'CIT01_96',
  timestamp: 1_000_000,
  bytesReceived: 100_000,
  packetsReceived: 1_000,
  packetsLost: 10,
  jitterBufferDelay: 4,
  jitterBufferEmittedCount: 100,
  totalDecodeTime: 1,
  framesDecoded: 100,
  framesDropped: 2,
  framesPerSecond: 25,
  keyFramesDecoded: 3,
  freezeCount: 1,
  totalFreezesDuration: 0.75,
  pliCount: 4,
  nackCount: 5,
  frameWidth: 1280,
  frameHeight: 720,
};
const codec = { type: 'codec', id: 'CIT01_96', mimeType: 'video/VP8' };

function snapshotOf(change: object) {
  const snapshot = readVideoStats(
    new Map<string, object>([
      ['a', { ...inbound, ...change }],
      ['b', codec],
    ]),
  );
  assert.ok(snapshot);
  return snapshot;
}

test('two reports give the second between them', () => {
  const numbers = videoBetween(
    snapshotOf({}),
    snapshotOf({
      timestamp: 1_001_000,
      bytesReceived: 225_000,
      packetsReceived: 1_090,
      packetsLost: 20,
      jitterBufferDelay: 5.5,
      jitterBufferEmittedCount: 125,
      totalDecodeTime: 1.1,
      framesDecoded: 125,
    }),
  );
  assert.deepEqual(
    { ...numbers, decodeMs: Math.round(numbers.decodeMs ?? 0) },
    {
      codec: 'VP8',
      width: 1280,
      height: 720,
      framesPerSecond: 25,
      bitrateKbps: 1_000,
      jitterBufferMs: 60,
      decodeMs: 4,
      lossPercent: 10,
      framesDecoded: 125,
      framesDropped: 2,
      keyFramesDecoded: 3,
      freezes: 1,
      freezesMs: 750,
      plis: 4,
      nacks: 5,
    },
  );
});

test('the rate is counted where the browser does not say it, and what is not there is undefined', () => {
  const poor = { framesPerSecond: undefined, jitterBufferDelay: undefined, pliCount: 'x' };
  const numbers = videoBetween(
    snapshotOf(poor),
    snapshotOf({ ...poor, timestamp: 1_002_000, framesDecoded: 130, codecId: 'none' }),
  );
  assert.equal(numbers.framesPerSecond, 15);
  assert.deepEqual(
    [numbers.jitterBufferMs, numbers.plis, numbers.codec],
    [undefined, undefined, undefined],
  );
});

test('a report of sound alone has no picture, and one of a picture alone no sound', () => {
  const audio = { type: 'inbound-rtp', kind: 'audio', timestamp: 1 };
  assert.equal(readVideoStats(new Map([['a', audio]])), undefined);
  assert.equal(readStats(new Map([['a', inbound]])), undefined);
});
