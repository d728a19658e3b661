import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEarshotError } from '../../../../src/errors/earshot-error.ts';
import { checkSegment, type Segment } from '../../../../src/media/segments/segment.ts';
import { clip, segmentBench } from '../../../fixtures/segment-bench.ts';

const refused: readonly (readonly [Partial<Segment>, RegExp])[] = [
  [{ framesPerSecond: 0 }, /^framesPerSecond of the segment is 0; allowed is above 0, at most 120/],
  [{ framesPerSecond: 121 }, /^framesPerSecond of the segment is 121; /],
  [{ framesPerSecond: Number.NaN }, /^framesPerSecond of the segment is NaN; /],
  [{ framesPerSecond: Number.POSITIVE_INFINITY }, /^framesPerSecond of the segment is Infinity; /],
  [{ framesPerSecond: -25 }, /^framesPerSecond /],
  [{ framesPerSecond: 0.1 }, /^pictures of the segment is 100000 ms; allowed is at most 10000 ms/],
  [{ epoch: -1 }, /^epoch of the segment is -1; allowed is a whole number from 0/],
  [{ epoch: Number.NaN }, /^epoch /],
  [{ epoch: 1.5 }, /^epoch /],
  [{ width: 15 }, /^width of the segment is 15; allowed is a whole number from 16 to 4096/],
  [{ height: Number.NaN }, /^height of the segment is NaN; /],
  [{ width: 2_000, height: 2_000 }, /^width × height × 3 of the segment is 12000000; /],
  [
    { width: 17 },
    /^pictures\[0\] of the segment is 768 bytes; allowed is 816 bytes, 17×16 in RGB\.$/,
  ],
  [{ pcm: new Int16Array(3) }, /^pcm of the segment is 3 samples; allowed is an even number/],
  [{ pcm: new Int16Array(960_002) }, /^pcm of the segment is 960002 samples; allowed is at most/],
  [{ pictures: [], pcm: new Int16Array(0) }, /^pictures and pcm of the segment is nothing; /],
  [{ marker: { id: 1, picture: 10 } }, /^marker.picture of the segment is 10; .* 0 to 9\.$/],
  [{ marker: { id: -1, picture: 0 } }, /^marker.id of the segment is -1; /],
];

test('what cannot be is refused with the field, its value and what is allowed', async () => {
  const { pipeline } = segmentBench();
  for (const [wrong, message] of refused) {
    await assert.rejects(
      pipeline.publish(clip(400, wrong)),
      (error) => isEarshotError(error, 'MEDIA_SEGMENT_INVALID') && message.test(error.message),
      `${message}`,
    );
  }
  await assert.rejects(pipeline.publishAudio(new Int16Array(1)), /pcm of the segment is 1 samples/);
  assert.equal(pipeline.epoch, 0);
  await pipeline.close();
});

test('sound needs no picture, and then no rate and no size', () => {
  const none = { framesPerSecond: 0, width: 0, height: 0, pictures: [] };
  checkSegment(clip(400, none));
  checkSegment(clip(400, { pcm: new Int16Array(0) }));
  checkSegment(clip(400, { framesPerSecond: 120 }));
});
