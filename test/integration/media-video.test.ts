import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import type { VideoCodec } from '../../src/ipc/video-codec.ts';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import type { VideoSendingStatus } from '../../src/media/media-types.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { encodeClip, PictureSource } from '../fixtures/picture-source.ts';
import { viewerPage } from '../fixtures/viewer-page.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { ImpairRelay } from '../lab/impair.ts';
import { routeThroughRelay } from '../lab/impaired-page.ts';

const colour = v.tuple([v.number(), v.number(), v.number(), v.number()]);
const pictureSchema = v.object({
  ssrc: v.number(),
  width: v.number(),
  height: v.number(),
  framesDecoded: v.number(),
  nackCount: v.number(),
  yellow: colour,
  blue: colour,
});
type Picture = v.InferOutput<typeof pictureSchema>;

let browser: Browser;
let hub: MediaHub;
let server: MediaServer;
let sound: OpusSource;
let picture: PictureSource;
const clips = new Map<VideoCodec, Buffer[]>();

async function pictureOf(page: Page): Promise<Picture | undefined> {
  const stats = await page.evaluate('viewer.picture?.().catch(() => undefined)');
  const parsed = v.safeParse(pictureSchema, stats);
  return parsed.success ? parsed.output : undefined;
}

async function open(query = ''): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.url + query);
  return page;
}

function sees(page: Page, frames = 10): Promise<Picture> {
  return waitFor(`${frames} pictures in the browser`, async () => {
    const now = await pictureOf(page);
    return now !== undefined && now.framesDecoded >= frames && now;
  });
}

/** What the encoder makes of a colour is near it. */
function isNear(actual: readonly number[], wanted: readonly number[]): boolean {
  return wanted.every((value, index) => Math.abs((actual[index] ?? 0) - value) < 30);
}

function assertBars({ yellow, blue, width, height }: Picture): void {
  assert.deepEqual([width, height], [640, 360]);
  assert.ok(isNear(yellow, [255, 255, 0]), `yellow is ${yellow}`);
  assert.ok(isNear(blue, [0, 0, 255]), `blue is ${blue}`);
}

function statusOf(index = 0): VideoSendingStatus {
  const video = hub.sessions()[index]?.video;
  assert.ok(video);
  return video;
}

async function startPicture(codec: VideoCodec): Promise<void> {
  const clip = clips.get(codec) ?? (await encodeClip(codec, 90));
  clips.set(codec, clip);
  hub.setVideo({ codec });
  picture = new PictureSource({ publish: (frame) => hub.publishVideo(frame), codec, clip });
  hub.on('keyframe-wanted', () => picture.requestKeyframe());
  picture.start();
}

describe('the picture in Chromium', () => {
  before(async () => {
    browser = await launchBrowser();
    hub = new MediaHub({
      config: { iceServers: [], udpPortMin: 0, udpPortMax: 0, addresses: [], maxViewers: 4 },
      log: silentLog,
    });
    await hub.start();
    server = new MediaServer({ hub, page: viewerPage });
    await server.start();
    sound = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
    sound.start();
  });

  after(async () => {
    sound.stop();
    await browser.close();
    await server.stop();
    await hub.stop();
  });

  beforeEach(async () => {
    await startPicture('vp8');
  });

  afterEach(async () => {
    picture.stop();
    hub.removeAllListeners('keyframe-wanted');
    for (const context of browser.contexts()) await context.close();
    await waitFor('every session to end', () => hub.sessions().length === 0);
  });

  test('VP8 is shown, in its colours, and the sound beside it', async () => {
    const page = await open();
    assertBars(await sees(page, 30));
    const heard = await page.evaluate('viewer.sound().then(({ audioLevel }) => audioLevel)');
    assert.ok(typeof heard === 'number' && heard > 0.05, `audio level ${heard}`);
    assert.equal(await page.evaluate('viewer.streams.join()'), 'earshot-sound,earshot-picture');
    const status = statusOf();
    assert.equal(status.reason, '');
    assert.equal(status.framesDropped, 0);
    assert.ok(status.packetsSent > status.framesSent, 'pictures of several packets');
    assert.ok(status.targetKbps > 0, 'the browser gives feedback');
    assert.equal(hub.stats().video.viewers, 1);
  });

  test('H.264 is shown likewise', async () => {
    picture.stop();
    hub.removeAllListeners('keyframe-wanted');
    await startPicture('h264');
    assertBars(await sees(await open(), 30));
  });

  test('a late viewer begins with a keyframe of its own asking, and the first goes on undisturbed', async () => {
    const first = await open();
    await sees(first);
    const { keyframes } = picture;
    const second = await open();
    const seen = await sees(second, 1);
    assertBars(seen);
    assert.ok(picture.keyframes > keyframes);
    assertBars(await sees(first, 60));
    const { framesDropped, packetsLost } = statusOf(0);
    assert.deepEqual([framesDropped, packetsLost], [0, 0]);
  });

  test('REFERENCE 1b: a media reset brings the picture back, as a stream of its own', async () => {
    const page = await open();
    const { ssrc } = await sees(page);
    await page.evaluate(
      `viewer.socket.send(JSON.stringify({ type: 'direct_media_reset_request', reason: 'test' }))`,
    );
    const renewed = await waitFor('pictures of another stream', async () => {
      const now = await pictureOf(page);
      return now !== undefined && now.ssrc !== ssrc && now.framesDecoded > 5 && now;
    });
    assertBars(renewed);
    assert.equal(hub.sessions().length, 1);
  });

  test('one packet in twenty lost on the way is repeated, and the picture goes on', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const relay = new ImpairRelay({ seed: 7 });
    try {
      await routeThroughRelay(page, relay);
      await page.goto(server.url);
      const start = await sees(page);
      relay.toViewer.set({ lossRate: 0.05, delayMs: 10 });
      const later = await sees(page, start.framesDecoded + 100);
      assert.ok(relay.counts().toViewer.lost > 10);
      assert.ok(later.nackCount > 0, 'the browser asks for what it misses');
      assert.ok(statusOf().packetsRetransmitted > 5);
      assertBars(later);
    } finally {
      await relay.stop();
    }
  });

  test('a session that asks for it has sound and picture in one stream', async () => {
    const sdps: string[] = [];
    const viewer = hub.openSession({
      send(message) {
        if (message.type === 'webrtc_offer') sdps.push(message.sdp);
      },
      end: () => undefined,
      sync: true,
    });
    viewer.receive(JSON.stringify({ type: 'webrtc_ready' }));
    const sdp = await waitFor('an offer', () => sdps[0]);
    assert.match(sdp, /a=msid:earshot host-sound\r/);
    assert.match(sdp, /a=msid:earshot host-picture\r/);
    viewer.close('The test is over.');
  });

  test('a browser without the codec hears the sound and is told why it sees nothing', async () => {
    const page = await open('?noPicture');
    await waitFor('sound', async () => {
      const level = await page.evaluate(
        'viewer.sound?.().then((stats) => stats?.audioLevel ?? 0).catch(() => 0)',
      );
      return typeof level === 'number' && level > 0.05;
    });
    assert.match(statusOf().reason, /^The browser cannot decode VP8/);
    assert.equal(statusOf().packetsSent, 0);
    assert.equal(hub.stats().video.viewers, 0);
  });
});
