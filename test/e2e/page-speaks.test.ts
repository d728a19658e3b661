import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.ts';
import { ApiServer } from '../../src/api/server.ts';
import { type InputSettings, MicrophoneControl } from '../../src/audio/input/microphone-control.ts';
import { silentLog } from '../../src/log/log.ts';
import type { MediaHub } from '../../src/media/media-hub.ts';
import { mediaService } from '../../src/media/media-service.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { opusPacketFacts } from '../fixtures/opus-packet.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { launchChromium } from './page-lab.ts';
import { look } from './page-visit.ts';

/** The page's microphone at the device's own peer and floor: everything real but the sound card's process. */

interface Frame {
  readonly session: string;
  readonly ssrc: number;
  readonly timestamp: number;
  readonly stereo: boolean;
}

const started: (() => Promise<unknown>)[] = [];
const frames: Frame[] = [];
let browser: Browser;
let hub: MediaHub;
let control: MicrophoneControl;
let url: string;

before(async () => {
  browser = await launchChromium({ autoplay: true });
  started.unshift(() => browser.close());
  const directory = await mkdtemp(join(tmpdir(), 'earshot-speaks-'));
  started.unshift(() => rm(directory, { recursive: true, force: true }));
  await buildWeb({ outDir: join(directory, 'web'), minify: true });
  hub = await startMediaHub();
  started.unshift(() => hub.stop());
  const memory = new InMemoryServices();
  control = createControl(memory);
  const server = new ApiServer({
    listen: '127.0.0.1',
    port: 0,
    https: { port: 0, certificate: '', key: '' },
    dataDir: directory,
    allowedHosts: [],
    controlSocket: join(directory, 'control.sock'),
    webRoot: join(directory, 'web'),
    services: {
      audio: memory.audio,
      video: memory.video,
      hid: undefined,
      serial: memory.serial,
      power: memory.power,
      children: memory.children,
      logs: memory.logs,
      sync: memory.sync,
      trace: memory.trace,
      events: memory.events,
      metrics: memory.metrics,
      microphone: control,
      media: mediaService(hub, []),
    },
    log: silentLog,
    version: '0.0.0-lab',
  });
  await server.start();
  started.unshift(() => server.stop());
  url = server.url();
  const source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
  source.start();
  started.unshift(async () => source.stop());
  hub.on('microphone', ({ session, ssrc, timestamp, payload }) => {
    control.noteFrame(performance.now());
    if (payload.length === 0) return;
    frames.push({ session, ssrc, timestamp, stereo: opusPacketFacts(payload).stereo });
  });
  hub.on('session-closed', (session) => control.sessionClosed(session));
});

after(async () => {
  for (const end of started) await end();
});

function createControl(memory: InMemoryServices): MicrophoneControl {
  let settings: InputSettings = { quality: 'medium' };
  const service = new MicrophoneControl({
    board: { device: 'hw:CARD=UAC1Gadget', periodMs: 5, bufferMs: 20 },
    settings: {
      current: () => settings,
      replace: async (next) => {
        settings = next;
      },
    },
    child: {
      configure: async (config) => ({ applied: 'live', effective: config }),
      restart: async () => undefined,
    },
    floor: hub,
    listDevices: async () => [],
    indicator: { show: () => undefined },
    log: silentLog,
  });
  service.on('state', (status) => memory.emit('microphone-state-changed', status));
  service.on('quality', (quality) => {
    hub.setMicrophoneSettings(quality.effective);
    memory.emit('microphone-quality-changed', quality);
  });
  return service;
}

async function withSpeaker(use: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1_400 } });
  await context.grantPermissions(['microphone'], { origin: new URL(url).origin });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  try {
    await page.goto(url);
    await waitFor('the page to play', async () => (await look(page, 'playback')) === 'playing');
    await use(page);
  } finally {
    await context.close();
  }
  await waitFor('the session to be over', () => hub.sessions().length === 0);
  assert.equal(control.status().holder, null);
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** The next so many frames. */
async function next(count: number): Promise<readonly Frame[]> {
  const from = frames.length;
  await waitFor(`${count} frames`, () => frames.length >= from + count);
  return frames.slice(from, from + count);
}

/** Samples from each frame to the next. */
function steps(list: readonly Frame[]): number[] {
  return list
    .slice(1)
    .map(({ timestamp }, index) => (timestamp - (list[index]?.timestamp ?? 0)) >>> 0);
}

/** Waits for frames that come `samples` apart. */
async function framesOf(samples: number): Promise<readonly Frame[]> {
  return await waitFor(`frames of ${samples} samples`, async () => {
    const list = await next(6);
    return steps(list).every((step) => step === samples) && list;
  });
}

test('what is said in the page arrives as frames of the session that holds the microphone', async () => {
  await withSpeaker(async (page) => {
    assert.equal(frames.length, 0);
    await button(page, 'Turn on').click();
    const [first] = await framesOf(960);
    assert.equal(first?.session, control.status().holder?.session);
    await page.getByRole('status').filter({ hasText: /Live/ }).waitFor();
    assert.equal(control.status().live, true);
    await button(page, 'Turn off').click();
    await waitFor('the floor to be free', () => control.status().holder === null);
  });
});

test('each quality changes what arrives, on the same stream, without the device being asked', async () => {
  await withSpeaker(async (page) => {
    await page.evaluate('window.first = window.earshot.connection');
    await button(page, 'Turn on').click();
    const [first] = await framesOf(960);
    const voice = page.getByRole('group', { name: 'Voice quality' });
    await voice.getByRole('radio', { name: /^High/ }).check();
    await framesOf(480);
    await control.setQuality({ quality: 'ultra' });
    const stereo = await waitFor('stereo packets', async () => {
      const list = await framesOf(480);
      return list.every((frame) => frame.stereo) && list;
    });
    await voice.getByRole('radio', { name: /^Low/ }).check();
    const long = await framesOf(1_920);
    for (const frame of [...stereo, ...long]) assert.equal(frame.ssrc, first?.ssrc);
    assert.equal(await page.evaluate('window.earshot.connection === window.first'), true);
    assert.equal(await look(page, 'playback'), 'playing');
    await control.setQuality({ quality: 'medium' });
    await framesOf(960);
  });
});

test('after a media reset the voice goes on, as another stream of the same session', async () => {
  await withSpeaker(async (page) => {
    await button(page, 'Turn on').click();
    const [first] = await framesOf(960);
    await button(page, 'Reset media').click();
    const again = await waitFor('another stream', () =>
      frames.find(({ ssrc, session }) => ssrc !== first?.ssrc && session === first?.session),
    );
    assert.ok(again);
    await framesOf(960);
    assert.equal(control.status().live, true);
  });
});

test('the floor given to another by the device ends it at once', async () => {
  await withSpeaker(async (page) => {
    await button(page, 'Turn on').click();
    await framesOf(960);
    await control.stop({});
    await page
      .getByRole('status')
      .filter({ hasText: /turned off at the device/ })
      .waitFor();
    assert.equal(await look(page, 'microphone.track'), undefined);
    const { length } = frames;
    await button(page, 'Turn on').click();
    await framesOf(960);
    assert.ok(frames.length > length);
  });
});
