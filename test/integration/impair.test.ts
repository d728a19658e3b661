import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import * as v from 'valibot';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { viewerPage } from '../fixtures/viewer-page.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type Endpoint, ImpairRelay } from '../lab/impair.ts';
import { routeThroughRelay } from '../lab/impaired-page.ts';

/** A device that answers every datagram with the same, and keeps them. */
class Echo {
  readonly received: string[] = [];
  readonly sources = new Set<number>();
  readonly #socket = createSocket('udp4');

  async start(): Promise<Endpoint> {
    this.#socket.on('message', (packet, from) => {
      this.received.push(String(packet));
      this.sources.add(from.port);
      this.#socket.send(packet, from.port, from.address);
    });
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return { address: '127.0.0.1', port: this.#socket.address().port };
  }

  stop(): void {
    this.#socket.close();
  }
}

describe('the impairment relay', () => {
  let relay: ImpairRelay;
  let echo: Echo;
  let front: Endpoint;
  let viewers: Socket[];

  function viewer(): { send(text: string): void; readonly heard: string[] } {
    const socket = createSocket('udp4');
    viewers.push(socket);
    const heard: string[] = [];
    socket.on('message', (packet) => heard.push(String(packet)));
    return { send: (text) => socket.send(text, front.port, front.address), heard };
  }

  beforeEach(async () => {
    viewers = [];
    relay = new ImpairRelay({ seed: 7 });
    echo = new Echo();
    front = await relay.front(await echo.start());
  });

  afterEach(async () => {
    for (const socket of viewers) socket.close();
    echo.stop();
    await relay.stop();
    await relay.stop();
  });

  test('passes everything both ways, and tells viewers apart', async () => {
    const [one, other] = [viewer(), viewer()];
    one.send('a');
    await waitFor('the echo', () => one.heard.length === 1);
    other.send('b');
    await waitFor('the echo', () => other.heard.length === 1);
    assert.deepEqual([one.heard, other.heard], [['a'], ['b']]);
    assert.equal(echo.sources.size, 2);
    const { toDevice, toViewer } = relay.counts();
    assert.deepEqual([toDevice.delivered, toViewer.delivered], [2, 2]);
  });

  test('each direction has a fate of its own', async () => {
    const one = viewer();
    relay.toViewer.set({ lossRate: 1 });
    one.send('not answered');
    await waitFor('the loss', () => relay.counts().toViewer.lost === 1);
    assert.deepEqual(echo.received, ['not answered']);
    relay.toViewer.set({ lossRate: 0, duplicateRate: 1, delayMs: 5 });
    one.send('twice');
    await waitFor('both copies', () => one.heard.length === 2);
    assert.deepEqual(one.heard, ['twice', 'twice']);
  });

  test('what is held back is overtaken, and comes all the same', async () => {
    const one = viewer();
    relay.toDevice.set({ reorderRate: 1, reorderMs: 200 });
    one.send('first');
    await waitFor('the first', () => relay.counts().toDevice.offered === 1);
    relay.toDevice.set({ reorderRate: 0 });
    one.send('second');
    await waitFor('both', () => one.heard.length === 2);
    assert.deepEqual(echo.received, ['second', 'first']);
  });

  test('an outage ends', async () => {
    const one = viewer();
    relay.outage(60_000);
    one.send('lost');
    await waitFor('the cut', () => relay.counts().toDevice.cutOff === 1);
    relay.outage(0);
    one.send('heard');
    await waitFor('the echo', () => one.heard.length === 1);
    assert.deepEqual(echo.received, ['heard']);
  });

  test('its queue has a bound', async () => {
    const one = viewer();
    relay.toDevice.set({ delayMs: 60_000 });
    await waitFor('the overflow', () => {
      for (let count = 0; count < 50; count += 1) one.send(String(count));
      return relay.counts().toDevice.overflowed > 100;
    });
    assert.equal(echo.received.length, 0);
  });
});

const pairSchema = v.object({
  remote: v.object({ address: v.string(), port: v.number(), candidateType: v.string() }),
  candidates: v.number(),
});

/** What the page's connection runs over, and how many candidates of the device it knows. */
async function pathOf(page: Page) {
  const path: unknown = await page.evaluate(`(async () => {
    const report = await viewer.peer?.getStats() ?? new Map();
    const all = [...report.values()];
    const pair = all.find((stats) => stats.type === 'candidate-pair' && stats.nominated && stats.state === 'succeeded');
    return {
      remote: report.get(pair?.remoteCandidateId),
      candidates: all.filter((stats) => stats.type === 'remote-candidate').length,
    };
  })()`);
  const parsed = v.safeParse(pairSchema, path);
  return parsed.success ? parsed.output : undefined;
}

describe('a page behind the relay', () => {
  test('sends and hears everything through it, after a media reset too', async () => {
    const hub = new MediaHub({
      config: { iceServers: [], udpPortMin: 0, udpPortMax: 0, addresses: [], maxViewers: 1 },
      log: silentLog,
    });
    const server = new MediaServer({ hub, page: viewerPage });
    const source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
    const browser = await launchBrowser();
    const relay = new ImpairRelay({ seed: 1 });
    try {
      await hub.start();
      await server.start();
      source.start();
      const page = await browser.newPage();
      const signaling = await routeThroughRelay(page, relay);
      await page.goto(`${server.url}?microphone`);
      const connected = () =>
        waitFor('a connection through the relay', async () => {
          const path = await pathOf(page);
          return hub.sessions()[0]?.state === 'connected' && path;
        });
      const { remote, candidates } = await connected();
      assert.deepEqual(remote, { ...relay.endpoint, candidateType: 'host' });
      assert.equal(candidates, 1);
      assert.equal(hub.sessions()[0]?.candidateType, 'prflx');
      assert.ok(signaling.hidden >= 1);

      await page.evaluate(
        `viewer.socket.send(JSON.stringify({ type: 'direct_media_reset_request', reason: 'test' }))`,
      );
      await waitFor('a new offer', async () =>
        Boolean(
          await page.evaluate(
            `viewer.messages.filter(({ type }) => type === 'webrtc_offer').length === 2`,
          ),
        ),
      );
      await connected();

      await waitFor('microphone packets', () => (hub.sessions()[0]?.microphonePackets ?? 0) > 20);
      const packets = () => hub.sessions()[0]?.microphonePackets ?? 0;
      relay.toDevice.set({ lossRate: 1 });
      await waitFor('nothing more to be under way', async () => {
        const before = packets();
        const { lost } = relay.counts().toDevice;
        await waitFor('losses', () => relay.counts().toDevice.lost > lost + 20);
        return packets() === before;
      });
      relay.toDevice.set({ lossRate: 0 });
      const before = packets();
      await waitFor('packets again', () => packets() > before + 20);
      assert.ok((hub.sessions()[0]?.microphoneLost ?? 0) >= 5);
    } finally {
      source.stop();
      await browser.close();
      await server.stop();
      await hub.stop();
      await relay.stop();
    }
  });
});
