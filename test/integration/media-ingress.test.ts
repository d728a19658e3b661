import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { after, afterEach, before, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MediaHub } from '../../src/media/media-hub.ts';
import type { DeviceMessage } from '../../src/media/signaling-messages.ts';
import {
  clientHello,
  plaintextAlert,
  record,
  rtpWithHugeExtension,
} from '../fixtures/dtls-datagrams.ts';
import { heapBytes } from '../fixtures/heap.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';

const killers = [
  rtpWithHugeExtension(),
  plaintextAlert,
  clientHello(),
  clientHello().subarray(0, 60),
  record(22, 0, Buffer.alloc(5)),
  record(21, 1, Buffer.from([1, 0])),
  record(23, 1, Buffer.alloc(40, 9)),
];

/** Where a candidate of ours says the media port is. */
function mediaPort(messages: readonly DeviceMessage[]): { address: string; port: number } {
  for (const message of messages) {
    if (message.type !== 'ice_candidate') continue;
    const [, , , , address = '', port = ''] = message.candidate.split(' ');
    if (address.includes('.')) return { address, port: Number(port) };
  }
  throw new Error('no IPv4 candidate');
}

describe('a live media port under attack', () => {
  let hub: MediaHub;
  let source: OpusSource;
  let viewer: WeriftViewer;
  let stranger: Socket;

  before(async () => {
    hub = await startMediaHub();
    source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 10 });
    source.start();
    stranger = createSocket('udp4');
    viewer = new WeriftViewer();
    viewer.watch(hub);
    await waitFor('packets', () => viewer.packets.length > 20);
  });

  after(async () => {
    source.stop();
    stranger.close();
    await viewer.close();
    await hub.stop();
  });

  afterEach(async () => {
    const before = viewer.packets.length;
    await waitFor('media to go on', () => viewer.packets.length > before + 20);
    assert.equal(viewer.state, 'connected');
    assert.equal(hub.sessions()[0]?.state, 'connected');
    const numbers = viewer.packets.map(({ header }) => header.sequenceNumber);
    for (const [index, number] of numbers.entries()) {
      const previous = numbers[index - 1];
      if (previous !== undefined) assert.equal(number, (previous + 1) & 0xffff);
    }
  });

  async function send(datagram: Buffer): Promise<void> {
    const { address, port } = mediaPort(viewer.messages);
    await new Promise((resolve) => stranger.send(datagram, port, address, resolve));
  }

  test('known killers from a stranger are refused', async () => {
    const { datagramsRefused } = hub.stats();
    for (const killer of killers) await send(killer);
    await waitFor(
      'the refusals',
      () => hub.stats().datagramsRefused >= datagramsRefused + killers.length,
    );
  });

  test('known killers from the viewer itself are refused', async () => {
    const refused = hub.sessions()[0]?.datagramsRefused ?? 0;
    // The last one is application data, which only its own cipher can refuse.
    const forbidden = killers.slice(0, -1);
    for (const killer of killers) await viewer.sendRaw(killer);
    await waitFor(
      'the refusals',
      () => (hub.sessions()[0]?.datagramsRefused ?? 0) >= refused + forbidden.length,
    );
  });

  test('twenty thousand random datagrams leave nothing behind', async () => {
    let random = 12_345;
    const next = (): number => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
      return random >>> 8;
    };
    const before = heapBytes();
    const { datagramsRefused } = hub.stats();
    for (let count = 0; count < 20_000; count += 1) {
      const datagram = Buffer.alloc(1 + (next() % 1_200));
      for (let at = 0; at < datagram.length; at += 3) datagram.writeUInt8(next() & 0xff, at);
      // Half of them look like a protocol we speak.
      if (count % 2 === 0)
        datagram.writeUInt8([0, 1, 22, 21, 23, 128, 144, 64][next() % 8] ?? 0, 0);
      await send(datagram);
      // Both ends are in this process: the device reads when the loop turns.
      if (count % 10 === 0) await turn();
    }
    await waitFor('the refusals', () => hub.stats().datagramsRefused > datagramsRefused + 15_000);
    viewer.packets.splice(0, viewer.packets.length - 1);
    const grownMb = (heapBytes() - before) / 1_048_576;
    assert.ok(grownMb < 8, `the heap grew by ${grownMb} MB`);
  });

  test('the guard holds after a media reset too', async () => {
    const second = new WeriftViewer();
    second.watch(hub);
    await waitFor('packets', () => second.packets.length > 5);
    second.say({ type: 'direct_media_reset_request' });
    await waitFor(
      'a second offer',
      () => second.messages.filter(({ type }) => type === 'webrtc_offer').length === 2,
    );
    for (const killer of killers) await send(killer);
    await second.close();
    await waitFor('one session', () => hub.sessions().length === 1);
  });
});
