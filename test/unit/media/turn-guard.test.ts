import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { guardTurnSocket, turnDatagramHolds } from '../../../src/media/turn-guard.ts';
import { bindingResponse } from '../../fixtures/stun-messages.ts';

const answer = bindingResponse({ transactionId: 'aabbccddeeff001122334455' });

function channelData(claimed: number, actual: number): Buffer {
  const datagram = Buffer.alloc(4 + actual);
  datagram.writeUInt16BE(0x4001, 0);
  datagram.writeUInt16BE(claimed, 2);
  return datagram;
}

/** A TURN client's socket as the guard finds it, and what reaches the client through it. */
function client(type: 'udp' | 'tcp') {
  const delivered: Buffer[] = [];
  const transport = {
    type,
    onData: (datagram: Buffer, _address: readonly [string, number]): void => {
      delivered.push(datagram);
    },
  };
  const path = {
    type: 'turn',
    onDataReceived: { execute: () => undefined },
    request: async () => undefined,
    sendData: async () => undefined,
    handleStunMessage: () => undefined,
    turn: { transactions: {}, transport, server: ['192.0.2.1', 3478] as const },
  };
  guardTurnSocket(path);
  return {
    delivered,
    receive: (d: Buffer, a: readonly [string, number]) => transport.onData(d, a),
  };
}

describe('the guard of a TURN socket', () => {
  test('lets the server through and nobody else', () => {
    const { delivered, receive } = client('udp');
    receive(answer, ['192.0.2.1', 3478]);
    receive(answer, ['192.0.2.2', 3478]);
    receive(answer, ['192.0.2.1', 3479]);
    assert.deepEqual(delivered, [answer]);
  });

  test('channel data must hold what it claims', () => {
    assert.equal(turnDatagramHolds(channelData(20, 20)), true);
    assert.equal(turnDatagramHolds(channelData(20, 24)), true);
    assert.equal(turnDatagramHolds(channelData(21, 20)), false);
    assert.equal(turnDatagramHolds(Buffer.alloc(2_049, 0x40)), false);
  });

  test('a stream is left alone: its pieces are no datagrams', () => {
    const { delivered, receive } = client('tcp');
    receive(Buffer.from('anything'), ['192.0.2.1', 3478]);
    assert.equal(delivered.length, 1);
  });

  test('any bytes are judged without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        turnDatagramHolds(Buffer.from(bytes));
      }),
    );
  });
});
