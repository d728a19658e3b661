import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import type { MediaHub } from '../../src/media/media-hub.ts';
import { mediaService } from '../../src/media/media-service.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { encodeClip, PictureSource } from '../fixtures/picture-source.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** WHEP with a client of the draft's own author (npm: whip-whep), in Chromium. */

const token = 'a-token-of-the-configuration';

let browser: Browser;
let client: string;
let hub: MediaHub;
let source: OpusSource;
let picture: PictureSource;
let api: TestApi;
let page: Page;

before(async () => {
  browser = await launchBrowser();
  const { outputFiles } = await build({
    stdin: {
      contents:
        "import { WHEPClient } from 'whip-whep/whep.js'; globalThis.WHEPClient = WHEPClient;",
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: 'iife',
  });
  client = outputFiles[0]?.text ?? '';
  hub = await startMediaHub({ limits: { silenceMs: 3_000, probeMs: 500 } });
  const services = { ...new InMemoryServices(), media: mediaService(hub, []) };
  api = await startApi({ whepToken: token, services });
  source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
  source.start();
  hub.setVideo({ codec: 'vp8' });
  picture = new PictureSource({
    publish: (frame) => hub.publishVideo(frame),
    codec: 'vp8',
    clip: await encodeClip('vp8', 60),
  });
  hub.on('keyframe-wanted', () => picture.requestKeyframe());
  picture.start();
});
after(async () => {
  source.stop();
  picture.stop();
  await api.stop();
  await hub.stop();
  await browser.close();
});
afterEach(() => page.close());

async function view({ bearer = token, video = true } = {}): Promise<void> {
  page = await browser.newPage();
  const { address, port } = api.server.address();
  await page.goto(`http://${address}:${port}/`);
  await page.evaluate(client);
  await page.evaluate(
    `(async () => {
      globalThis.pc = new RTCPeerConnection();
      pc.addTransceiver('audio', { direction: 'recvonly' });
      if (${video}) pc.addTransceiver('video', { direction: 'recvonly' });
      pc.ontrack = ({ track }) => {
        const element = document.createElement(track.kind);
        document.body.append(element);
        element.srcObject = new MediaStream([track]);
        void element.play();
      };
      globalThis.whep = new WHEPClient();
      await whep.view(pc, location.origin + '/whep', ${JSON.stringify(bearer)});
    })()`,
  );
}

const inboundSchema = v.object({
  packetsReceived: v.number(),
  totalSamplesReceived: v.number(),
  concealedSamples: v.number(),
});

/** Waits until a picture is shown, and gives its size. */
async function size(): Promise<unknown> {
  return await waitFor(
    'a picture',
    async () =>
      await page.evaluate(`(() => {
        const video = document.querySelector('video');
        return video !== null && video.videoWidth > 0 && [video.videoWidth, video.videoHeight];
      })()`),
    20_000,
  );
}

async function sound(): Promise<v.InferOutput<typeof inboundSchema>> {
  return await waitFor(
    'sound',
    async () => {
      const stats: unknown = await page.evaluate(`(async () => {
        for (const entry of (await pc.getStats()).values()) {
          if (entry.type === 'inbound-rtp' && entry.kind === 'audio') return { ...entry };
        }
        return null;
      })()`);
      const inbound = v.safeParse(inboundSchema, stats);
      return inbound.success && inbound.output.packetsReceived > 50 && inbound.output;
    },
    20_000,
  );
}

describe('a WHEP player', () => {
  for (const video of [true, false]) {
    it(`${video ? 'hears and sees the host' : 'hears the host, having asked for no picture'}, and leaves`, async () => {
      await view({ video });
      const { totalSamplesReceived, concealedSamples } = await sound();
      assert.ok(concealedSamples < totalSamplesReceived / 2);
      if (video) assert.deepEqual(await size(), [640, 360]);
      assert.equal(hub.sessions().length, 1);
      assert.equal(hub.sessions()[0]?.state, 'connected');
      await page.evaluate('whep.stop()');
      await waitFor('the session is over', () => hub.sessions().length === 0);
    });
  }

  it('is not let in without the token', async () => {
    await assert.rejects(view({ bearer: 'another-token-another-token' }), /status 401/);
    assert.equal(hub.sessions().length, 0);
  });

  it('that vanishes is forgotten', async () => {
    await view();
    await sound();
    await page.close();
    await waitFor('the session is over', () => hub.sessions().length === 0, 20_000);
  });

  it('is told when the device has no place for it', async () => {
    const none = { send: () => undefined, end: () => undefined };
    const places = [hub.openSession(none), hub.openSession(none)];
    await assert.rejects(view(), /status 503/);
    for (const place of places) place.close('The test is over.');
    await waitFor('the places are free', () => hub.sessions().length === 0);
  });
});
