import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { fastLaneLabel, fastLaneProtocol } from '../../src/media/fast-lane-packets.ts';
import { hidProtocol, keysLabel, pointerLabel } from '../../src/media/hid-channels.ts';
import { maxReliableQueueBytes } from '../../src/media/transport.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { DataDevice, type DataViewer } from '../fixtures/data-device.ts';
import { RawDataViewer } from '../fixtures/raw-data-viewer.ts';
import { openMessage } from '../fixtures/sctp-packets.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { ImpairRelay } from '../lab/impair.ts';

/** Opens channels, answers the offer, sends numbered messages at a pace and keeps what comes. */
const script = `
window.viewer = {
  channels: {}, states: {}, received: {},
  open(name, label, protocol, options) {
    const channel = viewer.peer.createDataChannel(label, { protocol, ...options });
    channel.binaryType = 'arraybuffer';
    viewer.channels[name] = channel;
    viewer.states[name] = 'connecting';
    viewer.received[name] = [];
    channel.onopen = () => { viewer.states[name] = 'open'; };
    channel.onclose = () => { viewer.states[name] = 'closed'; };
    channel.onmessage = ({ data }) => viewer.received[name].push(new DataView(data).getUint32(0));
  },
  async answer(sdp, candidate) {
    await viewer.peer.setRemoteDescription({ type: 'offer', sdp });
    await viewer.peer.setLocalDescription(await viewer.peer.createAnswer());
    await viewer.peer.addIceCandidate({ candidate, sdpMid: '0' });
    return viewer.peer.localDescription.sdp;
  },
  numbered(number) {
    const bytes = new Uint8Array(24);
    new DataView(bytes.buffer).setUint32(0, number);
    return bytes;
  },
  /** So many messages of each name, spread over so many ms. */
  async send(counts, ms) {
    const sent = {};
    const startMs = performance.now();
    await new Promise((resolve) => {
      const timer = setInterval(() => {
        const share = Math.min(1, (performance.now() - startMs) / ms);
        for (const [name, count] of Object.entries(counts)) {
          sent[name] ??= 0;
          for (; sent[name] < count * share; sent[name] += 1) {
            viewer.channels[name].send(viewer.numbered(sent[name]));
          }
        }
        if (share === 1) { clearInterval(timer); resolve(); }
      }, 4);
    });
  },
};
viewer.peer = new RTCPeerConnection({ iceServers: [] });
`;

const reliable = {};
const lossy = { ordered: false, maxRetransmits: 0 };

let browser: Browser;
let device: DataDevice;

async function open(page: Page, ...values: readonly (string | object)[]): Promise<void> {
  await page.evaluate(`viewer.open(${values.map((value) => JSON.stringify(value)).join(', ')})`);
}

async function ask<T>(page: Page, schema: v.GenericSchema<T>, expression: string): Promise<T> {
  return v.parse(schema, await page.evaluate(expression));
}

/** A page that is connected, with all three channels open at both ends. */
async function connect(options: Parameters<DataDevice['offer']>[0] = {}) {
  const page = await browser.newPage();
  await page.evaluate(script);
  await open(page, 'keys', keysLabel, hidProtocol, reliable);
  await open(page, 'pointer', pointerLabel, hidProtocol, lossy);
  await open(page, 'lane', fastLaneLabel, fastLaneProtocol, lossy);
  const { viewer, sdp, candidate } = await device.offer({ hid: true, ...options });
  const args = [sdp, candidate].map((value) => JSON.stringify(value)).join(', ');
  viewer.answer(await ask(page, v.string(), `viewer.answer(${args})`));
  await waitFor('the connection', () => viewer.transport.state === 'connected');
  return { page, viewer, transport: viewer.transport };
}

async function connectWithKeys(options: Parameters<DataDevice['offer']>[0] = {}) {
  const connected = await connect(options);
  await waitFor('the keys', () => connected.transport.keysOpen);
  await waitFor('the pointer', () => connected.viewer.hidChanges.includes('pointer open'));
  await waitFor('the lane', () => connected.transport.dataChannelOpen);
  return connected;
}

const numbers = ({ hid }: DataViewer, channel: string): number[] =>
  hid.filter((each) => each.channel === channel).map(({ message }) => message.readUInt32BE(0));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

