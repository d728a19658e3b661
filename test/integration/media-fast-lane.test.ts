import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import {
  fastLaneLabel,
  fastLaneProtocol,
  fastLaneSilenceMs,
  readPong,
  readSound,
  unknownReport,
  writePing,
} from '../../src/media/fast-lane-packets.ts';
import type { MediaHub } from '../../src/media/media-hub.ts';
import { mediaService } from '../../src/media/media-service.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { FastLaneClient } from '../fixtures/fast-lane-client.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { SineEncoder } from '../fixtures/opus-source.ts';
import { viewerPage } from '../fixtures/viewer-page.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const frameSamples = 480;

/** A real hub behind the real server, and a viewer that no UDP reaches. */
describe('the fast lane by WebSocket', () => {
  let hub: MediaHub;
  let api: TestApi;
  let viewer: FastLaneClient;
  let captureTimeNs: bigint;
  let published: Buffer[];
  let viewers: number[];
  const encoder = new SineEncoder({ frequencyHz: 440 });

  beforeEach(async () => {
    hub = await startMediaHub();
    viewers = [];
    hub.on('viewers', (count) => viewers.push(count));
    api = await startApi({ services: { ...new InMemoryServices(), media: mediaService(hub, []) } });
    const { address, port } = api.server.address();
    viewer = new FastLaneClient(`ws://${address}:${port}`);
    captureTimeNs = process.hrtime.bigint();
    published = [];
  });

  afterEach(async () => {
    viewer.close();
    await api.stop();
    await hub.stop();
  });

  function publish(discontinuity = false): void {
    const payload = encoder.next(frameSamples);
    published.push(Buffer.from(payload));
    hub.publishAudio({ payload, samples: frameSamples, captureTimeNs, discontinuity });
    // The payload is the hub's during the call only.
    payload.fill(0);
    captureTimeNs += 10_000_000n;
  }

  const laneStatus = () => hub.sessions()[0]?.fastLane ?? null;

  /** A session and its open lane, asked as `wish` says. */
  async function listen(wish: Parameters<FastLaneClient['ping']>[0] = {}): Promise<void> {
    await viewer.openSession();
    await viewer.openLane();
    viewer.ping(wish);
    await waitFor('the pong', () => viewer.pongs.length === 1);
  }

  test('sound arrives as it was encoded, though there is no peer connection', async () => {
    publish();
    await listen();
    assert.deepEqual(viewers, [1]);
    const firstUs = Number(captureTimeNs / 1_000n);
    for (let count = 0; count < 20; count += 1) publish(count === 7);
    await waitFor('every packet', () => viewer.sounds.length === 20);
    for (const [index, sound] of viewer.sounds.entries()) {
      // The one before anybody listened spent a number and its time.
      assert.equal(sound.sequence, index + 1);
      assert.equal(sound.timestamp, (index + 1) * frameSamples);
      assert.equal(sound.captureTimeUs, firstUs + index * 10_000);
      assert.equal(sound.discontinuity, index === 7);
      assert.equal(sound.previous, undefined);
      assert.deepEqual(Buffer.from(sound.payload), published[index + 1]);
    }
    assert.equal(hub.sessions()[0]?.state, 'new');
    assert.equal(hub.stats().packetsSent, 0);
    assert.equal(hub.stats().fastLane.packetsSent, 20);
  });

  test('redundancy carries the packet before, and a pause of the host has none', async () => {
    await listen({ redundancy: true });
    publish();
    publish();
    // Silence: the first of its packets is sent, the time of the others passes.
    for (let count = 0; count < 3; count += 1) {
      const frame = { payload: Buffer.from([0xfc]), samples: frameSamples, captureTimeNs };
      hub.publishAudio({ ...frame, discontinuity: false });
      captureTimeNs += 10_000_000n;
    }
    publish();
    captureTimeNs += 700_000_000n;
    publish();
    await waitFor('every packet', () => viewer.sounds.length === 5);
    assert.deepEqual(
      viewer.sounds.map(({ sequence, timestamp, discontinuity, previous }) => [
        sequence,
        timestamp / frameSamples,
        discontinuity,
        previous?.length,
      ]),
      [
        [0, 0, false, undefined],
        [1, 1, false, published[0]?.length],
        [2, 2, false, published[1]?.length],
        [3, 5, false, undefined],
        [4, 76, true, undefined],
      ],
    );
    assert.equal(hub.stats().fastLane.redundantPackets, 2);
    viewer.ping();
    await waitFor('the pong', () => viewer.pongs.length === 2);
    publish();
    await waitFor('one more', () => viewer.sounds.length === 6);
    assert.equal(viewer.sounds.at(-1)?.previous, undefined);
  });

  test('the pong has the times of the device, between those of the viewer', async () => {
    const beforeUs = Number(process.hrtime.bigint() / 1_000n);
    await listen();
    const afterUs = Number(process.hrtime.bigint() / 1_000n);
    const [pong] = viewer.pongs;
    assert.ok(pong);
    const { id, receivedUs, sentUs } = pong;
    assert.equal(id, 1);
    assert.ok(beforeUs <= receivedUs && receivedUs <= sentUs && sentUs <= afterUs);
  });

  test('no sound 5 s after the last ping, and none is encoded for it', async () => {
    await listen();
    publish();
    await waitFor('the first', () => viewer.sounds.length === 1);
    const sinceMs = performance.now();
    await waitFor('the end', () => laneStatus() === null);
    const silentMs = performance.now() - sinceMs;
    assert.ok(
      silentMs > fastLaneSilenceMs - 1_000 && silentMs < fastLaneSilenceMs + 1_000,
      `${silentMs}`,
    );
    assert.deepEqual(viewers, [1, 0]);
    publish();
    // Asking again brings a pong; had the packet been sent, it would be here before that.
    viewer.ping();
    await waitFor('the pong', () => viewer.pongs.length === 2);
    assert.equal(viewer.sounds.length, 1);
    publish();
    await waitFor('the sound again', () => viewer.sounds.length === 2);
    assert.deepEqual(
      viewer.sounds.map(({ sequence }) => sequence),
      [0, 2],
    );
    assert.deepEqual(viewers, [1, 0, 1]);
  });

  test('a viewer that does not read is not waited for: drops are counted, and it goes on', async () => {
    await listen();
    const socket = await viewer.openLane();
    viewer.ping();
    await waitFor('the pong', () => viewer.pongs.length === 2);
    socket.pause();
    // Its pings still come, but the device's own are not answered: what it sends piles up on the way.
    viewer.ping();
    await waitFor('drops', () => {
      publish();
      return hub.stats().fastLane.drops.queue > 0;
    });
    // Half a second of packets, not the seconds that the system would keep.
    assert.ok(published.length < 500, `${published.length}`);
    const { fastLane } = hub.stats();
    assert.equal(laneStatus()?.dropped, fastLane.drops.queue);
    assert.equal(fastLane.packetsSent + fastLane.drops.queue, published.length);
    socket.resume();
    await waitFor('what was sent', () => viewer.sounds.length === fastLane.packetsSent);
    viewer.ping();
    await waitFor('sound again', () => {
      publish();
      return viewer.sounds.length > fastLane.packetsSent;
    });
  });

  test('what is no ping is counted, and the sound goes on', async () => {
    await listen();
    viewer.sendRaw(Buffer.from([3, 1, 2]));
    viewer.sendRaw(Buffer.from('{"type":"ping"}'));
    await waitFor('both counted', () => hub.stats().fastLane.drops.malformed === 2);
    publish();
    await waitFor('the sound', () => viewer.sounds.length === 1);
  });

  test('what the viewer says is shown, and summed when it is gone', async () => {
    await listen();
    viewer.ping({ redundancy: true }, { isSounding: true, delayMs: 47.5, lost: 5, received: 100 });
    viewer.ping({ redundancy: true }, { isSounding: true, delayMs: 48.5, lost: 7, received: 150 });
    await waitFor('both', () => viewer.pongs.length === 3);
    const lane = laneStatus();
    assert.deepEqual(
      [lane?.via, lane?.sounding, lane?.redundancy, lane?.report.delayMs, lane?.report.lost],
      ['websocket', true, true, 48.5, 7],
    );
    viewer.closeSession();
    await waitFor('the end', () => hub.sessions().length === 0);
    const { heard } = hub.stats().fastLane;
    assert.deepEqual([heard.lost, heard.received], [2, 50]);
    assert.deepEqual(viewers, [1, 0]);
  });

  test('it ends with its session, which a stranger does not have', async () => {
    await viewer.openSession();
    const lane = await viewer.openLane();
    const closed = once(lane, 'close', { signal: AbortSignal.timeout(10_000) });
    viewer.closeSession();
    assert.equal((await closed)[0], 1000);
    const refused = viewer.openLane();
    await assert.rejects(refused, /404/);
    viewer.sessionId = 'stranger';
    await assert.rejects(viewer.openLane(), /404/);
  });
});

