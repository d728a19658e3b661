import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DtlsHandshakeOrder } from '../../../src/media/dtls-handshake-order.ts';
import { type DtlsRecord, readDtlsRecords } from '../../../src/media/dtls-records.ts';
import { clientHelloBody, handshake, record } from '../../fixtures/dtls-datagrams.ts';

const certificate = Buffer.concat([Buffer.from([0, 0, 103, 0, 0, 100]), Buffer.alloc(100, 7)]);
const keyExchange = Buffer.concat([Buffer.from([65]), Buffer.alloc(65, 9)]);
const proof = Buffer.concat([Buffer.from([4, 3, 0, 70]), Buffer.alloc(70, 11)]);
/** The client's second flight, as far as it is in clear, with the number of its first message. */
const flight = [
  [11, certificate],
  [16, keyExchange],
  [15, proof],
] as const;

function read(bytes: Buffer): DtlsRecord {
  const [only] = readDtlsRecords(bytes) ?? [];
  assert.ok(only);
  return only;
}

const hello = (sequence: number): DtlsRecord =>
  read(record(22, 0, handshake(1, clientHelloBody(), sequence)));

/** A part of a message of the flight. */
function part(index: number, from: number, to: number): Buffer {
  const [type = 0, body = Buffer.alloc(0)] = flight[index] ?? [];
  const bytes = handshake(type, body.subarray(from, to), 2 + index);
  bytes.writeUIntBE(body.length, 1, 3);
  bytes.writeUIntBE(from, 6, 3);
  return bytes;
}

const message = (index: number): Buffer => part(index, 0, flight[index]?.[1].length ?? 0);
const inRecord = (...messages: Buffer[]): DtlsRecord =>
  read(record(22, 0, Buffer.concat(messages)));

/** Types of the messages handed on, each a record of one whole message. */
function types(passed: readonly Buffer[]): number[] {
  return passed.map((bytes) => {
    const { fragment } = read(bytes);
    assert.equal(fragment.readUIntBE(1, 3), fragment.length - 12);
    assert.equal(fragment.readUIntBE(9, 3), fragment.length - 12);
    assert.equal(fragment.readUIntBE(6, 3), 0);
    return fragment.readUInt8(0);
  });
}

describe('the order of a handshake', () => {
  test('the first hello may be repeated until the second is taken, and never after', () => {
    let accepted = false;
    const order = new DtlsHandshakeOrder(() => accepted);
    assert.deepEqual(types([...order.take(hello(0)), ...order.take(hello(0))]), [1, 1]);
    assert.deepEqual(types(order.take(hello(1))), [1]);
    accepted = true;
    assert.deepEqual(order.take(hello(0)), []);
  });

  test('the second hello may be repeated until the next flight begins: its answer may be lost', () => {
    const order = new DtlsHandshakeOrder(() => true);
    assert.deepEqual(types(order.take(hello(1))), [1]);
    assert.deepEqual(types(order.take(inRecord(message(0)))), [11]);
    assert.deepEqual(order.take(hello(1)), []);
  });

  test('a hello may come in parts', () => {
    const order = new DtlsHandshakeOrder(() => false);
    const body = clientHelloBody();
    const cut = (from: number, to: number): DtlsRecord => {
      const bytes = handshake(1, body.subarray(from, to), 0);
      bytes.writeUIntBE(body.length, 1, 3);
      bytes.writeUIntBE(from, 6, 3);
      return inRecord(bytes);
    };
    assert.deepEqual(order.take(cut(40, body.length)), []);
    assert.deepEqual(types(order.take(cut(0, 40))), [1]);
  });

  test('a message that was taken is not taken again', () => {
    const order = new DtlsHandshakeOrder(() => true);
    const all = inRecord(message(0), message(1), message(2));
    assert.deepEqual(types(order.take(all)), [11, 16, 15]);
    assert.deepEqual(order.take(all), []);
  });

  test('a key that overtakes the certificate waits for it', () => {
    const order = new DtlsHandshakeOrder(() => true);
    assert.deepEqual(order.take(inRecord(message(1), message(2))), []);
    assert.deepEqual(types(order.take(inRecord(message(0)))), [11, 16, 15]);
  });

  test('before a hello with its cookie nothing else is kept', () => {
    let accepted = false;
    const order = new DtlsHandshakeOrder(() => accepted);
    assert.deepEqual(order.take(inRecord(message(0))), []);
    accepted = true;
    assert.deepEqual(order.take(inRecord(message(1))), []);
  });

  test('a whole that does not hold is dropped, and may come again as it should be', () => {
    const order = new DtlsHandshakeOrder(() => true);
    const broken = handshake(16, Buffer.alloc(66), 3);
    assert.deepEqual(types(order.take(inRecord(message(0), broken))), [11]);
    assert.deepEqual(types(order.take(inRecord(message(1)))), [16]);
  });

  test('in any parts, order and repetition, the messages come whole, in order, once', () => {
    const pieces = flight.flatMap(([, body], index) => {
      const cut = Math.floor(body.length / 3);
      return [
        part(index, 0, cut + 5),
        part(index, cut, 2 * cut),
        part(index, 2 * cut, body.length),
      ];
    });
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: pieces.length - 1 }), { maxLength: 40 }),
        fc.shuffledSubarray(pieces, { minLength: pieces.length }),
        (noise, shuffled) => {
          const order = new DtlsHandshakeOrder(() => true);
          const sent = [...noise.map((index) => pieces[index] ?? Buffer.alloc(0)), ...shuffled];
          const passed = [...sent, ...sent].flatMap((piece) => order.take(inRecord(piece)));
          assert.deepEqual(types(passed), [11, 16, 15]);
          for (const [index, bytes] of passed.entries()) {
            assert.deepEqual(read(bytes).fragment.subarray(12), flight[index]?.[1]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
