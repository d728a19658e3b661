import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MediaHub } from '../../src/media/media-hub.ts';
import type { MicrophoneFrame } from '../../src/media/media-types.ts';
import { heapBytes } from '../fixtures/heap.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';

const voice = Buffer.from('voice');

/** The microphone over real DTLS, SRTP and UDP, sent by an implementation that is not ours. */
describe('the microphone on the wire', () => {
  let hub: MediaHub;
  let source: OpusSource;
  let viewer: WeriftViewer;
  let frames: MicrophoneFrame[];
  let closed: string[];

  beforeEach(async () => {
    hub = await startMediaHub();
    source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
    frames = [];
    closed = [];
    hub.on('microphone', (frame) => {
      frames.push({ ...frame, payload: Buffer.from(frame.payload) });
    });
    hub.on('session-closed', (id) => closed.push(id));
    viewer = await connect();
    assert.equal(hub.openMicrophone(idOf(0)), true);
  });

  afterEach(async () => {
    source.stop();
    await viewer.close();
    await hub.stop();
  });

  async function connect(): Promise<WeriftViewer> {
    const next = new WeriftViewer();
    next.watch(hub);
    await waitFor('a connection', () => next.state === 'connected' && next.canSend);
    return next;
  }

  function idOf(index: number): string {
    return hub.sessions()[index]?.id ?? '';
  }

  function send(sequence: number, more: Partial<Parameters<typeof viewer.sendMicrophone>[0]> = {}) {
    return viewer.sendMicrophone({ sequence, timestamp: sequence * 960, payload: voice, ...more });
  }

  test('frames arrive as they were sent, over the wrap of sequence and timestamp', async () => {
    const before = process.hrtime.bigint();
    for (let index = 0; index < 20; index += 1) {
      await send(65_530 + index, {
        timestamp: 0xffffffff - 960 * 7 + 960 * index,
        payload: Buffer.from(`voice ${index}`),
        marker: index === 0,
      });
    }
    await waitFor('every frame', () => frames.length === 20);
    for (const [index, frame] of frames.entries()) {
      assert.equal(frame.session, idOf(0));
      assert.equal(frame.ssrc, viewer.microphoneSsrc);
      assert.equal(frame.sequence, (65_530 + index) & 0xffff);
      assert.equal(frame.timestamp, (0xffffffff - 960 * 7 + 960 * index) % 2 ** 32);
      assert.equal(frame.marker, index === 0);
      assert.equal(String(frame.payload), `voice ${index}`);
      assert.ok(frame.arrivalNs >= before && frame.arrivalNs <= process.hrtime.bigint());
    }
    const { microphonePackets, microphoneLost, microphoneFramesDropped } = hub.stats();
    assert.deepEqual([microphonePackets, microphoneLost, microphoneFramesDropped], [20, 0, 0]);
  });

  test('what never came is reported to the viewer, with and without sound on its way to it', async () => {
    for (const index of [0, 1, 2, 3, 5, 6, 7, 9]) await send(index);
    const block = await waitFor('a report', () => {
      const report = viewer.reports.find(({ type }) => type === 201);
      return report?.type === 201 && report.reports[0];
    });
    assert.deepEqual(
      [block.ssrc, block.packetsLost, block.fractionLost, block.highestSequence],
      [viewer.microphoneSsrc, 2, Math.floor((2 * 256) / 10), 9],
    );
    source.start();
    let sequence = 10;
    const later = await waitFor('a report with a sender report', async () => {
      sequence += 1;
      await send(sequence);
      const reports = viewer.reports.flatMap((report) =>
        report.type === 200 ? report.reports : [],
      );
      return reports[0];
    });
    assert.equal(later.ssrc, viewer.microphoneSsrc);
    assert.ok(later.packetsLost >= 2);
  });

  test('only the session that holds the microphone is heard, from the word on', async () => {
    const other = await connect();
    const speak = (sequence: number) =>
      other.sendMicrophone({ sequence, timestamp: sequence * 960, payload: voice });
    await send(1);
    await speak(1);
    const dropped = () => hub.stats().microphoneDrops.floor;
    await waitFor('both', () => frames.length === 1 && dropped() === 1);

    assert.equal(hub.openMicrophone('nobody'), false);
    await send(2);
    await waitFor('the first still', () => frames.length === 2);
    assert.equal(hub.openMicrophone(idOf(1)), true);
    await send(3);
    await speak(2);
    await waitFor('the other', () => frames.length === 3 && dropped() === 2);
    assert.equal(frames[2]?.session, idOf(1));
    assert.equal(frames[2]?.ssrc, other.microphoneSsrc);

    const id = idOf(1);
    await other.close();
    assert.deepEqual(closed, [id]);
    assert.equal(hub.openMicrophone(id), false);
    await send(4);
    await waitFor('nobody to be heard', () => dropped() === 3);
    assert.equal(hub.openMicrophone(idOf(0)), true);
    assert.equal(hub.openMicrophone(undefined), true);
    await send(5);
    await waitFor('nobody to be heard', () => dropped() === 4);
    assert.equal(frames.length, 3);
  });

  test('bad packets are dropped and counted by what is wrong with them; the sound goes on', async () => {
    source.start();
    await send(1);
    await send(2, { ssrc: 0x12345678 });
    await send(3, { payloadType: 0 });
    await send(4, { payload: Buffer.alloc(1_501) });
    await send(5, { payload: Buffer.from([0, 0, 3]), padding: true });
    await send(6, { payload: Buffer.from([0, 0, 9]), padding: true });
    // One byte of Opus is a packet: what is in it is the decoder's to judge.
    await send(7, { payload: Buffer.alloc(1) });
    const { datagramsRefused } = hub.stats();
    const lying = Buffer.alloc(60, 0x42);
    lying.writeUInt32BE(0x906f0008, 0);
    lying.writeUInt32BE(0xbede7fff, 12);
    await viewer.sendRaw(lying);
    await viewer.sendRaw(Buffer.from([0x80]));
    await viewer.sendRaw(Buffer.alloc(3_000, 0x80));
    await waitFor('the last frame', () => frames.length === 2);
    await waitFor('the refusals', () => hub.stats().datagramsRefused === datagramsRefused + 3);
    const { source: sources, malformed, oversize, ...drops } = hub.stats().microphoneDrops;
    assert.deepEqual([sources, drops['payload-type'], oversize, malformed], [1, 1, 1, 1]);
    assert.equal(hub.stats().microphoneFramesDropped, 4);
    assert.deepEqual(
      frames.map(({ sequence }) => sequence),
      [1, 7],
    );
    const heard = viewer.packets.length;
    await waitFor('the sound to go on', () => viewer.packets.length > heard + 20);
    assert.equal(hub.sessions()[0]?.state, 'connected');
  });

  test('a flood is cut down to what a microphone could send; memory stays, and the sound goes on', async () => {
    source.start();
    await waitFor('sound', () => viewer.packets.length > 5);
    const flood = async (from: number): Promise<number> => {
      for (let index = 0; index < 10_000; index += 1) {
        await send(from + index);
        if (index % 20 === 0) await turn();
      }
      return from + 10_000;
    };
    let next = await flood(0);
    const before = heapBytes();
    const startMs = performance.now();
    const passedBefore = frames.length;
    frames.length = 0;
    for (let round = 0; round < 2; round += 1) next = await flood(next);
    await waitFor('the excess to be dropped', () => hub.stats().microphoneDrops.rate > 1_000);
    const seconds = (performance.now() - startMs) / 1_000;
    assert.ok(passedBefore > 0);
    assert.ok(frames.length <= 400 * seconds + 100, `${frames.length} in ${seconds} s`);
    frames.length = 0;
    viewer.packets.length = 0;
    const grownMb = (heapBytes() - before) / 1_048_576;
    assert.ok(grownMb < 8, `the heap grew by ${grownMb} MB`);
    await waitFor('the sound to go on', () => viewer.packets.length > 20);
    assert.equal(hub.sessions()[0]?.state, 'connected');
  });
});
