import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import type { DeviceMessage } from '../../src/media/signaling-messages.ts';
import { integrityHolds, readStunMessage } from '../../src/media/stun-message.ts';
import { writeTcpFrame } from '../../src/media/tcp-frames.ts';
import { clientHello } from '../fixtures/dtls-datagrams.ts';
import { goodAnswer } from '../fixtures/fake-transport.ts';
import { heapBytes } from '../fixtures/heap.ts';
import {
  Dice,
  hostileDatagram,
  type KnownCredentials,
  signedStun,
} from '../fixtures/hostile-datagrams.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { bindingRequest } from '../fixtures/stun-messages.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';

/**
 * What strangers and viewers that mean harm can send, while another viewer listens. `HOSTILE_MINUTES=10
 * HOSTILE_SEED=7 node --test test/integration/media-hostile.test.ts` goes on for longer, with other dice.
 */
const minutes = Number(process.env['HOSTILE_MINUTES'] ?? 0);
const dice = new Dice(Number(process.env['HOSTILE_SEED'] ?? 20_260_201));
const rounds = 4_000;
const handshakes = 200;
const heapBoundMb = 8;

/** A viewer that speaks by hand: a session, its offer's credentials, and where the device is. */
class HandViewer {
  readonly messages: DeviceMessage[] = [];
  ended = '';
  readonly #session: ReturnType<MediaHub['openSession']>;

  constructor(hub: MediaHub) {
    this.#session = hub.openSession({
      send: (message) => this.messages.push(message),
      end: (reason) => {
        this.ended = reason;
      },
    });
  }

  say(message: unknown): void {
    this.#session.receive(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async offered(): Promise<KnownCredentials & { readonly port: number }> {
    this.say({ type: 'webrtc_ready' });
    const has = (type: string) => this.messages.some((message) => message.type === type);
    // Within this process the offer is a few turns of the event loop away.
    while (!has('ice_candidate')) await turn();
    let fragment = '';
    let password = '';
    let port = 0;
    for (const message of this.messages) {
      if (message.type === 'webrtc_offer') {
        fragment = /a=ice-ufrag:(.*)/.exec(message.sdp)?.[1]?.trim() ?? '';
        password = /a=ice-pwd:(.*)/.exec(message.sdp)?.[1]?.trim() ?? '';
      } else if (message.type === 'ice_candidate') {
        port = Number(message.candidate.split(' ')[5]);
      }
    }
    return { username: `${fragment}:unKV`, password, port };
  }

  close(): void {
    this.#session.close('gone');
  }
}

