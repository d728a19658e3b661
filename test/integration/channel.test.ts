import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Channel, type ChannelOptions, type CloseReason } from '../../src/ipc/channel.ts';
import { encodeFrame, headerBytes } from '../../src/ipc/framing.ts';
import { type ControlMessage, frameFlags, type MediaMessage } from '../../src/ipc/messages.ts';
import { socketPair } from '../fixtures/socket-pair.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** A channel and everything it got; payloads are copied. */
interface End {
  readonly channel: Channel;
  readonly socket: Socket;
  readonly control: ControlMessage[];
  readonly media: MediaMessage[];
  readonly closes: CloseReason[];
}

const ends: End[] = [];

function endOf(socket: Socket, options?: ChannelOptions): End {
  const channel = new Channel(socket, options);
  const end: End = { channel, socket, control: [], media: [], closes: [] };
  channel.on('control', (message) => end.control.push(message));
  channel.on('media', (message) => {
    end.media.push({ ...message, payload: Buffer.from(message.payload) });
  });
  channel.on('close', (reason) => end.closes.push(reason));
  ends.push(end);
  return end;
}

async function pair(options: { near?: ChannelOptions; far?: ChannelOptions } = {}) {
  const [nearSocket, farSocket] = await socketPair();
  const near = endOf(nearSocket, options.near);
  const far = endOf(farSocket, options.far);
  near.channel.start();
  return { near, far };
}

async function startedPair(options: { near?: ChannelOptions; far?: ChannelOptions } = {}) {
  const both = await pair(options);
  both.far.channel.start();
  both.far.socket.resume();
  return both;
}

const nowNs = () => process.hrtime.bigint();

afterEach(() => {
  for (const { channel, socket } of ends.splice(0)) {
    channel.close();
    socket.destroy();
  }
});

describe('a channel', () => {
  it('carries control and media both ways, numbered per type', async () => {
    const { near, far } = await startedPair();
    near.channel.send('configure', { id: 5, config: { a: [1] } });
    near.channel.send('stop', {});
    for (const text of ['a', 'b']) {
      near.channel.sendMedia({
        type: 'opus',
        payload: Buffer.from(text),
        timestampNs: 77n,
        flags: frameFlags.endOfStream,
      });
    }
    far.channel.send('event', { name: 'xrun', data: { lostSamples: 1 } });
    far.channel.sendMedia({ type: 'pcm', payload: Buffer.alloc(0), timestampNs: -1n });
    await waitFor('everything', () => far.media.length === 2 && near.media.length === 1);
    assert.deepEqual(far.control, [
      { type: 'configure', body: { id: 5, config: { a: [1] } } },
      { type: 'stop', body: {} },
    ]);
    const flags = frameFlags.endOfStream;
    assert.deepEqual(far.media, [
      { type: 'opus', flags, sequence: 0, timestampNs: 77n, payload: Buffer.from('a') },
      { type: 'opus', flags, sequence: 1, timestampNs: 77n, payload: Buffer.from('b') },
    ]);
    assert.deepEqual(near.control, [
      { type: 'event', body: { name: 'xrun', data: { lostSamples: 1 } } },
    ]);
    assert.equal(near.media[0]?.timestampNs, 0n, 'a time before the clock began is its beginning');
    assert.equal(near.channel.stats().framesSent, 4);
    assert.equal(far.channel.stats().framesReceived, 4);
    assert.equal(far.channel.stats().bytesReceived, near.channel.stats().bytesSent);
  });

  it('carries the largest frames whole', async () => {
    const { near, far } = await startedPair();
    const payload = Buffer.alloc(4 * 1024 * 1024);
    for (let offset = 0; offset < payload.length; offset += 4)
      payload.writeUInt32LE(offset, offset);
    near.channel.sendMedia({ type: 'video', payload, timestampNs: nowNs() });
    await waitFor('the frame', () => far.media.length === 1);
    assert.ok(far.media[0]?.payload.equals(payload));
  });

  it('sends no frame over its limit', async () => {
    const { near } = await startedPair();
    const limits = {
      opus: 1_500,
      pcm: 65_536,
      video: 4 * 1024 * 1024,
      picture: 4 * 1024 * 1024,
    } as const;
    for (const type of ['opus', 'pcm', 'video', 'picture'] as const) {
      const payload = Buffer.alloc(limits[type] + 1);
      assert.throws(() => near.channel.sendMedia({ type, payload, timestampNs: 0n }), {
        code: 'IPC_MESSAGE_TOO_LARGE',
      });
    }
    assert.equal(near.channel.stats().framesSent, 0);
  });

  it('flushes, so that a last message is not lost', async () => {
    const { near, far } = await startedPair();
    for (let index = 0; index < 100; index += 1) near.channel.send('stats', { stats: { index } });
    await near.channel.flush({ deadlineMs: 20_000 });
    assert.equal(near.channel.stats().queuedBytes, 0);
    near.channel.close();
    await waitFor('the close', () => far.closes.length === 1);
    assert.equal(far.control.length, 100);
    assert.equal(far.closes[0]?.kind, 'peer');
  });

  it('says nothing after its close, and sends nothing', async () => {
    const { near, far } = await startedPair();
    near.channel.close('done');
    near.channel.close('again');
    assert.deepEqual(near.closes, [{ kind: 'local', message: 'done' }]);
    assert.equal(near.channel.send('stop', {}), false);
    assert.equal(
      near.channel.sendMedia({ type: 'opus', payload: Buffer.from('x'), timestampNs: 0n }),
      false,
    );
    await near.channel.flush({ deadlineMs: 20_000 });
    await assert.rejects(near.channel.request('ping', {}, { deadlineMs: 20_000 }), {
      code: 'IPC_CLOSED',
      message: 'done',
    });
    await waitFor('the other close', () => far.closes.length === 1);
  });
});