/** The same over a data channel of a real browser. */
describe('the fast lane by data channel', () => {
  let hub: MediaHub;
  let server: MediaServer;
  let browser: Browser;

  before(async () => {
    hub = await startMediaHub();
    server = new MediaServer({ hub, page: viewerPage });
    await server.start();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
    await server.stop();
    await hub.stop();
  });

  /** Messages of the device in the order they came. */
  async function received(page: Page): Promise<Uint8Array[]> {
    const all = await page.evaluate('viewer.lane.received');
    return v.parse(v.array(v.array(v.number())), all).map((bytes) => Uint8Array.from(bytes));
  }

  test('sound comes on both lanes, and on this one until the connection is made anew', async () => {
    const page = await browser.newPage();
    await page.goto(server.url);
    await waitFor('a connection', () => hub.sessions()[0]?.state === 'connected');
    await page.evaluate(`new Promise((resolve) => {
      const channel = viewer.peer.createDataChannel('${fastLaneLabel}', {
        protocol: '${fastLaneProtocol}', ordered: false, maxRetransmits: 0,
      });
      channel.binaryType = 'arraybuffer';
      viewer.lane = { channel, received: [] };
      channel.onmessage = ({ data }) => viewer.lane.received.push([...new Uint8Array(data)]);
      channel.onopen = resolve;
    })`);
    const report = { ...unknownReport, isSounding: true, delayMs: 46 };
    const ping = writePing({ id: 5, wantsSound: true, wantsRedundancy: true, report });
    await page.evaluate(`viewer.lane.channel.send(new Uint8Array([${[...ping]}]))`);
    const [pong = new Uint8Array(0)] = await waitFor('the pong', async () => {
      const messages = await received(page);
      return messages.length > 0 && messages;
    });
    assert.equal(readPong(pong)?.id, 5);
    const { via, report: shown } = hub.sessions()[0]?.fastLane ?? {};
    assert.deepEqual([via, shown?.delayMs], ['channel', 46]);
    let captureTimeNs = process.hrtime.bigint();
    for (let count = 0; count < 10; count += 1) {
      const payload = Buffer.alloc(100, count);
      hub.publishAudio({ payload, samples: frameSamples, captureTimeNs, discontinuity: false });
      captureTimeNs += 10_000_000n;
    }
    const messages = await waitFor('every packet', async () => {
      const all = await received(page);
      return all.length >= 11 && all;
    });
    const sounds = messages
      .flatMap((message) => readSound(message) ?? [])
      .sort((a, b) => a.sequence - b.sequence);
    assert.deepEqual(
      sounds.map(({ sequence, payload, previous }) => [sequence, payload[0], previous?.[0]]),
      Array.from({ length: 10 }, (_, index) => [index, index, index === 0 ? undefined : index - 1]),
    );
    assert.equal(hub.stats().packetsSent, 10);
    await page.evaluate(
      `viewer.socket.send(JSON.stringify({ type: 'direct_media_reset_request' }))`,
    );
    await waitFor('the end of the channel', () => hub.sessions()[0]?.fastLane === null);
    await page.close();
  });
});
