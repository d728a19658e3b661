import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import * as v from 'valibot';
import { waitFor } from '../fixtures/wait-for.ts';
import { type PageStage, startPageStage } from './page-stage.ts';
import { look, lowContrast } from './page-visit.ts';

/** The page with a picture, of a host that stands in for the device behind the real signaling. */

const videoSchema = v.object({
  shown: v.boolean(),
  stillMs: v.number(),
  audioDelayMs: v.optional(v.number()),
  numbers: v.object({
    width: v.number(),
    height: v.number(),
    framesPerSecond: v.number(),
    bitrateKbps: v.number(),
    framesDecoded: v.number(),
    codec: v.string(),
  }),
});

let stage: PageStage;

before(async () => {
  stage = await startPageStage({ picture: true });
});

after(() => stage?.stop());

/** What the page measured of the picture, once it did. */
function measured(page: Page): Promise<v.InferOutput<typeof videoSchema>> {
  return waitFor('numbers of the picture', async () => {
    const video = v.safeParse(
      videoSchema,
      await page.evaluate(
        'window.earshot?.video && { ...window.earshot.video, element: undefined }',
      ),
    );
    return video.success && video.output.numbers.framesPerSecond > 0 ? video.output : undefined;
  });
}

test('the picture is shown at the top, with what it is', async () => {
  await stage.visit(async (page) => {
    await stage.playing(page);
    const { numbers } = await measured(page);
    assert.deepEqual([numbers.width, numbers.height], [640, 360]);
    assert.ok(numbers.framesDecoded > 5);
    const area = page.getByRole('region', { name: 'The host’s picture' });
    await area.getByText(/640×360 · \d+ fps · \d+ kbps · VP8/).waitFor();
    const video = area.locator('video');
    assert.deepEqual(
      await video.evaluate((element: HTMLVideoElement) => ({
        muted: element.muted,
        inline: element.playsInline,
        width: element.videoWidth,
        sounds:
          element.srcObject instanceof MediaStream && element.srcObject.getAudioTracks().length,
      })),
      { muted: true, inline: true, width: 640, sounds: 0 },
    );
    await area.getByRole('combobox', { name: 'Size' }).selectOption('actual');
    assert.equal((await video.boundingBox())?.width, 640);
    await area.getByRole('combobox', { name: 'Size' }).selectOption('fit');
    assert.ok(((await video.boundingBox())?.width ?? 0) > 1_000);
    await page.getByText('Picture so far').waitFor();
    assert.deepEqual(await page.evaluate(lowContrast), []);
    const again = page.waitForEvent('websocket', (socket) => socket.url().endsWith('?sync=1'));
    await page.getByRole('checkbox', { name: 'Keep the sound in step' }).check();
    await again;
    await page.getByText('The sound is kept in step with the picture.').waitFor();
    await measured(page);
  });
});

/** Presses the button, and gives the offset that the card then says. */
async function checkSync(page: Page): Promise<number> {
  const card = page.getByRole('region', { name: 'Sync' });
  await card.getByRole('button', { name: 'Check sync' }).click();
  await card.getByRole('button', { name: /Checking/ }).waitFor();
  await card.getByRole('button', { name: 'Check sync' }).waitFor();
  const words = (await card.locator('strong').textContent()) ?? '';
  const offsets = v.parse(
    v.array(v.object({ offsetMs: v.number() })),
    await look(page, 'video.check.offsets'),
  );
  assert.equal(offsets.length, 8, (await card.textContent()) ?? '');
  const medianMs = offsets.map(({ offsetMs }) => offsetMs).toSorted((a, b) => a - b)[4] ?? 0;
  assert.match(
    words,
    Math.abs(medianMs) > 20
      ? new RegExp(`is \\d+ ms ${medianMs > 0 ? 'behind' : 'ahead of'} the sound`)
      : /./,
  );
  return medianMs;
}

test('the check of sync follows what the host does, over a connection', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    await measured(page);
    const offsets: number[] = [];
    for (const flashLateMs of [0, 60]) {
      await stage.lab.showPicture({ flashLateMs });
      offsets.push(await checkSync(page));
    }
    const [base = Number.NaN, late = Number.NaN] = offsets;
    // By how much is proved without a network in between, whose buffers change meanwhile (sync-check-chromium.test.ts).
    assert.ok(late > base, `${offsets}`);
    const results = viewer.received.filter(({ type }) => type === 'av_calibration_result');
    assert.equal(results.length, 16);
    await page.getByRole('img', { name: '16 offsets measured' }).waitFor();
    viewer.viewer.send({
      type: 'av_segment_diagnostic',
      epoch: 1,
      segment: 1,
      kind: 'live',
      video_rtp: -1,
      audio_delay_ms: 40,
      slip_ms: 0,
    });
    await page.getByText('The device holds the sound back by 40 ms.').waitFor();
  });
});