describe('requests', () => {
  it('are answered by id; pings by the channel itself', async () => {
    const { near, far } = await startedPair();
    const configure = near.channel.request('configure', { config: {} }, { deadlineMs: 20_000 });
    const ping = near.channel.request('ping', {}, { deadlineMs: 20_000 });
    assert.equal((await ping).type, 'pong');
    const asked = await waitFor('the request', () => far.control[0]);
    assert.ok(asked.type === 'configure');
    far.channel.send('configured', { id: asked.body.id, effective: { done: true } });
    assert.deepEqual((await configure).body.effective, { done: true });
    assert.equal(far.control.length, 1, 'the ping was not shown');
    assert.equal(near.control.length, 0, 'nor the answers');
  });

  it('are rejected when the channel closes', async () => {
    const { near, far } = await startedPair({ far: { answerPings: false } });
    const ping = near.channel.request('ping', {}, { deadlineMs: 20_000 });
    await waitFor('the ping', () => far.control.length === 1);
    far.channel.close();
    await assert.rejects(ping, { code: 'IPC_CLOSED' });
    assert.equal(near.channel.stats().requestsPending, 0);
  });

  it('that are answered too late are counted', async () => {
    const { near, far } = await startedPair({ far: { answerPings: false } });
    await assert.rejects(near.channel.request('ping', {}, { deadlineMs: 1 }), {
      code: 'IPC_TIMEOUT',
    });
    const ping = await waitFor('the ping', () => far.control[0]);
    assert.ok(ping.type === 'ping');
    far.channel.send('pong', { id: ping.body.id });
    await waitFor('the late reply', () => near.channel.stats().lateReplies === 1);
    assert.equal(near.channel.stats().requestTimeouts, 1);
    assert.equal(near.control.length, 0);
  });
});

