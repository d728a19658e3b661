import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readMdnsAddresses, writeMdnsQuery } from '../../../src/media/mdns-packet.ts';

const name = '9b8a1b0e-0000-4000-8000-000000000000.local';

/** A response as a browser's responder sends it: one answer with the cache-flush bit, and NSEC after it. */
function response(type: number, data: readonly number[], ttl = 120): Buffer {
  const encoded = writeMdnsQuery(name).subarray(12, 12 + name.length + 2);
  const header = Buffer.from('000084000000000100000001', 'hex');
  const tail = Buffer.alloc(10);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(0x8001, 2);
  tail.writeUInt32BE(ttl, 4);
  tail.writeUInt16BE(data.length, 8);
  const nsec = Buffer.from('c00c002f8001000000780005c00c000140', 'hex');
  return Buffer.concat([header, encoded, tail, Buffer.from(data), nsec]);
}

describe('multicast DNS', () => {
  test('RFC 6762 §5.1: a question for both kinds of address', () => {
    const query = writeMdnsQuery('a.local');
    assert.equal(
      query.toString('hex'),
      '00000000000200000000000001' + '61056c6f63616c0000010001' + '0161056c6f63616c00001c0001',
    );
  });

  test('reads addresses, with the name in small letters', () => {
    assert.deepEqual(readMdnsAddresses(response(1, [192, 0, 2, 7])), [
      { name, address: '192.0.2.7', ttl: 120 },
    ]);
    const v6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    assert.deepEqual(readMdnsAddresses(response(28, v6)), [
      { name, address: 'fd00:0:0:0:0:0:0:9', ttl: 120 },
    ]);
  });

  test('questions, errors and records of other kinds have none', () => {
    assert.deepEqual(readMdnsAddresses(writeMdnsQuery(name)), []);
    const refused = response(1, [192, 0, 2, 7]);
    refused.writeUInt8(3, 3);
    assert.deepEqual(readMdnsAddresses(refused), []);
    assert.deepEqual(readMdnsAddresses(response(1, [192, 0, 2])), []);
  });

  test('a name that points at itself ends', () => {
    const loop = Buffer.from('000084000000000100000000c00c', 'hex');
    assert.deepEqual(readMdnsAddresses(loop), []);
  });

  test('whatever is cut off or changed, it returns', () => {
    const whole = response(1, [192, 0, 2, 7]);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (end, at, byte) => {
        const packet = Buffer.from(whole);
        packet.writeUInt8(byte, at);
        readMdnsAddresses(packet.subarray(0, end));
      }),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (bytes) => void readMdnsAddresses(Buffer.from(bytes)),
      ),
    );
  });
});
