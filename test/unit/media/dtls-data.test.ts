import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DtlsData, firstDataSequence, type RecordHeader } from '../../../src/media/dtls-data.ts';
import { readDtlsRecords } from '../../../src/media/dtls-records.ts';

/** Shows what it was asked for; what it seals begins with `ok`. */
class OpenCipher {
  readonly headers: RecordHeader[] = [];

  encrypt(fragment: Buffer, header: RecordHeader): Buffer {
    this.headers.push(header);
    return Buffer.concat([Buffer.from('ok'), fragment]);
  }

  decrypt(fragment: Buffer): Buffer {
    if (fragment.toString('latin1', 0, 2) !== 'ok') throw new Error('not authentic');
    return fragment.subarray(2);
  }
}

function recordOf(parts: readonly Buffer[]) {
  const [record] = readDtlsRecords(Buffer.concat(parts)) ?? [];
  assert.ok(record !== undefined);
  return record;
}

describe('application data under DTLS', () => {
  test('numbers only rise, from above every number of a handshake', () => {
    const cipher = new OpenCipher();
    const data = new DtlsData(cipher);
    const numbers = Array.from({ length: 5 }, () => recordOf(data.seal(Buffer.from('x'))).sequence);
    assert.deepEqual(
      numbers,
      [0, 1, 2, 3, 4].map((step) => firstDataSequence + step),
    );
    assert.deepEqual(cipher.headers[0], {
      type: 23,
      version: 0xfefd,
      epoch: 1,
      sequenceNumber: firstDataSequence,
    });
  });

  test('a record is opened once', () => {
    const data = new DtlsData(new OpenCipher());
    const record = recordOf(data.seal(Buffer.from('sound')));
    assert.equal(data.open(record)?.toString(), 'sound');
    assert.equal(data.open(record), undefined);
  });

  test('one that is not authentic is not opened, and takes no number', () => {
    const data = new DtlsData(new OpenCipher());
    const parts = data.seal(Buffer.from('sound'));
    const forged = Buffer.concat(parts);
    forged.write('no', 13);
    assert.equal(data.open(recordOf([forged])), undefined);
    assert.equal(data.open(recordOf(parts))?.toString(), 'sound');
  });

  test('another epoch is not ours', () => {
    const data = new DtlsData(new OpenCipher());
    const bytes = Buffer.concat(data.seal(Buffer.from('sound')));
    bytes.writeUInt16BE(2, 3);
    assert.equal(data.open(recordOf([bytes])), undefined);
  });
});
