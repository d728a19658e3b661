import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEarshot } from '../lab/earshot-process.ts';
import { lanesOf, onFastLane, preferLatency } from '../lab/lanes.ts';
import { startStage } from '../lab/stage.ts';
import { faultsText, noiseFaultsDuring, playNoise } from '../lab/steady-noise.ts';

/** The fast lane in a tab that nobody looks at, where a browser lets timers run once a second. */

/** Long enough for a browser to take a tab for one in the background. */
const hiddenMs = 60_000;
/** One packet of Ultra. */
const frameMs = 10;

it('the fast lane sounds on in a tab that another hides', async (t) => {
  const stage = await startStage({ tabbed: true });
  t.after(() => stage.close());
  const noise = await playNoise(stage.host);
  stage.defer(() => noise.stop());
  const earshot = await startEarshot({ card: stage.host });
  stage.defer(() => earshot.stop());
  await earshot.setQuality({ quality: 'ultra' });
  const page = await stage.browser.newPage();
  await preferLatency(page, 'lowest');
  await page.goto(earshot.url);
  await onFastLane(page);
  await lanesOf(
    page,
    'a settled level',
    ({ fastLane: { numbers } }) => (numbers?.received ?? 0) > 300,
  );
  const before = await onFastLane(page);
  assert.ok('cover' in stage.browser);
  const cover = await stage.browser.cover();
  assert.equal(await page.evaluate('document.visibilityState'), 'hidden');
  const { gaps } = await noiseFaultsDuring(stage.desk, () => delay(hiddenMs));
  assert.equal(await page.evaluate('document.visibilityState'), 'hidden');
  const now = await onFastLane(page);
  t.diagnostic(faultsText({ gaps, doubled: [] }));
  t.diagnostic(`underrun +${Math.round(now.underrunMs - before.underrunMs)} ms`);
  // The device sends to those who ask for sound every few seconds, hidden or not.
  assert.ok(now.received - before.received > 0.095 * hiddenMs, `${now.received - before.received}`);
  assert.ok(now.underrunMs - before.underrunMs < 0.005 * hiddenMs);
  assert.ok(gaps.filter(({ ms }) => ms > frameMs).length <= 2, 'what a busy machine may do');
  await cover.close();
  assert.equal(await page.evaluate('document.visibilityState'), 'visible');
  await onFastLane(page);
});
