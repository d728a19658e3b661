import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import {
  LiveSegments,
  type SegmentDiagnostic,
  segmentMessage,
} from '../../../../src/media/segments/live-segments.ts';
import { deviceMessageSchema } from '../../../../src/media/signaling-messages.ts';

const second = 1_000_000_000n;

/** Pictures at 25 a second from `fromMs` on; the diagnostics that came. */
function show(segments: LiveSegments, fromMs: number, toMs: number): SegmentDiagnostic[] {
  const told: SegmentDiagnostic[] = [];
  for (let ms = fromMs; ms < toMs; ms += 40) {
    const diagnostic = segments.picture({
      ...{ captureTimeNs: BigInt(ms) * 1_000_000n, audioDelayMs: 160 },
    });
    if (diagnostic !== undefined) told.push(diagnostic);
  }
  return told;
}

test('every two seconds of the live stream are a segment, that begins with a picture', () => {
  const told = show(new LiveSegments(), 0, 6_100);
  assert.deepEqual(
    told.map(({ segment }) => segment),
    [1, 2, 3, 4],
  );
  assert.deepEqual(told[0], {
    ...{ epoch: 1, segment: 1, kind: 'live', audioDelayMs: 160, slipMs: 0 },
  });
});

test('a clip is one segment however long it is, and carries the slip of the one before', () => {
  const segments = new LiveSegments();
  show(segments, 0, 400);
  segments.change('clip');
  segments.noteSlip(35);
  segments.noteSlip(21);
  const clip = show(segments, 400, 6_000);
  segments.change('live');
  const live = show(segments, 6_000, 6_100);
  assert.deepEqual(
    [...clip, ...live].map(({ segment, kind, slipMs }) => [segment, kind, slipMs]),
    [
      [2, 'clip', 35],
      [3, 'live', 0],
    ],
  );
});

test('another epoch begins a segment at once, numbered anew; one that goes back is ignored', () => {
  const segments = new LiveSegments();
  show(segments, 0, 400);
  segments.setEpoch(5);
  segments.setEpoch(4);
  segments.setEpoch(0);
  const [diagnostic] = show(segments, 400, 500);
  assert.deepEqual([diagnostic?.epoch, diagnostic?.segment], [5, 1]);
});

test('sound begins segments where there are no pictures', () => {
  const segments = new LiveSegments();
  const hear = (ns: bigint) => segments.sound({ captureTimeNs: ns, audioDelayMs: 0 });
  assert.equal(hear(0n)?.segment, 1);
  assert.equal(hear(second), undefined);
  assert.equal(hear(2n * second)?.segment, 2);
  show(segments, 2_500, 2_600);
  assert.equal(hear(4n * second), undefined);
  assert.equal(hear(7n * second)?.segment, 3);
});

test('the message fits the protocol, with the RTP time as its viewer sees it', () => {
  const [diagnostic] = show(new LiveSegments(), 0, 10);
  assert.ok(diagnostic !== undefined);
  const seen = segmentMessage(diagnostic, 999);
  assert.equal(seen.video_rtp, 999);
  const silent = segmentMessage(diagnostic, undefined);
  assert.equal(silent.video_rtp, -1);
  for (const message of [seen, silent]) v.parse(deviceMessageSchema, message);
});
