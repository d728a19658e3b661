import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseMessage } from 'werift';
import { integrityHolds, readStunMessage } from '../../../src/media/stun-message.ts';
import { bindingRequest, bindingResponse } from '../../fixtures/stun-messages.ts';

const request = bindingRequest({ username: 'ours:theirs', password: 'a password of some length' });

describe('readStunMessage', () => {
  test('reads a check of another implementation', () => {
    const message = readStunMessage(request);
    assert.equal(message?.class, 'request');
    assert.equal(message?.method, 1);
    assert.equal(message?.usernameFragment, 'ours');
    assert.equal(message?.transactionId.length, 24);
    assert.ok(message && integrityHolds(request, message, 'a password of some length'));
    assert.ok(message && !integrityHolds(request, message, 'another'));
    assert.ok(message && !integrityHolds(request, message, ''));
  });

  test('reads an answer, with integrity and without', () => {
    const transactionId = '0123456789abcdef01234567';
    const signed = readStunMessage(bindingResponse({ transactionId, password: 'p' }));
    assert.equal(signed?.class, 'success');
    assert.equal(signed?.transactionId, transactionId);
    assert.notEqual(signed?.integrityOffset, -1);
    assert.equal(readStunMessage(bindingResponse({ transactionId }))?.integrityOffset, -1);
  });

  test('the example of RFC 5769 §2.1 holds', () => {
    const sample = Buffer.from(
      '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf',
      'hex',
    );
    const message = readStunMessage(sample);
    assert.equal(message?.usernameFragment, 'evtj');
    assert.ok(message && integrityHolds(sample, message, 'VOkJxbRl1RmTxUk/WvJxBt'));
  });

  test('every single damaged byte is noticed', () => {
    for (let index = 0; index < request.length; index += 1) {
      const damaged = Buffer.from(request);
      damaged.writeUInt8(damaged.readUInt8(index) ^ 0x40, index);
      const message = readStunMessage(damaged);
      const passes =
        message !== undefined && integrityHolds(damaged, message, 'a password of some length');
      assert.equal(passes, false, `byte ${index}`);
    }
  });

  test('every truncation is refused', () => {
    for (let length = 0; length < request.length; length += 1) {
      assert.equal(readStunMessage(request.subarray(0, length)), undefined, `${length} bytes`);
    }
  });

  test('an attribute after the integrity is refused, as it is not signed', () => {
    const at = request.length - 8;
    const priority = Buffer.from('0024000400000009', 'hex');
    const forged = Buffer.concat([request.subarray(0, at), priority]);
    forged.writeUInt16BE(forged.length - 20, 2);
    assert.equal(readStunMessage(forged), undefined);
  });

  test('what it accepts, the stack behind it can parse; any bytes are answered without throwing', () => {
    const header = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    const attribute = fc
      .tuple(fc.integer({ min: 0, max: 0xffff }), fc.uint8Array({ maxLength: 40 }))
      .map(([type, value]) => {
        const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3));
        bytes.writeUInt16BE(type, 0);
        bytes.writeUInt16BE(value.length, 2);
        bytes.set(value, 4);
        return bytes;
      });
    const framed = fc.array(attribute, { maxLength: 8 }).map((attributes) => {
      const message = Buffer.concat([header, ...attributes]);
      message.writeUInt16BE(message.length - 20, 2);
      return message;
    });
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(framed, random), (datagram) => {
        if (readStunMessage(datagram) !== undefined) parseMessage(datagram);
      }),
      { numRuns: 3_000 },
    );
  });
});
