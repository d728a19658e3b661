import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import * as v from 'valibot';
import { microphonePresets, presetNames } from '../../src/audio/presets.ts';
import type { MediaHub } from '../../src/media/media-hub.ts';
import type { MicrophoneFrame } from '../../src/media/media-types.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { type OpusPacketFacts, opusPacketFacts } from '../fixtures/opus-packet.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { viewerPage } from '../fixtures/viewer-page.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import {
  autoplayFlag,
  chromiumLaunch,
  fakeMicrophoneFlags,
  loopbackFlag,
} from '../lab/chromium-launch.ts';
import { ImpairRelay } from '../lab/impair.ts';
import { routeThroughRelay } from '../lab/impaired-page.ts';

/**
 * What a real browser does with the microphone section of our offer. Its microphone says two words
 * over and over (of the package alsa-utils): Opus codes speech otherwise than tones, and only speech
 * at our bitrates carries redundancy.
 */
const speech = '/usr/share/sounds/alsa/Front_Center.wav';

const spokenSchema = v.object({
  outbound: v.object({ ssrc: v.number(), packetsSent: v.number() }),
  remote: v.object({
    ssrc: v.number(),
    packetsLost: v.number(),
    fractionLost: v.number(),
    jitter: v.number(),
    roundTripTime: v.number(),
  }),
});

const soundSchema = v.object({
  ssrc: v.number(),
  packetsReceived: v.number(),
  packetsLost: v.number(),
});

interface Heard extends Omit<MicrophoneFrame, 'payload'>, OpusPacketFacts {}

let browser: Browser;
let hub: MediaHub;
let server: MediaServer;
let source: OpusSource;
let page: Page;
let heard: Heard[];

before(async () => {
  browser = await chromium.launch(
    chromiumLaunch([
      autoplayFlag,
      loopbackFlag,
      ...fakeMicrophoneFlags,
      `--use-file-for-fake-audio-capture=${speech}`,
    ]),
  );
  hub = await startMediaHub();
  server = new MediaServer({ hub, page: viewerPage });
  await server.start();
  source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
  source.start();
  hub.on('microphone', ({ payload, ...frame }) => {
    heard.push({ ...frame, ...opusPacketFacts(payload) });
  });
});

after(async () => {
  source.stop();
  await browser.close();
  await server.stop();
  await hub.stop();
});

beforeEach(async () => {
  heard = [];
  const context = await browser.newContext();
  page = await context.newPage();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await waitFor('every session to end', () => hub.sessions().length === 0);
  hub.setMicrophoneSettings(microphonePresets.medium);
});

async function open(query = ''): Promise<void> {
  await page.goto(server.url + query);
  const session = await waitFor('a connection', () => {
    const [first] = hub.sessions();
    return first?.state === 'connected' && first;
  });
  assert.ok(hub.openMicrophone(session.id));
}

function hears(count: number): Promise<true> {
  const from = heard.length;
  return waitFor(`${count} frames`, () => heard.length >= from + count);
}

/** Steps of the RTP timestamp between packets that follow each other, in ms. */
function stepsMs(frames: readonly Heard[]): number[] {
  return frames.flatMap((frame, index) => {
    const last = frames[index - 1];
    const follows = last !== undefined && ((frame.sequence - last.sequence) & 0xffff) === 1;
    return follows ? [((frame.timestamp - last.timestamp) >>> 0) / 48] : [];
  });
}

/** So many frames in a row of this length and channel count. */
function hearsAsSet(settings: { frameMs: number; channels: number }): Promise<true> {
  let from = heard.length;
  return waitFor(`frames of ${settings.frameMs} ms, ${settings.channels} channels`, () => {
    const recent = heard.slice(from);
    if (recent.length < 20) return false;
    from = heard.length;
    const lengths = new Set(stepsMs(recent));
    // Silence is left out under DTX, and steps over what was left out.
    return (
      lengths.has(settings.frameMs) &&
      [...lengths].every((ms) => ms % settings.frameMs === 0) &&
      recent.every(({ stereo }) => stereo === (settings.channels === 2))
    );
  });
}

async function spoken() {
  const result = v.safeParse(spokenSchema, await page.evaluate('viewer.spoken()'));
  return result.success ? result.output : undefined;
}

async function sound() {
  return v.parse(soundSchema, await page.evaluate('viewer.sound()'));
}

