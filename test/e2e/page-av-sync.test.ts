import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { waitFor } from '../fixtures/wait-for.ts';
import type { ViewerRecord } from './page-lab.ts';
import { type PageStage, startPageStage } from './page-stage.ts';
import { look, sent } from './page-visit.ts';

/** What the page tells the device of a picture that is late. */

let stage: PageStage;

before(async () => {
  stage = await startPageStage({ picture: true });
});

after(() => stage?.stop());

/** Names segments, one each 500 ms, until the function returned is called. */
function nameSegments({ viewer }: ViewerRecord): () => void {
  let segment = 0;
  const timer = setInterval(() => {
    segment += 1;
    viewer.send({
      type: 'av_segment_diagnostic',
      epoch: 3,
      segment,
      kind: 'live',
      video_rtp: -1,
      audio_delay_ms: 0,
      slip_ms: 0,
    });
  }, 500);
  return () => clearInterval(timer);
}

test('REFERENCE 1b: a picture that is late is told, and a poisoned path is built anew', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    await waitFor(
      'the picture',
      async () => (await look(page, 'video?.numbers?.framesDecoded')) !== undefined,
    );
    const stop = nameSegments(viewer);
    try {
      await waitFor('a measured segment', async () => {
        const deltaMs = await look(page, 'video.deltaMs');
        return typeof deltaMs === 'number';
      });
      assert.equal(sent(viewer, 'av_sync_feedback'), undefined);
      // The browser itself holds the picture back, which no network here does.
      await page.evaluate(`window.earshot.connection.getReceivers()
        .find(({ track }) => track.kind === 'video').jitterBufferTarget = 900`);
      const feedback = await waitFor('feedback', () => sent(viewer, 'av_sync_feedback'));
      assert.equal(feedback.kind, 'video_late_audio_leads');
      assert.deepEqual([feedback.epoch, feedback.lane], [3, 'track']);
      assert.ok(feedback.segment >= 2);
      assert.ok(feedback.delta_ms >= 220, `${feedback.delta_ms}`);
      const reset = await waitFor('a reset', () => sent(viewer, 'direct_media_reset_request'));
      assert.equal(reset.reason, 'picture and sound went apart');
      await waitFor('another picture', async () => (await look(page, 'video.shown')) === true);
    } finally {
      stop();
    }
  });
});