describe('the channels of keyboard and pointer, and Chromium', () => {
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

  test('three channels are open at once, and each message comes by its own', async () => {
    const { page, viewer, transport } = await connectWithKeys();
    await page.evaluate('viewer.send({ keys: 3, pointer: 2, lane: 1 }, 1)');
    await waitFor('all', () => viewer.hid.length === 5 && viewer.messages.length === 1);
    assert.deepEqual(numbers(viewer, 'keys'), [0, 1, 2]);
    assert.deepEqual(numbers(viewer, 'pointer').length, 2);
    const message = Buffer.alloc(16);
    message.writeUInt32BE(77);
    assert.equal(transport.sendKeys(message), true);
    assert.equal(transport.sendKeys(Buffer.alloc(0)), false);
    assert.equal(transport.sendKeys(Buffer.alloc(257)), false);
    await waitFor('the answer', () => ask(page, v.boolean(), 'viewer.received.keys[0] === 77'));
    assert.equal(transport.datagramsRefused, 0);

    await page.evaluate('viewer.channels.keys.close()');
    await waitFor('the keys to be gone', () => !transport.keysOpen);
    assert.equal(viewer.hidChanges.at(-1), 'keys closed');
    assert.equal(transport.sendKeys(message), false);
    await page.evaluate('viewer.send({ pointer: 1 }, 1)');
    await waitFor('the pointer goes on', () => numbers(viewer, 'pointer').length === 3);
    await transport.close();
    assert.equal(viewer.hidChanges.at(-1), 'pointer closed');
  });

  for (const { lossRate, jitterMs } of [
    { lossRate: 0, jitterMs: 15 },
    { lossRate: 0.05, jitterMs: 15 },
  ]) {
    test(`keys come all and in order beside a pointer at 1,000 messages a second, with ${lossRate * 100} % loss and ${jitterMs} ms jitter`, async (t) => {
      const relay = new ImpairRelay({ seed: 11 });
      const { page, viewer, transport } = await connectWithKeys({ relay });
      const network = { lossRate, delayMs: 10, jitterMs, keepsOrder: false };
      relay.toDevice.set(network);
      relay.toViewer.set(network);
      await page.evaluate('viewer.send({ keys: 300, pointer: 3_000 }, 3_000)');
      await waitFor('every key', () => numbers(viewer, 'keys').length >= 300);
      assert.deepEqual(numbers(viewer, 'keys'), upTo(300));
      const moves = numbers(viewer, 'pointer');
      t.diagnostic(`${moves.length} of 3,000 moves came, ${transport.datagramsRefused} refused`);
      assert.equal(new Set(moves).size, moves.length);
      assert.ok(moves.length > 1_500, `${moves.length} moves`);
      if (lossRate > 0) assert.ok(moves.length < 3_000, 'moves were sent again');
      assert.equal(transport.state, 'connected');
      await transport.close();
      await relay.stop();
    });
  }

  test('no key is lost beside a flood of 10,000 moves a second', async (t) => {
    const { page, viewer, transport } = await connectWithKeys();
    await page.evaluate('viewer.send({ keys: 60, pointer: 10_000 }, 1_000)');
    await waitFor('every key', () => numbers(viewer, 'keys').length >= 60);
    assert.deepEqual(numbers(viewer, 'keys'), upTo(60));
    t.diagnostic(`${numbers(viewer, 'pointer').length} moves came`);
    assert.equal(transport.state, 'connected');
    assert.equal(transport.keysOpen, true);
    await transport.close();
  });

  test('what the device says by the keys comes all and in order over a bad network', async () => {
    const relay = new ImpairRelay({ seed: 12 });
    const { page, transport } = await connectWithKeys({ relay });
    relay.toViewer.set({ lossRate: 0.1, delayMs: 10, jitterMs: 10, keepsOrder: false });
    relay.toDevice.set({ lossRate: 0.1, delayMs: 10 });
    for (let number = 0; number < 200; number += 1) {
      const message = Buffer.alloc(23);
      message.writeUInt32BE(number);
      assert.equal(transport.sendKeys(message), true);
    }
    await waitFor('all of them', () =>
      ask(page, v.boolean(), 'viewer.received.keys.length >= 200'),
    );
    assert.deepEqual(await ask(page, v.array(v.number()), 'viewer.received.keys'), upTo(200));
    await transport.close();
    await relay.stop();
  });

  test('a viewer that takes nothing loses the channel of the keys, not the connection', async () => {
    const relay = new ImpairRelay({ seed: 13 });
    const { viewer, transport } = await connectWithKeys({ relay });
    relay.toViewer.set({ lossRate: 1 });
    const message = Buffer.alloc(200);
    let sent = 0;
    while (transport.sendKeys(message) && sent < 10_000) sent += 1;
    assert.equal(sent, Math.floor(maxReliableQueueBytes / message.length));
    assert.equal(transport.keysOpen, false);
    assert.equal(viewer.hidChanges.at(-1), 'keys overflow');
    assert.equal(transport.state, 'connected');
    await transport.close();
    await relay.stop();
  });

  test('a channel that is not exactly one of these is closed, and so is every one without a host', async () => {
    const { page, transport } = await connectWithKeys();
    const wrong = {
      unordered: [keysLabel, hidProtocol, { ordered: false }],
      lossy: [keysLabel, hidProtocol, lossy],
      reliable: [pointerLabel, hidProtocol, reliable],
      again: [pointerLabel, hidProtocol, { ordered: false, maxRetransmits: 1 }],
      protocol: [keysLabel, 'earshot-hid-2', reliable],
    } as const;
    for (const [name, values] of Object.entries(wrong)) {
      await open(page, name, ...values);
      await waitFor(`${name} to be closed`, () =>
        ask(page, v.boolean(), `viewer.states.${name} === 'closed'`),
      );
    }
    assert.equal(transport.keysOpen, true);
    await transport.close();
    const other = await connect({ hid: false });
    await waitFor('the keys to be closed', () =>
      ask(other.page, v.boolean(), `viewer.states.keys === 'closed'`),
    );
    await waitFor('the lane', () => other.transport.dataChannelOpen);
    assert.deepEqual(other.viewer.hidChanges, []);
    await other.transport.close();
  });

  test('a page may start over with the keys', async () => {
    const { page, viewer, transport } = await connectWithKeys();
    for (const name of ['second', 'third']) {
      await open(page, name, keysLabel, hidProtocol, reliable);
      await waitFor(`${name} to open`, () =>
        ask(page, v.boolean(), `viewer.states.${name} === 'open'`),
      );
      await page.evaluate(`viewer.send({ ${name}: 2 }, 1)`);
    }
    await waitFor('their messages', () => numbers(viewer, 'keys').length === 4);
    assert.deepEqual(numbers(viewer, 'keys'), [0, 1, 0, 1]);
    assert.deepEqual(
      viewer.hidChanges.filter((change) => change.startsWith('keys')),
      ['keys open', 'keys closed', 'keys open', 'keys closed', 'keys open'],
    );
    await transport.close();
  });
});