describe("Chromium's microphone", () => {
  test('comes and goes with its track alone: nothing is negotiated, and the host is heard on', async () => {
    await open();
    const host = await waitFor('the host', async () => {
      const now = await sound().catch(() => undefined);
      return now !== undefined && now.packetsReceived > 50 && now;
    });
    const messages = await page.evaluate('viewer.messages.length');
    assert.equal(heard.length, 0);
    await page.evaluate('viewer.speak()');
    await hears(50);
    await page.evaluate('viewer.hush()');
    const silence = await waitFor('silence', async () => {
      const before = heard.length;
      const { packetsReceived } = await sound();
      await waitFor('the host', async () => (await sound()).packetsReceived > packetsReceived + 20);
      return heard.length === before && before;
    });
    await page.evaluate('viewer.speak()');
    await hears(50);

    const [first] = heard;
    const [, named] = /a=ssrc:(\d+)/.exec(String(await page.evaluate('viewer.answer'))) ?? [];
    assert.equal(first?.ssrc, Number(named));
    assert.ok(heard.every(({ ssrc }) => ssrc === first?.ssrc));
    const across = heard.slice(silence - 1, silence + 1);
    assert.deepEqual(stepsMs(across), [20], 'its clock stands still without a track');
    assert.equal(await page.evaluate('viewer.messages.length'), messages);
    const after = await sound();
    assert.deepEqual([after.ssrc, after.packetsLost], [host.ssrc, 0]);
    assert.ok((hub.sessions()[0]?.microphoneJitterMs ?? 1_000) < 200);
  });

  test('keeps the floor over a media reset, under its new source', async () => {
    await open();
    await page.evaluate('viewer.speak()');
    await hears(20);
    const before = heard.at(-1);
    await page.evaluate(
      `viewer.socket.send(JSON.stringify({ type: 'direct_media_reset_request', reason: 'test' }))`,
    );
    await waitFor('a new connection', async () =>
      Boolean(
        await page.evaluate(
          `viewer.messages.filter(({ state }) => state === 'connected').length === 2`,
        ),
      ),
    );
    await page.evaluate('viewer.speak()');
    const after = await waitFor('the new source', () => {
      const last = heard.at(-1);
      return last !== undefined && last.ssrc !== before?.ssrc && last;
    });
    assert.equal(after.session, before?.session);
  });

  test('is known by the mid in its packets where the answer does not name its source', async () => {
    await open('?unnamed');
    await page.evaluate('viewer.speak()');
    await hears(100);
    assert.equal(hub.sessions()[0]?.microphoneFramesDropped, 0);
    assert.equal(hub.sessions()[0]?.microphoneLost, 0);
  });

  test('sees our reports: loss, jitter and round trip', async () => {
    await open();
    await page.evaluate('viewer.speak()');
    const { outbound, remote } = await waitFor('reports with a round trip', spoken);
    assert.equal(remote.ssrc, outbound.ssrc);
    assert.equal(remote.packetsLost, 0);
    assert.ok(remote.roundTripTime >= 0 && remote.roundTripTime < 5);
    assert.equal(hub.sessions()[0]?.microphoneLost, 0);
    assert.ok((hub.sessions()[0]?.microphoneBytes ?? 0) > 0);
  });

  test('is coded as the offer asks, preset by preset', async () => {
    for (const name of presetNames) {
      hub.setMicrophoneSettings(microphonePresets[name]);
      await open();
      await page.evaluate('viewer.speak()');
      await hearsAsSet(microphonePresets[name]);
      await page.goto('about:blank');
      await waitFor('the session to end', () => hub.sessions().length === 0);
    }
  });

  test('is coded otherwise at once when the page applies a changed offer by itself; the host is heard on', async () => {
    await open();
    await page.evaluate('viewer.speak()');
    await hearsAsSet(microphonePresets.medium);
    const before = await sound();
    const messages = await page.evaluate('viewer.messages.length');
    for (const name of ['ultra', 'low', 'high', 'medium'] as const) {
      const { maxBitrateBps, channels, dtx, frameMs } = microphonePresets[name];
      const fmtp = `minptime=10;useinbandfec=1;usedtx=${dtx ? 1 : 0};stereo=${channels - 1};maxaveragebitrate=${maxBitrateBps}`;
      await page.evaluate(`viewer.reapply('${fmtp}', ${frameMs})`);
      await hearsAsSet(microphonePresets[name]);
    }
    const [first] = heard;
    assert.ok(heard.every(({ ssrc }) => ssrc === first?.ssrc));
    const after = await sound();
    assert.deepEqual([after.ssrc, after.packetsLost], [before.ssrc, 0]);
    assert.ok(after.packetsReceived > before.packetsReceived);
    assert.equal(await page.evaluate('viewer.messages.length'), messages);
    assert.equal(hub.sessions()[0]?.microphoneLost, 0);
  });

  /**
   * What was found: at 32 kbit/s mono speech is coded in hybrid mode, and from a report of 5 % loss on
   * nearly every voiced packet carries the one before it. Tones and music stay in CELT mode, which has
   * no redundancy, until the loss is near 20 %; at 16 kbit/s libopus spares none at any loss.
   */
  test('carries each packet once more from the time on that our reports tell of loss', async () => {
    const relay = new ImpairRelay({ seed: 4 });
    try {
      await routeThroughRelay(page, relay);
      await open();
      await page.evaluate('viewer.speak()');
      await hears(150);
      assert.deepEqual(
        heard.filter(({ hasRedundancy }) => hasRedundancy),
        [],
      );
      relay.toDevice.set({ lossRate: 0.08 });
      await waitFor('half of a second to be redundant', () => {
        const recent = heard.slice(-50);
        return recent.filter(({ hasRedundancy }) => hasRedundancy).length >= 25;
      });
      assert.ok((hub.sessions()[0]?.microphoneLost ?? 0) > 0);
      const { remote } = await waitFor('the loss in the browser', async () => {
        const now = await spoken();
        return now !== undefined && now.remote.packetsLost > 0 && now;
      });
      assert.ok(remote.fractionLost < 0.5);
    } finally {
      await relay.stop();
    }
  });
});
