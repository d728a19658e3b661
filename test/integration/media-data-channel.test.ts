import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { fastLaneLabel, fastLaneProtocol } from '../../src/media/fast-lane-packets.ts';
import { maxDataQueueBytes } from '../../src/media/transport.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { DataDevice, type DataViewer } from '../fixtures/data-device.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { ImpairRelay } from '../lab/impair.ts';

/** Answers offers; keeps what its channels receive, with the time it came. */
const script = `
window.viewer = {
  received: [],
  states: {},
  open(name, label, protocol, options) {
    const channel = viewer.peer.createDataChannel(label, { protocol, ...options });
    channel.binaryType = 'arraybuffer';
    viewer[name] = channel;
    viewer.states[name] = 'connecting';
    channel.onopen = () => { viewer.states[name] = 'open'; };
    channel.onclose = () => { viewer.states[name] = 'closed'; };
    channel.onmessage = ({ data }) => {
      const view = new DataView(data);
      viewer.received.push({ name, bytes: data.byteLength, number: view.getUint32(0), atMs: performance.timeOrigin + performance.now() });
    };
  },
  async answer(sdp, candidate) {
    await viewer.peer.setRemoteDescription({ type: 'offer', sdp });
    await viewer.peer.setLocalDescription(await viewer.peer.createAnswer());
    await viewer.peer.addIceCandidate({ candidate, sdpMid: '0' });
    return viewer.peer.localDescription.sdp;
  },
};
viewer.peer = new RTCPeerConnection({ iceServers: [] });
`;

const receivedSchema = v.array(
  v.object({ name: v.string(), bytes: v.number(), number: v.number(), atMs: v.number() }),
);
const fastLane = { ordered: false, maxRetransmits: 0 };

let browser: Browser;
let device: DataDevice;

async function open(page: Page, name: string, options: object = fastLane, label = fastLaneLabel) {
  const args = [name, label, fastLaneProtocol, options].map((value) => JSON.stringify(value));
  await page.evaluate(`viewer.open(${args.join(', ')})`);
}

async function stateOf(page: Page, name: string): Promise<string> {
  return v.parse(v.string(), await page.evaluate(`viewer.states[${JSON.stringify(name)}]`));
}

async function receivedBy(page: Page) {
  return v.parse(receivedSchema, await page.evaluate('viewer.received'));
}

/** A page that is connected, with a channel `lane` that the device has opened too. */
async function connect(options: Parameters<DataDevice['offer']>[0] = {}) {
  const page = await browser.newPage();
  await page.evaluate(script);
  await open(page, 'lane');
  const { viewer, sdp, candidate } = await device.offer(options);
  const answer = await page.evaluate(
    `viewer.answer(${JSON.stringify(sdp)}, ${JSON.stringify(candidate)})`,
  );
  viewer.answer(v.parse(v.string(), answer));
  await waitFor('the connection', () => viewer.transport.state === 'connected');
  if (options.data !== false) {
    await waitFor('the channel', () => viewer.transport.dataChannelOpen);
  }
  return { page, viewer, transport: viewer.transport };
}

