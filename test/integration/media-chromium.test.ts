import assert from 'node:assert/strict';
import { after, afterEach, before, describe, mock, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { MuxEndpoint } from '../../src/media/udp-mux.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { viewerPage } from '../fixtures/viewer-page.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const soundSchema = v.object({
  ssrc: v.number(),
  packetsReceived: v.number(),
  packetsLost: v.number(),
  concealedSamples: v.number(),
  totalSamplesReceived: v.number(),
  totalAudioEnergy: v.number(),
  audioLevel: v.number(),
});
type Sound = v.InferOutput<typeof soundSchema>;

const messagesSchema = v.array(
  v.looseObject({
    type: v.string(),
    state: v.optional(v.string()),
    reason: v.optional(v.string()),
    code: v.optional(v.string()),
    message: v.optional(v.string()),
  }),
);

let browser: Browser;
let hub: MediaHub;
let server: MediaServer;
let source: OpusSource;

async function soundOf(page: Page): Promise<Sound | undefined> {
  const stats = await page.evaluate('viewer.sound?.().catch(() => undefined)');
  const parsed = v.safeParse(soundSchema, stats);
  return parsed.success ? parsed.output : undefined;
}

async function messagesOf(page: Page) {
  return v.parse(messagesSchema, await page.evaluate('viewer.messages'));
}

async function open(query = ''): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(server.url + query);
  return page;
}

function hears(page: Page): Promise<Sound> {
  return waitFor('sound in the browser', async () => {
    const sound = await soundOf(page);
    return sound !== undefined && sound.audioLevel > 0.05 && sound;
  });
}

/** A stretch of so many packets without one lost or a sample concealed. */
function hearsCleanly(page: Page, packets: number): Promise<true> {
  let start: Sound | undefined;
  return waitFor(`${packets} packets without loss or concealment`, async () => {
    const now = await soundOf(page);
    if (now === undefined) return false;
    if (
      start === undefined ||
      now.packetsLost !== start.packetsLost ||
      now.concealedSamples !== start.concealedSamples
    ) {
      start = now;
    }
    return now.packetsReceived - start.packetsReceived >= packets;
  });
}

describe('a media hub and Chromium', () => {
  before(async () => {
    browser = await launchBrowser();
    hub = new MediaHub({
      config: { iceServers: [], udpPortMin: 0, udpPortMax: 0, addresses: [], maxViewers: 4 },
      log: silentLog,
    });
    await hub.start();
    server = new MediaServer({ hub, page: viewerPage });
    await server.start();
    source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
    source.start();
  });

  after(async () => {
    source.stop();
    await browser.close();
    await server.stop();
    await hub.stop();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await waitFor('every session to end', () => hub.sessions().length === 0);
  });

  test('the host is heard, with nothing lost or concealed', async () => {
    const page = await open();
    await hears(page);
    await hearsCleanly(page, 150);
    const sound = await soundOf(page);
    assert.equal(sound?.packetsLost, 0);
    assert.ok((sound?.totalAudioEnergy ?? 0) > 0.01, 'the sine has energy');
    const [session] = hub.sessions();
    assert.equal(session?.state, 'connected');
    assert.equal(session?.packetsLost, 0);
    assert.ok((session?.packetsSent ?? 0) >= 150);
  });

  test('a change of frame length, a gap and a media reset lose nothing', async () => {
    const page = await open();
    const { ssrc } = await hears(page);
    for (const frameMs of [10, 40, 20, 60, 5, 20]) {
      source.setFrameMs(frameMs);
      const { published } = source;
      await waitFor('frames of that length', () => source.published >= published + 20);
    }
    await waitFor('the browser to have them all', async () => {
      const sent = hub.sessions()[0]?.packetsSent ?? 0;
      return ((await soundOf(page))?.packetsReceived ?? 0) >= sent - 5;
    });
    assert.equal((await soundOf(page))?.packetsLost, 0);

    const { gapsSkipped } = hub.stats();
    source.skip(300);
    await waitFor('the gap to be skipped', () => hub.stats().gapsSkipped === gapsSkipped + 1);
    await hearsCleanly(page, 50);

    await page.evaluate(
      `viewer.socket.send(JSON.stringify({ type: 'direct_media_reset_request', reason: 'test' }))`,
    );
    await waitFor('a new stream', async () => {
      const sound = await soundOf(page);
      return sound !== undefined && sound.ssrc !== ssrc && sound.audioLevel > 0.05;
    });
    assert.equal(hub.sessions().length, 1);
    assert.equal(hub.sessions()[0]?.state, 'connected');
  });

  test('two viewers hear the same encode, each in a stream of its own', async () => {
    const viewers: number[] = [];
    hub.on('viewers', (count) => viewers.push(count));
    const [first, second] = await Promise.all([open(), open()]);
    const sounds = await Promise.all([hears(first), hears(second)]);
    assert.notEqual(sounds[0].ssrc, sounds[1].ssrc);
    assert.equal(await first.evaluate('viewer.streams.join()'), 'earshot-sound');
    await second.close();
    await waitFor('one viewer to remain', () => viewers.at(-1) === 1);
    await hearsCleanly(first, 50);
    hub.removeAllListeners('viewers');
    assert.deepEqual(viewers, [1, 2, 1]);
  });

  test('the microphone arrives, is counted and dropped', async () => {
    const page = await open('?microphone');
    await hears(page);
    const [session] = await waitFor('microphone frames', () => {
      const sessions = hub.sessions();
      return (sessions[0]?.microphoneFramesDropped ?? 0) > 20 && sessions;
    });
    assert.equal(session?.state, 'connected');
  });

  test('with retransmission asked for, one packet in ten lost on the way is heard all the same', async () => {
    const send = MuxEndpoint.prototype.send;
    let count = 0;
    mock.method(
      MuxEndpoint.prototype,
      'send',
      function (this: MuxEndpoint, ...[parts, port, address]: Parameters<typeof send>) {
        // RTP comes in three parts; everything else passes.
        const isRtp = Array.isArray(parts) && parts.length === 3;
        if (isRtp) count += 1;
        return isRtp && count % 10 === 0 ? true : send.call(this, parts, port, address);
      },
    );
    try {
      const page = await open('?nack');
      await hears(page);
      await waitFor('repeats', () => (hub.sessions()[0]?.packetsRetransmitted ?? 0) >= 10);
    } finally {
      mock.restoreAll();
    }
    const [page] = browser.contexts()[0]?.pages() ?? [];
    assert.ok(page);
    await waitFor('every hole to be filled', async () => (await soundOf(page))?.packetsLost === 0);
  });

  test('a viewer without Opus is told so in a sentence', async () => {
    const page = await open('?stripOpus');
    const messages = await waitFor('a refusal', async () => {
      const all = await messagesOf(page);
      // Two messages, which may come apart: what was wrong, and that the session failed over it.
      return all.some(({ type }) => type === 'error') && all.at(-1)?.state === 'failed' && all;
    });
    const error = messages.find(({ type }) => type === 'error');
    assert.equal(error?.code, 'MEDIA_NO_OPUS');
    assert.match(error?.message ?? '', /no Opus/);
    assert.equal(hub.sessions()[0]?.state, 'failed');
    assert.ok(hub.stats().connectionsFailed > 0);
  });

  test('a page that is closed without a word frees its place', async () => {
    const page = await open();
    await hears(page);
    await page.close();
    await waitFor('the session to end', () => hub.sessions().length === 0, 5_000);
  });
});
