import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { admitsRecord, type DtlsPhase, readDtlsRecords } from '../../../src/media/dtls-records.ts';
import {
  clientHello,
  clientHelloBody,
  handshake,
  plaintextAlert,
  record,
} from '../../fixtures/dtls-datagrams.ts';

const phases: readonly DtlsPhase[] = ['handshaking', 'connected', 'sealed'];

/** In which phases a datagram of one record is admitted. */
function admittedIn(datagram: Buffer): DtlsPhase[] {
  const [only] = readDtlsRecords(datagram) ?? [];
  return only === undefined ? [] : phases.filter((phase) => admitsRecord(only, phase));
}

const sealed = Buffer.alloc(40, 3);

describe('DTLS records in front of the stack', () => {
  test('a hello opens an association and never disturbs one', () => {
    assert.deepEqual(admittedIn(clientHello()), ['handshaking']);
  });

  test('a hello cut anywhere is refused in every phase', () => {
    const body = clientHelloBody();
    for (let length = 0; length < body.length; length += 1) {
      const cut = record(22, 0, handshake(1, body.subarray(0, length)));
      assert.deepEqual(admittedIn(cut), [], `${length} bytes of hello`);
    }
    const whole = clientHello();
    for (let length = 0; length < whole.length; length += 1) {
      assert.equal(readDtlsRecords(whole.subarray(0, length))?.[0], undefined);
    }
  });

  test('alerts, in clear or not, never reach the stack', () => {
    assert.deepEqual(admittedIn(plaintextAlert), []);
    assert.deepEqual(admittedIn(record(21, 1, Buffer.alloc(26))), []);
    assert.deepEqual(admittedIn(record(21, 1, Buffer.from([1, 0, ...Buffer.alloc(24)]))), []);
  });

  test('a protected handshake message may be repeated until the viewer is known to have finished', () => {
    assert.deepEqual(admittedIn(record(22, 1, sealed)), ['handshaking', 'connected']);
  });

  test('a Finished in clear proves nothing and is refused', () => {
    assert.deepEqual(admittedIn(record(22, 0, handshake(20, Buffer.alloc(12)))), []);
  });

  test('after authenticated traffic only protected application data passes', () => {
    assert.deepEqual(admittedIn(record(23, 1, sealed)), ['connected', 'sealed']);
    assert.deepEqual(admittedIn(record(23, 0, sealed)), []);
    assert.deepEqual(admittedIn(record(23, 1, Buffer.alloc(23))), []);
    assert.deepEqual(admittedIn(record(20, 0, Buffer.from([1]))), ['handshaking']);
  });

  test('messages only a server sends are refused', () => {
    for (const type of [0, 2, 3, 4, 12, 13, 14, 24]) {
      assert.deepEqual(admittedIn(record(22, 0, handshake(type, Buffer.alloc(4)))), [], `${type}`);
    }
  });

  test('certificate, key exchange and proof pass when their lengths hold', () => {
    const certificate = Buffer.from('000007000004deadbeef', 'hex');
    assert.deepEqual(admittedIn(record(22, 0, handshake(11, certificate))), ['handshaking']);
    const wrong = Buffer.from('0000070000ffdeadbeef', 'hex');
    assert.deepEqual(admittedIn(record(22, 0, handshake(11, wrong))), []);
    const keyExchange = Buffer.concat([Buffer.from([65]), Buffer.alloc(65, 4)]);
    assert.deepEqual(admittedIn(record(22, 0, handshake(16, keyExchange))), ['handshaking']);
    assert.deepEqual(admittedIn(record(22, 0, handshake(16, keyExchange.subarray(0, 9)))), []);
    const proof = Buffer.from('04030004aabbccdd', 'hex');
    assert.deepEqual(admittedIn(record(22, 0, handshake(15, proof))), ['handshaking']);
    assert.deepEqual(admittedIn(record(22, 0, handshake(15, proof.subarray(0, 7)))), []);
  });

  test('a fragment that lies outside its message is refused', () => {
    const bytes = handshake(11, Buffer.alloc(20));
    bytes.writeUIntBE(10, 6, 3);
    assert.deepEqual(admittedIn(record(22, 0, bytes)), []);
    const huge = handshake(11, Buffer.alloc(20));
    huge.writeUIntBE(0xffffff, 1, 3);
    assert.deepEqual(admittedIn(record(22, 0, huge)), []);
    const fragment = handshake(1, Buffer.alloc(20));
    fragment.writeUIntBE(2_000, 1, 3);
    fragment.writeUIntBE(1_980, 6, 3);
    assert.deepEqual(admittedIn(record(22, 0, fragment)), ['handshaking']);
  });

  test('a datagram is split into its records, and none may run over its end', () => {
    const two = Buffer.concat([clientHello(), record(20, 0, Buffer.from([1]))]);
    assert.deepEqual(
      readDtlsRecords(two)?.map(({ contentType }) => contentType),
      [22, 20],
    );
    assert.equal(readDtlsRecords(Buffer.concat([two, Buffer.from([22])])), undefined);
  });

  test('any bytes, and any damage to a hello, are judged without throwing', () => {
    const hello = clientHello();
    const damaged = fc
      .array(fc.tuple(fc.nat({ max: hello.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 })
      .map((changes) => {
        const copy = Buffer.from(hello);
        for (const [at, value] of changes) copy.writeUInt8(value, at);
        return copy;
      });
    const random = fc
      .tuple(fc.integer({ min: 20, max: 23 }), fc.nat({ max: 1 }), fc.uint8Array({ maxLength: 99 }))
      .map(([type, epoch, bytes]) => record(type, epoch, Buffer.from(bytes)));
    fc.assert(
      fc.property(fc.oneof(damaged, random), (datagram) => {
        for (const found of readDtlsRecords(datagram) ?? []) {
          for (const phase of phases) admitsRecord(found, phase);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