/** A message that tells its number. */
function numbered(number: number, bytes = 180): Buffer {
  const message = Buffer.alloc(bytes, 7);
  message.writeUInt32BE(number);
  return message;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

/** Sends so many, one every `everyMs`, and gives the wall clock of each, in ms; −1: not taken. */
async function send(viewer: DataViewer, count: number, everyMs: number): Promise<number[]> {
  const sentMs: number[] = [];
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      while (sentMs.length < count && performance.now() - startMs >= sentMs.length * everyMs) {
        const atMs = performance.timeOrigin + performance.now();
        sentMs.push(viewer.transport.sendData(numbered(sentMs.length)) ? atMs : -1);
      }
      if (sentMs.length < count) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  return sentMs;
}

describe('the data channel and Chromium', () => {
  before(async () => {
    browser = await launchBrowser();
    device = new DataDevice();
    await device.start();
  });

  after(async () => {
    await browser.close();
    await device.stop();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  test('it opens, carries messages both ways and closes', async () => {
    const { page, viewer, transport } = await connect();
    assert.equal(await stateOf(page, 'lane'), 'open');
    const refusedBefore = transport.datagramsRefused;
    for (const [number, bytes] of [4, 180, 1_160, 1_161, 4_096].entries()) {
      assert.equal(transport.sendData(numbered(number, bytes)), true);
    }
    await waitFor('all in the browser', async () => (await receivedBy(page)).length === 5);
    const received = await receivedBy(page);
    assert.deepEqual(
      received.map(({ bytes }) => bytes).sort((one, other) => one - other),
      [4, 180, 1_160, 1_161, 4_096],
    );
    await page.evaluate(
      'for (const bytes of [1, 100, 4096]) viewer.lane.send(new Uint8Array(bytes).fill(bytes))',
    );
    await waitFor('all at the device', () => viewer.messages.length === 3);
    assert.deepEqual(viewer.messages.map(({ length }) => length).sort(), [1, 100, 4_096].sort());
    assert.equal(viewer.messages[1]?.[99], 100);
    assert.equal(transport.datagramsRefused, refusedBefore);

    await page.evaluate('viewer.lane.close()');
    await waitFor('it to be gone', () => !transport.dataChannelOpen);
    assert.deepEqual(viewer.openings, [true, false]);
    assert.equal(transport.sendData(numbered(1)), false);
    await waitFor('the browser to know', async () => (await stateOf(page, 'lane')) === 'closed');
    await transport.close();
  });

  test('a message of the wrong length, and one beyond the queue, is not taken', async () => {
    const { page, transport } = await connect();
    assert.equal(transport.sendData(Buffer.alloc(0)), false);
    assert.equal(transport.sendData(Buffer.alloc(4_097)), false);
    let taken = 0;
    while (transport.sendData(numbered(taken, 1_160)) && taken < 1_000) taken += 1;
    assert.ok(taken >= Math.floor(maxDataQueueBytes / 1_160), `${taken} taken`);
    assert.ok(taken < 100, `${taken} taken`);
    await waitFor('all in the browser', async () => (await receivedBy(page)).length === taken);
    assert.equal(transport.sendData(numbered(taken)), true);
    await transport.close();
  });

  test('a page may start over', async () => {
    const { page, viewer, transport } = await connect();
    for (const name of ['second', 'third']) {
      await page.evaluate('viewer.lane.close()');
      await open(page, name);
      await waitFor(`${name} to open`, async () => {
        transport.sendData(numbered(1));
        return (await receivedBy(page)).some((message) => message.name === name);
      });
      await page.evaluate(`viewer.lane = viewer.${name}`);
    }
    assert.equal(transport.dataChannelOpen, true);
    assert.equal(viewer.transport.state, 'connected');
    await transport.close();
  });

  test('any other channel is closed and counted; the lane goes on', async () => {
    const { page, transport } = await connect();
    const refusedBefore = transport.datagramsRefused;
    await open(page, 'ordered', { ordered: true, maxRetransmits: 0 });
    await open(page, 'reliable', { ordered: false });
    await open(page, 'lifetime', { ordered: false, maxPacketLifeTime: 100 });
    await open(page, 'chat', fastLane, 'chat');
    for (const name of ['ordered', 'reliable', 'lifetime', 'chat']) {
      await waitFor(`${name} to be closed`, async () => (await stateOf(page, name)) === 'closed');
    }
    assert.equal(transport.datagramsRefused, refusedBefore + 4);
    transport.sendData(numbered(9));
    await waitFor('the lane', async () => (await receivedBy(page)).length === 1);
    await transport.close();
  });

  test('text and too many messages are refused', async () => {
    const { page, viewer, transport } = await connect();
    await page
      .evaluate(`viewer.lane.send('text'); viewer.lane.send(new Uint8Array(5000))`)
      .catch(() => undefined);
    await page.evaluate(
      'for (let sent = 0; sent < 1000; sent += 1) viewer.lane.send(new Uint8Array(60))',
    );
    await waitFor('some to be refused', () => transport.datagramsRefused > 100);
    assert.ok(viewer.messages.length >= 100 && viewer.messages.length < 800);
    assert.equal(viewer.transport.state, 'connected');
    await transport.close();
  });

  test('without the section there is no channel', async () => {
    const { transport } = await connect({ data: false });
    assert.equal(transport.dataChannelOpen, false);
    assert.equal(transport.sendData(numbered(1)), false);
    await transport.close();
  });

  test('the browser hears of the end at once', async () => {
    const { page, transport } = await connect();
    await transport.close();
    await waitFor(
      'the channel to close',
      async () => (await stateOf(page, 'lane')) === 'closed',
      2_000,
    );
  });

  for (const { lossRate, jitterMs } of [
    { lossRate: 0, jitterMs: 0 },
    { lossRate: 0.1, jitterMs: 0 },
    { lossRate: 0.1, jitterMs: 20 },
  ]) {
    test(`with ${lossRate * 100} % loss and ${jitterMs} ms jitter nothing waits for what was lost`, async (t) => {
      const relay = new ImpairRelay({ seed: 5 });
      t.after(() => relay.stop());
      const { page, viewer, transport } = await connect({ relay });
      t.after(() => transport.close());
      const network = { lossRate, delayMs: 25, jitterMs, keepsOrder: false };
      relay.toDevice.set(network);
      relay.toViewer.set(network);
      const count = 1_000;
      const sentMs = await send(viewer, count, 10);
      const taken = sentMs.filter((ms) => ms >= 0).length;
      const least = 0.97 * (1 - lossRate) * count;
      await waitFor('what was not lost', async () => (await receivedBy(page)).length >= least);
      const received = await receivedBy(page);
      const numbers = new Set(received.map(({ number }) => number));
      const delayOf = ({ number, atMs }: { number: number; atMs: number }): number =>
        atMs - (sentMs[number] ?? 0);
      const follows = ({ number }: { number: number }): boolean => !numbers.has(number - 1);
      const usual = median(received.filter((each) => !follows(each)).map(delayOf));
      const behind = median(received.filter((each) => follows(each)).map(delayOf));
      t.diagnostic(
        `${taken} taken, ${received.length} came, ${usual.toFixed(1)} ms late; behind a lost one ${behind.toFixed(1)} ms`,
      );
      assert.equal(taken, count);
      assert.equal(numbers.size, received.length);
      if (lossRate > 0) assert.ok(received.length < count * (1 - 0.7 * lossRate), 'sent again');
      // Told apart on the same machine at the same time; a repeat, or word that there is none, takes 50 ms at least.
      if (lossRate > 0) assert.ok(behind - usual < 30, `${behind - usual} ms more`);
    });
  }

  test('after two seconds without a network it goes on at once', async (t) => {
    const relay = new ImpairRelay({ seed: 6 });
    t.after(() => relay.stop());
    const { page, viewer, transport } = await connect({ relay });
    t.after(() => transport.close());
    relay.toViewer.set({ delayMs: 25 });
    await send(viewer, 50, 10);
    relay.outage(2_000);
    const sentMs = await send(viewer, 300, 10);
    const first = sentMs[0] ?? 0;
    assert.ok(
      sentMs.every((ms) => ms >= 0),
      'a message was not taken',
    );
    await waitFor('the last one', async () => (await receivedBy(page)).at(-1)?.number === 299);
    const late = (await receivedBy(page)).filter(({ atMs }) => atMs > first + 1_000);
    // Those of the last 0.9 s, none of the two seconds before.
    assert.ok(late.length >= 80 && late.length <= 120, `${late.length} came`);
    const delays = late.map(({ number, atMs }) => atMs - (sentMs[number] ?? 0));
    t.diagnostic(`${late.length} came, the slowest after ${Math.max(...delays).toFixed(0)} ms`);
    // Anything that waited for a timer would be a second late, or would not have been taken.
    assert.ok(Math.max(...delays) < 500, `${Math.max(...delays)} ms`);
  });
});