describe('what is no message', () => {
  it('closes the channel when it is no frame', async () => {
    const { near, far } = await startedPair();
    near.socket.write(Buffer.alloc(headerBytes));
    await waitFor('the close', () => far.closes.length === 1);
    assert.equal(far.closes[0]?.kind, 'framing');
    assert.equal(far.closes[0]?.fault?.field, 'magic');
    assert.equal(far.channel.stats().framingFaults, 1);
    await waitFor('the other close', () => near.closes.length === 1);
  });

  it('is refused when it is an invalid control message, with the request told', async () => {
    const { near, far } = await startedPair();
    const invalid: string[] = [];
    far.channel.on('invalid', (error) => invalid.push(error.message));
    const request = near.channel.request('configure', { config: {} }, { deadlineMs: 20_000 });
    const first = await waitFor('the request', () => far.control[0]);
    assert.ok(first.type === 'configure');
    const header = { flags: 0, sequence: 1, timestampNs: 0n };
    const body = `{"id":${first.body.id},"config":1}`;
    near.socket.write(encodeFrame({ type: 'configure', ...header }, Buffer.from(body)));
    await assert.rejects(request, { code: 'IPC_INVALID_MESSAGE' });
    near.socket.write(encodeFrame({ type: 'error', ...header }, Buffer.from('{}')));
    await waitFor('the second', () => invalid.length === 2);
    assert.equal(far.channel.stats().invalidMessages, 2);
    assert.equal(near.control.length, 0, 'an invalid error is not answered');
    assert.equal(far.closes.length, 0);
  });

  it('is named when the stream ends within a frame', async () => {
    const { near, far } = await startedPair();
    near.socket.end(Buffer.from('ERSH'));
    await waitFor('the close', () => far.closes.length === 1);
    assert.deepEqual(far.closes[0], {
      kind: 'peer',
      message: 'The other end closed the channel in the middle of a frame.',
    });
  });
});

