import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { it } from 'node:test';
import { magicPacket, sendBroadcast } from '../../src/control/power/wake-on-lan.ts';
import { waitFor } from '../fixtures/wait-for.ts';

it('a magic packet arrives at the broadcast address', async (t) => {
  const receiver = createSocket('udp4');
  t.after(() => receiver.close());
  receiver.bind(0, '127.255.255.255');
  await once(receiver, 'listening', { signal: AbortSignal.timeout(5_000) });
  const received: Buffer[] = [];
  receiver.on('message', (packet) => received.push(packet));
  const packet = magicPacket({ mac: '00:1b:44:11:3a:b7', password: '' });
  const { port } = receiver.address();
  await sendBroadcast({ packet, count: 3, address: '127.255.255.255', port });
  await waitFor('the packets', () => received.length === 3);
  assert.equal(received[0]?.toString('hex'), `${'ff'.repeat(6)}${'001b44113ab7'.repeat(16)}`);
});

it('a packet that cannot be sent is told of', async () => {
  // Longer than a datagram can be.
  const packet = new Uint8Array(70_000);
  await assert.rejects(sendBroadcast({ packet, count: 1, address: '127.255.255.255', port: 9 }), {
    code: 'POWER_WAKE_FAILED',
    message: /^The Wake-on-LAN packet to 127\.255\.255\.255:9 could not be sent: .*EMSGSIZE/,
  });
});