describe('a viewer with the right keys and bad manners', () => {
  test('what makes no sense on the channels of the keys is refused; the connection stays', async () => {
    const own = new DataDevice();
    await own.start();
    const hostile = new RawDataViewer();
    const target = await hostile.connect(own, { hid: true });
    const opening = openMessage({
      label: keysLabel,
      protocol: hidProtocol,
      type: 0,
      // Ignored on a reliable channel (RFC 8832 §5.1).
      reliability: 9,
    });
    await hostile.send(4, 50, opening);
    await waitFor('the keys', () => target.transport.keysOpen);
    const before = target.transport.datagramsRefused;
    await hostile.send(4, 51, Buffer.from('text'));
    await hostile.send(4, 53, Buffer.alloc(65));
    await hostile.send(6, 53, Buffer.from('no channel'));
    await hostile.send(4, 50, Buffer.from([2]));
    await waitFor('all to be refused', () => target.transport.datagramsRefused >= before + 4);
    // The stream of the keys becomes the pointer's: whoever held keys has let go.
    await hostile.send(
      4,
      50,
      openMessage({ label: pointerLabel, protocol: hidProtocol, type: 0x81 }),
    );
    await waitFor('the pointer', () => target.hidChanges.includes('pointer open'));
    assert.deepEqual(target.hidChanges, ['keys open', 'keys closed', 'pointer open']);
    assert.equal(target.hid.length, 0);
    assert.equal(target.transport.state, 'connected');
    await target.transport.close();
    await hostile.close();
    await own.stop();
  });
});
