import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { silentLog } from '../../src/log/log.ts';
import type { MediaEndpoint } from '../../src/media/media-endpoint.ts';
import type { TcpLimits } from '../../src/media/tcp-endpoint.ts';
import { writeTcpFrame } from '../../src/media/tcp-frames.ts';
import { type DatagramSource, type MuxSession, UdpMux } from '../../src/media/udp-mux.ts';
import { bindingRequest } from '../fixtures/stun-messages.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const fragment = 'device';
const password = 'p'.repeat(24);

/** A viewer's end that keeps what it is handed. */
function sessionEnd() {
  const stuns: Buffer[] = [];
  const closed: DatagramSource[] = [];
  const session: MuxSession = {
    passwordOf: (name) => (name === fragment ? password : undefined),
    awaits: () => undefined,
    dtlsPhase: () => 'handshaking',
    refused: () => undefined,
    stun: (datagram) => stuns.push(datagram),
    dtls: () => undefined,
    rtp: () => undefined,
    rtcp: () => undefined,
    tcpClosed: (from) => closed.push(from),
  };
  return { session, stuns, closed };
}

describe('the TCP listener of the mux', () => {
  let mux: UdpMux;
  let endpoint: MediaEndpoint;
  let sockets: Socket[];
  let end: ReturnType<typeof sessionEnd>;

  async function start(tcpLimits: Partial<TcpLimits> = {}): Promise<void> {
    mux = new UdpMux({
      portMin: 0,
      portMax: 0,
      addresses: ['127.0.0.1'],
      loopback: false,
      tcpPort: 'udp',
      tcpLimits,
      log: silentLog,
    });
    await mux.start();
    const listener = (await mux.endpoints()).find(({ protocol }) => protocol === 'tcp');
    assert.ok(listener);
    endpoint = listener;
    mux.attach(end.session);
  }

  async function open(from = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: endpoint.port, localAddress: from });
    socket.on('error', () => undefined);
    socket.resume();
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  function request(): Buffer {
    const frame = writeTcpFrame(bindingRequest({ username: `${fragment}:viewer`, password }));
    assert.ok(frame);
    return frame;
  }

  beforeEach(() => {
    sockets = [];
    end = sessionEnd();
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await mux.stop();
  });

  test('is on the number of the UDP port', async () => {
    await start();
    const [udp, tcp] = await mux.endpoints();
    assert.deepEqual([udp?.protocol, tcp?.protocol], ['udp', 'tcp']);
    assert.equal(tcp?.port, udp?.port);
  });

  test('delivers frames however they are cut, and sends frames back', async () => {
    await start();
    const socket = await open();
    for (const byte of request()) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    }
    await waitFor('the request', () => end.stuns.length === 1);
    socket.write(Buffer.concat([request(), request(), request()]));
    await waitFor('three more', () => end.stuns.length === 4);
    const { localPort = 0 } = socket;
    const answer = once(socket, 'data');
    assert.equal(
      endpoint.send([Buffer.from('ab'), Buffer.from('c')], localPort, '127.0.0.1'),
      true,
    );
    assert.deepEqual(await answer, [Buffer.from('\0\x03abc', 'latin1')]);
    assert.equal(endpoint.send(Buffer.from('x'), localPort ^ 1, '127.0.0.1'), false);
    assert.equal(mux.tcpCounts().accepted, 1);
  });

  test('closes who says nothing, who says something else, and who says too much', async () => {
    await start({ handshakeMs: 100 });
    const [silent, stranger, endless] = [await open(), await open(), await open()];
    stranger.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    endless.write(Buffer.from([0xff, 0xff]));
    await Promise.all([silent, stranger, endless].map((socket) => once(socket, 'close')));
    const { strangers, malformed } = mux.tcpCounts();
    // "GE" is a length of 18,245 bytes.
    assert.deepEqual({ strangers, malformed }, { strangers: 1, malformed: 2 });
    const other = await open();
    other.write(Buffer.from([0, 2, 0, 1]));
    await once(other, 'close');
    assert.equal(mux.tcpCounts().strangers, 2);
  });

  test('a silent connection is closed, and the session told', async () => {
    await start({ idleMs: 200 });
    const socket = await open();
    socket.write(request());
    await once(socket, 'close');
    assert.equal(mux.tcpCounts().idle, 1);
    await waitFor('the word', () => end.closed.length === 1);
    assert.equal(end.closed[0]?.path, endpoint);
  });

  test('so many from one address, and so many in all; who is admitted keeps its place', async () => {
    await start({ perAddress: 2, total: 3 });
    const admitted = await open();
    admitted.write(request());
    await waitFor('the request', () => end.stuns.length === 1);
    const second = await open();
    const third = await open();
    await once(third, 'close');
    assert.equal(mux.tcpCounts().refused, 1);
    const fourth = await open('127.0.0.2');
    const fifth = await open('127.0.0.2');
    await once(second, 'close');
    fifth.write(request());
    fourth.write(request());
    await waitFor('their requests', () => end.stuns.length === 3);
    assert.equal(admitted.destroyed, false);
    const sixth = await open('127.0.0.3');
    await once(sixth, 'close');
    assert.equal(mux.tcpCounts().refused, 3);
  });

  test('who does not read is not sent more than the bound, and it is counted', async () => {
    await start({ maxQueuedBytes: 64 * 1024 });
    const socket = await open();
    socket.write(request());
    await waitFor('the request', () => end.stuns.length === 1);
    socket.pause();
    const datagram = Buffer.alloc(1_200);
    let taken = 0;
    // The kernel's buffers hold a few megabytes before anything waits here.
    while (taken < 20_000 && endpoint.send(datagram, socket.localPort ?? 0, '127.0.0.1')) {
      taken += 1;
      if (taken % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(taken < 20_000, 'it went on taking');
    assert.equal(mux.tcpCounts().dropped, 1);
  });

  test('the connections of a session that ends are closed', async () => {
    await start();
    const socket = await open();
    socket.write(request());
    await waitFor('the request', () => end.stuns.length === 1);
    mux.detach(end.session);
    await once(socket, 'close');
  });

  test('a port that is taken is named', async () => {
    await start();
    const other = new UdpMux({
      portMin: 0,
      portMax: 0,
      addresses: ['127.0.0.1'],
      loopback: false,
      tcpPort: endpoint.port,
      log: silentLog,
    });
    await assert.rejects(other.start(), new RegExp(`TCP port ${endpoint.port} is in use`));
    await other.stop();
  });
});