describe('a device under attack', () => {
  let hub: MediaHub;
  let source: OpusSource;
  let listener: WeriftViewer;
  let socket: Socket;

  before(async () => {
    hub = new MediaHub({
      config: {
        iceServers: [],
        udpPortMin: 0,
        udpPortMax: 0,
        tcpPort: 'udp',
        addresses: ['127.0.0.1'],
        maxViewers: 4,
      },
      log: silentLog,
    });
    await hub.start();
    source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
    source.start();
    listener = new WeriftViewer();
    listener.watch(hub);
    await waitFor('packets', () => listener.packets.length > 10);
    socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  });

  after(async () => {
    source.stop();
    socket.close();
    await listener.close();
    await hub.stop();
  });

  afterEach(async () => {
    const before = listener.packets.length;
    await waitFor('media to go on', () => listener.packets.length > before + 20);
    assert.equal(listener.state, 'connected');
    const numbers = listener.packets.map(({ header }) => header.sequenceNumber);
    for (const [index, number] of numbers.entries()) {
      const previous = numbers[index - 1];
      if (previous !== undefined) assert.equal(number, (previous + 1) & 0xffff);
    }
    listener.packets.splice(0, listener.packets.length - 1);
  });

  const send = (datagram: Buffer, port: number) =>
    new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve));

  /** Until the time is over, or once around where there is none. */
  async function storm(round: (index: number) => Promise<void>): Promise<void> {
    const endMs = performance.now() + minutes * 60_000;
    do {
      for (let index = 0; index < rounds; index += 1) {
        await round(index);
        // Both ends are in this process: the device reads when the loop turns.
        if (index % 10 === 0) await turn();
      }
      listener.packets.splice(0, listener.packets.length - 1);
    } while (performance.now() < endMs);
  }

  test(`viewers that vanish in the middle of the handshake, ${handshakes} times`, async () => {
    const vanish = async (): Promise<void> => {
      const viewer = new HandViewer(hub);
      const known = await viewer.offered();
      viewer.say({ type: 'webrtc_answer', sdp: goodAnswer });
      await send(bindingRequest(known), known.port);
      await send(clientHello(), known.port);
      await turn();
      viewer.close();
      while (hub.sessions().length > 1) await turn();
    };
    // What is made once and kept is no growth.
    for (let count = 0; count < 20; count += 1) await vanish();
    const resources = process.getActiveResourcesInfo().length;
    const heap = heapBytes();
    for (let count = 0; count < handshakes; count += 1) await vanish();
    listener.packets.splice(0, listener.packets.length - 1);
    await waitFor(
      'handles to be let go',
      () => process.getActiveResourcesInfo().length <= resources + 5,
    );
    const grownMb = (heapBytes() - heap) / 1_048_576;
    assert.ok(grownMb < heapBoundMb, `the heap grew by ${grownMb} MB`);
  });

  test('descriptions and candidates that are garbage, huge, or of another session', async () => {
    const viewer = new HandViewer(hub);
    await viewer.offered();
    const answers = [
      'v=0',
      'x'.repeat(32 * 1_024),
      `v=0\r\n${'a=b\r\n'.repeat(5_000)}`,
      `v=0\r\n${'m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n'.repeat(500)}`,
      goodAnswer.replace(/a=ice-ufrag:.*/, `a=ice-ufrag:${'u'.repeat(300)}`),
      goodAnswer.replace(/a=fingerprint:.*/, 'a=fingerprint:sha-256 AB'),
    ];
    for (const sdp of answers) {
      const { length } = viewer.messages;
      viewer.say({ type: 'webrtc_answer', sdp });
      viewer.say({
        type: 'ice_candidate',
        candidate: dice.bytes(200).toString('latin1'),
        sdp_mid: '0',
        sdp_mline_index: 0,
      });
      assert.ok(viewer.messages.slice(length).some(({ type }) => type === 'error'));
    }
    for (let count = 0; count < 40 && viewer.ended === ''; count += 1) {
      viewer.say(dice.pick([dice.bytes(100).toString('latin1'), '{}', '[]', 'x'.repeat(70_000)]));
    }
    assert.match(viewer.ended, /could not be understood/);
    viewer.close();

    const other = new HandViewer(hub);
    await other.offered();
    other.say({ type: 'webrtc_answer', sdp: goodAnswer });
    for (let count = 0; count < 300; count += 1) {
      const address = dice.pick([
        '127.0.0.1',
        '255.255.255.255',
        '224.0.0.1',
        '::1',
        'localhost',
        '0.0.0.0',
      ]);
      other.say({
        type: 'ice_candidate',
        candidate: `candidate:${count} 1 udp ${dice.roll(2 ** 24)} ${address} ${dice.roll(70_000)} typ host`,
        sdp_mid: '0',
        sdp_mline_index: 0,
      });
    }
    other.close();
    await waitFor('one session', () => hub.sessions().length === 1);
  });

  test('datagrams of strangers, and of a viewer with the right password', async () => {
    const viewer = new HandViewer(hub);
    const known = await viewer.offered();
    viewer.say({ type: 'webrtc_answer', sdp: goodAnswer });
    const admitted = Array.from({ length: 100 }, () => signedStun(dice, known)).filter(
      (datagram) => {
        const message = readStunMessage(datagram);
        return message !== undefined && integrityHolds(datagram, message, known.password);
      },
    );
    assert.ok(admitted.length > 20, `${admitted.length} of 100 get past the guard`);
    const heap = heapBytes();
    await storm(async (index) => {
      const isSigned = index % 4 === 0;
      await send(isSigned ? signedStun(dice, known) : hostileDatagram(dice, known), known.port);
      // From where a viewer is known to be, too.
      if (index % 8 === 1) await listener.sendRaw(hostileDatagram(dice, known));
    });
    const grownMb = (heapBytes() - heap) / 1_048_576;
    assert.ok(grownMb < heapBoundMb, `the heap grew by ${grownMb} MB`);
    viewer.close();
    await waitFor('one session', () => hub.sessions().length === 1);
  });

  test('TCP frames of strangers, and of a viewer with the right password', async () => {
    const viewer = new HandViewer(hub);
    const known = await viewer.offered();
    viewer.say({ type: 'webrtc_answer', sdp: goodAnswer });
    const heap = heapBytes();
    const dial = async () => {
      const stream = connect({ host: '127.0.0.1', port: known.port });
      stream.on('error', () => undefined);
      stream.resume();
      await once(stream, 'connect');
      return stream;
    };
    const framed = (datagram: Buffer) => writeTcpFrame(datagram) ?? datagram;
    let stream = await dial();
    stream.write(framed(bindingRequest(known)));
    await storm(async (index) => {
      if (stream.destroyed || index % 200 === 0) {
        stream.destroy();
        stream = await dial();
        if (index % 400 === 0) stream.write(framed(bindingRequest(known)));
      }
      const datagram = index % 4 === 0 ? signedStun(dice, known) : hostileDatagram(dice, known);
      const bytes = dice.roll(50) === 0 ? dice.bytes(300) : framed(datagram);
      await new Promise((resolve) => stream.write(bytes, resolve));
    });
    stream.destroy();
    const grownMb = (heapBytes() - heap) / 1_048_576;
    assert.ok(grownMb < heapBoundMb, `the heap grew by ${grownMb} MB`);
    viewer.close();
    await waitFor('one session', () => hub.sessions().length === 1);
  });
});
