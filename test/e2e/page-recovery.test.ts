import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { waitFor } from '../fixtures/wait-for.ts';
import { ImpairRelay } from '../lab/impair.ts';
import { routeThroughRelay } from '../lab/impaired-page.ts';
import type { PageLab, ViewerRecord } from './page-lab.ts';
import { type PageStage, startPageStage } from './page-stage.ts';
import { look, sent, strip } from './page-visit.ts';

/** What the page does about a network that changes, is gone for a while, or a media path that is dead. */

let stage: PageStage;
let lab: PageLab;

before(async () => {
  stage = await startPageStage();
  lab = stage.lab;
});

after(() => stage?.stop());

afterEach(() => {
  lab.answersRestarts = true;
});

const connected = (page: Page) => strip(page).getByText('Connected', { exact: true }).waitFor();

/** Notes what must go on. */
async function note(page: Page): Promise<void> {
  await page.evaluate(`window.noted = {
    connection: window.earshot.connection,
    track: window.earshot.stream.getTracks()[0],
    ufrag: ${ufrag},
  }`);
}

const ufrag = `/ice-ufrag:(.*)/.exec(window.earshot.connection.currentLocalDescription.sdp)[1]`;

/** Waits until packets of the sound come. */
async function brings(page: Page): Promise<void> {
  const received = async () =>
    Number(
      await page.evaluate(`window.earshot.getStats().then((report) => [...(report?.values() ?? [])]
        .find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')?.packetsReceived ?? 0)`),
    );
  const before = await received();
  await waitFor('more packets', async () => (await received()) > before + 25);
}

/** The connection and its track are those noted, with new ICE credentials, and bring packets. */
async function goesOn(page: Page, viewer: ViewerRecord): Promise<void> {
  await waitFor('an answer to another offer', () => answers(viewer) === 2);
  await brings(page);
  await connected(page);
  assert.equal(sent(viewer, 'direct_media_reset_request'), undefined);
  assert.equal(await page.evaluate(`window.noted.ufrag !== ${ufrag}`), true, 'new credentials');
  assert.equal(await look(page, 'connection === window.noted.connection'), true);
  assert.equal(await look(page, 'stream.getTracks()[0] === window.noted.track'), true);
}

const answers = (viewer: ViewerRecord) =>
  viewer.received.filter(({ type }) => type === 'webrtc_answer').length;

test('another network restarts ICE, and connection and tracks go on', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    await connected(page);
    await note(page);
    await page.evaluate(`window.dispatchEvent(new Event('online'))`);
    await waitFor('a restart', () => sent(viewer, 'ice_restart_request'));
    await goesOn(page, viewer);
  });
});

/** Opens the page behind a relay, and lets `use` have both once it is connected. */
async function behindRelay(
  use: (page: Page, relay: ImpairRelay, viewer: ViewerRecord) => Promise<void>,
): Promise<void> {
  const relay = new ImpairRelay({ seed: 1 });
  const page = await stage.browser.newPage();
  try {
    await routeThroughRelay(page, relay);
    await page.goto(lab.url);
    const viewer = await stage.playing(page);
    await connected(page);
    await note(page);
    await use(page, relay, viewer);
  } finally {
    await page.close();
    await relay.stop();
  }
}

test('a network that is gone for longer than a restart may take costs new media, and neither session nor page', async () => {
  await behindRelay(async (page, relay, viewer) => {
    lab.answersRestarts = false;
    relay.outage(60_000);
    await waitFor('a restart', () => sent(viewer, 'ice_restart_request'));
    assert.equal(sent(viewer, 'direct_media_reset_request'), undefined);
    const reset = await waitFor('a reset', () => sent(viewer, 'direct_media_reset_request'));
    assert.match(reset.reason ?? '', /after an ICE restart/);
    relay.outage(0);
    await connected(page);
    await brings(page);
    assert.equal(await look(page, 'connection !== window.noted.connection'), true);
    assert.equal(lab.viewer, viewer, 'the session is the same');
  });
});
