import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { describe, test } from 'node:test';
import { silentLog } from '../../src/log/log.ts';
import { UdpMux } from '../../src/media/udp-mux.ts';

function bind(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port: 0, address, exclusive: true }, () => resolve(socket));
  });
}

function mux(options: { portMin?: number; portMax?: number; addresses?: string[] }): UdpMux {
  return new UdpMux({
    portMin: options.portMin ?? 0,
    portMax: options.portMax ?? 0,
    addresses: options.addresses ?? ['127.0.0.1'],
    loopback: false,
    log: silentLog,
  });
}

describe('UdpMux', () => {
  test('every address is on the same port', async () => {
    const subject = mux({ addresses: ['127.0.0.1', '127.0.0.2', '::1'] });
    await subject.start();
    const endpoints = await subject.endpoints();
    assert.deepEqual(
      endpoints.map(({ address, family }) => [address, family]),
      [
        ['127.0.0.1', 4],
        ['127.0.0.2', 4],
        ['::1', 6],
      ],
    );
    assert.equal(new Set(endpoints.map(({ port }) => port)).size, 1);
    await subject.stop();
  });

  test('takes the next port of its range when the first is in use, and says when all are', async () => {
    const taken = await bind('127.0.0.1');
    const { port } = taken.address();
    await assert.rejects(mux({ portMin: port, portMax: port }).start(), (error: Error) => {
      assert.match(error.message, new RegExp(`No UDP port from ${port} to ${port} is free`));
      return 'code' in error && error.code === 'MEDIA_PORTS_EXHAUSTED';
    });
    const subject = mux({ portMin: port, portMax: port + 20 });
    await subject.start();
    const [endpoint] = await subject.endpoints();
    assert.ok(endpoint && endpoint.port > port && endpoint.port <= port + 20);
    await subject.stop();
    taken.close();
  });

  test('an address of another machine is left out', async () => {
    const subject = mux({ addresses: ['203.0.113.77', '127.0.0.1'] });
    await subject.start();
    const endpoints = await subject.endpoints();
    assert.deepEqual(
      endpoints.map(({ address }) => address),
      ['127.0.0.1'],
    );
    await subject.stop();
  });

  test('stop leaves the port free, and may be called twice', async () => {
    const subject = mux({});
    await subject.start();
    const [endpoint] = await subject.endpoints();
    await subject.stop();
    await subject.stop();
    const again = mux({ portMin: endpoint?.port ?? 1, portMax: endpoint?.port ?? 1 });
    await again.start();
    await again.stop();
  });
});