describe('a reader that stops', () => {
  it('bounds what waits, drops the oldest media, keeps all control, and mixes up no frame', async () => {
    const { near, far } = await pair();
    const payload = Buffer.alloc(1_000);
    const frames = 20_000;
    let highestQueued = 0;
    for (let index = 0; index < frames; index += 1) {
      payload.writeUInt32LE(index, 0);
      payload.fill(index & 0xff, 4);
      const timestampNs = BigInt(index) * 20_000_000n;
      near.channel.sendMedia({ type: 'opus', payload, timestampNs });
      if (index % 1_000 === 0) near.channel.send('stats', { stats: { index } });
      // What the kernel takes, it takes only when this side lets its own loop turn.
      if (index % 50 === 0) await new Promise(setImmediate);
      highestQueued = Math.max(highestQueued, near.channel.stats().queuedBytes);
    }
    // One write of at most 64 KiB with the socket, 100 ms of frames, and the control.
    assert.ok(highestQueued < 64 * 1024 + 6 * 1_024 + 20 * 100, String(highestQueued));
    const dropped = near.channel.stats().mediaDropped.opus;
    assert.ok(dropped > frames / 2, String(dropped));
    far.channel.start();
    far.socket.resume();
    await waitFor('the rest', () => far.media.length === frames - dropped);
    await waitFor('the control', () => far.control.length === 20);
    assert.deepEqual(
      far.control.map((message) => message.type === 'stats' && message.body.stats['index']),
      Array.from({ length: 20 }, (_, index) => index * 1_000),
    );
    let expected = 0;
    for (const { sequence, payload: got, flags } of far.media) {
      assert.ok(sequence >= expected, 'in order');
      assert.equal((flags & frameFlags.discontinuity) !== 0, sequence !== expected);
      assert.equal(got.readUInt32LE(0), sequence);
      assert.ok(got.subarray(4).every((byte) => byte === (sequence & 0xff)));
      expected = sequence + 1;
    }
    assert.equal(expected, frames, 'the newest is there');
    assert.equal(far.channel.stats().sequenceGaps, dropped);
    assert.equal(near.channel.stats().mediaDropped.opus, dropped);
  });

  it('keeps 3 frames of video', async () => {
    const { near, far } = await pair();
    for (let index = 0; index < 20; index += 1) {
      near.channel.sendMedia({
        type: 'video',
        payload: Buffer.alloc(1024 * 1024, index),
        timestampNs: nowNs(),
      });
    }
    assert.equal(near.channel.stats().mediaDropped.video, 20 - 1 - 3);
    far.channel.start();
    far.socket.resume();
    await waitFor('the rest', () => far.media.length === 4);
    assert.deepEqual(
      far.media.map(({ payload }) => payload[0]),
      [0, 17, 18, 19],
    );
    assert.ok(far.media.every(({ payload }) => payload.every((byte) => byte === payload[0])));
  });

  it('is told of by sendMedia, and the end of it by drain', async () => {
    const { near, far } = await pair();
    let sent = 0;
    while (
      near.channel.sendMedia({ type: 'opus', payload: Buffer.alloc(1_000), timestampNs: 0n })
    ) {
      sent += 1;
      await new Promise(setImmediate);
      assert.ok(sent < 100_000);
    }
    assert.equal(near.channel.stats().mediaDropped.opus, 0, 'told in time to lose nothing');
    const drained = once(near.channel, 'drain', { signal: AbortSignal.timeout(20_000) });
    far.channel.start();
    far.socket.resume();
    await drained;
    assert.equal(near.channel.stats().queuedBytes, 0);
  });

  it('for too long is unhealthy: the channel closes and what waited is counted', async () => {
    const { near } = await pair({ near: { stallMs: 100 } });
    const waiting = near.channel.request('ping', {}, { deadlineMs: 20_000 });
    const rejected = assert.rejects(waiting, { code: 'IPC_CLOSED' });
    for (let index = 0; index < 4; index += 1) {
      const payload = Buffer.alloc(1024 * 1024);
      near.channel.sendMedia({ type: 'video', payload, timestampNs: nowNs() });
    }
    await waitFor('the close', () => near.closes.length === 1);
    assert.deepEqual(near.closes, [
      { kind: 'stalled', message: 'The peer has not read for 100 ms.' },
    ]);
    await rejected;
    assert.equal(near.channel.stats().mediaDropped.video, 3);
  });

  it('cannot pile up control without end', async () => {
    const { near } = await pair();
    const stats = { text: 'x'.repeat(60_000) };
    let sent = 0;
    while (near.channel.send('stats', { stats })) {
      sent += 1;
      assert.ok(sent < 200);
    }
    assert.equal(near.closes[0]?.kind, 'overflow');
    assert.equal(near.channel.stats().queuedBytes < 300_000, true);
  });

  it('drops media that is too old on arrival, when asked to', async () => {
    const { near, far } = await startedPair({ far: { maxMediaAgeMs: 10_000 } });
    for (const ageNs of [0n, 60_000_000_000n, 0n]) {
      const timestampNs = nowNs() - ageNs;
      near.channel.sendMedia({ type: 'opus', payload: Buffer.from('x'), timestampNs });
      await near.channel.flush({ deadlineMs: 20_000 });
    }
    await waitFor('the last', () => far.media.length === 2);
    assert.deepEqual(
      far.media.map(({ sequence, flags }) => [sequence, flags]),
      [
        [0, 0],
        [2, frameFlags.discontinuity],
      ],
    );
    assert.equal(far.channel.stats().mediaStale, 1);
  });
});

describe('a child process on fd 3', () => {
  it('speaks, hears, and ends when its parent closes', async () => {
    const program = fileURLToPath(new URL('../fixtures/children/well-behaved.ts', import.meta.url));
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
    const socket = child.stdio[3];
    assert.ok(socket instanceof Socket);
    const end = endOf(socket);
    end.channel.start();
    const hello = await waitFor('hello', () => end.control[0]);
    assert.ok(hello.type === 'hello');
    assert.equal(hello.body.pid, child.pid);
    const config = { device: 'hw:CARD=Test' };
    const reply = await end.channel.request('configure', { config }, { deadlineMs: 20_000 });
    assert.deepEqual(reply, { type: 'ready', body: { id: 1, effective: config } });
    await waitFor('media', () => end.media.length >= 5);
    assert.equal(end.media[4]?.payload.toString(), 'opus');
    end.channel.close();
    assert.deepEqual(await exited, [69, null]);
  });

  it('is told when it was started by hand', async () => {
    const program = fileURLToPath(new URL('../fixtures/children/well-behaved.ts', import.meta.url));
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child, 'close', { signal: AbortSignal.timeout(20_000) });
    assert.match(text, /IPC_NO_PARENT/);
  });
});
