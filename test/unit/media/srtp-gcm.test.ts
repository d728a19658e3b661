import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RtpHeader, SrtcpSession, SrtpSession } from 'werift';
import { SrtpReceiver, SrtpSender } from '../../../src/media/srtp-gcm.ts';
import { deriveSessionKey, type SrtpMasterKey } from '../../../src/media/srtp-keys.ts';

const master: SrtpMasterKey = {
  key: Buffer.from('e1f97a0d3e018be0d64fa32c06de4139', 'hex'),
  salt: Buffer.from('0ec675ad498afeebb6960b3a', 'hex'),
};
const other: SrtpMasterKey = { key: Buffer.alloc(16, 7), salt: Buffer.alloc(12, 9) };

function rtpHeader(fields: { sequence: number; ssrc?: number; timestamp?: number }): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(111, 1);
  header.writeUInt16BE(fields.sequence & 0xffff, 2);
  header.writeUInt32BE(fields.timestamp ?? 0, 4);
  header.writeUInt32BE(fields.ssrc ?? 0x1234abcd, 8);
  return header;
}

function datagram(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

/** An implementation that is not ours, with the same keys in both directions. */
const weriftConfig = {
  keys: {
    localMasterKey: master.key,
    localMasterSalt: master.salt,
    remoteMasterKey: master.key,
    remoteMasterSalt: master.salt,
  },
  profile: 7,
} as const;

describe('SRTP with AES-128-GCM', () => {
  test('matches the packet of RFC 7714 §16.1.1 when given its session key', () => {
    const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    const salt = Buffer.from('517569642070726f2071756f', 'hex');
    const header = Buffer.from('8040f17b8041f8d35501a0b2', 'hex');
    const iv = Buffer.concat([
      Buffer.alloc(2),
      header.subarray(8),
      Buffer.alloc(4),
      header.subarray(2, 4),
    ]);
    for (let index = 0; index < 12; index += 1) {
      iv.writeUInt8(iv.readUInt8(index) ^ salt.readUInt8(index), index);
    }
    const cipher = createCipheriv('aes-128-gcm', key, iv);
    cipher.setAAD(header);
    const body = cipher.update('Gallia est omnis divisa in partes tres', 'latin1');
    cipher.final();
    assert.equal(
      Buffer.concat([header, body, cipher.getAuthTag()]).toString('hex'),
      '8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
    );
  });

  test('derives the keys of RFC 3711 appendix B.3 from its master key', () => {
    // The appendix's salt has 112 bits; the last 16 are zero in ours by RFC 7714 §11.
    const derived = deriveSessionKey(master, 'rtp');
    const prf = (label: number, bytes: number): string => {
      const counter = Buffer.alloc(16);
      master.salt.copy(counter);
      counter.writeUInt8(counter.readUInt8(7) ^ label, 7);
      const ecb = createCipheriv('aes-128-ecb', master.key, null).setAutoPadding(false);
      return ecb.update(counter).toString('hex', 0, bytes);
    };
    assert.equal(derived.key.toString('hex'), prf(0, 16));
    assert.equal(derived.salt.toString('hex'), prf(2, 12));
    assert.notDeepEqual(deriveSessionKey(master, 'rtcp').key, derived.key);
  });

  test('another implementation opens our RTP, and we open its, over a wrap of the sequence', () => {
    const sender = new SrtpSender(master);
    const receiver = new SrtpReceiver(master);
    const theirs = new SrtpSession(weriftConfig);
    const theirSender = new SrtpSession(weriftConfig);
    for (let index = 65_500; index < 65_600; index += 1) {
      const payload = Buffer.from(`frame ${index}`);
      const header = rtpHeader({ sequence: index });
      const sealed = datagram(sender.protectRtp(header, payload));
      assert.deepEqual(theirs.decrypt(sealed).subarray(12), payload);
      const parsed = RtpHeader.deSerialize(header);
      assert.deepEqual(receiver.openRtp(theirSender.encrypt(payload, parsed))?.payload, payload);
    }
  });

  test('another implementation opens our RTCP, and we open its', () => {
    const sender = new SrtpSender(master);
    const receiver = new SrtpReceiver(master);
    const theirs = new SrtcpSession(weriftConfig);
    const report = Buffer.from(
      '81c8000600000001000000020000000300000004000000050000000600000000',
      'hex',
    ).subarray(0, 28);
    for (let count = 0; count < 5; count += 1) {
      assert.deepEqual(theirs.decrypt(datagram(sender.protectRtcp(report))), report);
      assert.deepEqual(receiver.openRtcp(theirs.encrypt(report)), report);
    }
  });

  test('RTCP of two sources counts apart, and each refuses its own replays', () => {
    const senders = [new SrtpSender(master), new SrtpSender(master)] as const;
    const receiver = new SrtpReceiver(master);
    const report = (ssrc: number): Buffer => {
      const compound = Buffer.alloc(8);
      compound.writeUInt32BE(0x80c90001, 0);
      compound.writeUInt32BE(ssrc, 4);
      return compound;
    };
    for (let count = 0; count < 2_000; count += 1) datagram(senders[0].protectRtcp(report(1)));
    const late = datagram(senders[0].protectRtcp(report(1)));
    const first = datagram(senders[1].protectRtcp(report(2)));
    assert.deepEqual(receiver.openRtcp(late), report(1));
    assert.deepEqual(receiver.openRtcp(first), report(2));
    for (const replayed of [late, first]) assert.equal(receiver.openRtcp(replayed), undefined);
  });

  test('a packet sent again after a wrap is the same packet', () => {
    const sender = new SrtpSender(master);
    const header = rtpHeader({ sequence: 65_530 });
    const first = datagram(sender.protectRtp(header, Buffer.from('once')));
    for (let index = 65_531; index < 65_600; index += 1) {
      sender.protectRtp(rtpHeader({ sequence: index }), Buffer.from('next'));
    }
    assert.deepEqual(datagram(sender.protectRtp(header, Buffer.from('once'))), first);
    const receiver = new SrtpReceiver(master);
    const after = datagram(sender.protectRtp(rtpHeader({ sequence: 65_600 }), Buffer.from('new')));
    assert.ok(receiver.openRtp(first));
    assert.deepEqual(receiver.openRtp(after)?.payload, Buffer.from('new'));
  });

  test('every packet of a long run is opened, whatever is lost or swapped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fff }), fc.integer(), (start, seed) => {
        const sender = new SrtpSender(master);
        const receiver = new SrtpReceiver(master);
        let random = seed >>> 0;
        let sequence = start;
        for (let count = 0; count < 40; count += 1) {
          random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
          sequence += 1 + (random % 9_000);
          const [one, two] = [sequence, sequence + 1].map((index) =>
            datagram(sender.protectRtp(rtpHeader({ sequence: index }), Buffer.from(`${index}`))),
          );
          sequence += 1;
          assert.ok(two && receiver.openRtp(two));
          assert.ok(one && receiver.openRtp(one));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('a replayed, forged or foreign packet is refused, and does not disturb the next', () => {
    const sender = new SrtpSender(master);
    const receiver = new SrtpReceiver(master);
    const first = datagram(sender.protectRtp(rtpHeader({ sequence: 1 }), Buffer.from('a')));
    assert.ok(receiver.openRtp(first));
    assert.equal(receiver.openRtp(first), undefined);
    const foreign = datagram(
      new SrtpSender(other).protectRtp(rtpHeader({ sequence: 60_000 }), Buffer.from('b')),
    );
    assert.equal(receiver.openRtp(foreign), undefined);
    const second = datagram(sender.protectRtp(rtpHeader({ sequence: 2 }), Buffer.from('c')));
    for (let index = 0; index < second.length; index += 1) {
      const forged = Buffer.from(second);
      forged.writeUInt8(forged.readUInt8(index) ^ 1, index);
      assert.equal(receiver.openRtp(forged), undefined, `byte ${index}`);
    }
    assert.deepEqual(receiver.openRtp(second)?.payload, Buffer.from('c'));
    const rtcp = datagram(sender.protectRtcp(Buffer.from('80c9000100000001', 'hex')));
    assert.ok(receiver.openRtcp(rtcp));
    assert.equal(receiver.openRtcp(rtcp), undefined);
  });

  test('any bytes at all are refused without throwing', () => {
    const receiver = new SrtpReceiver(master);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.equal(receiver.openRtp(Buffer.from(bytes)), undefined);
        assert.equal(receiver.openRtcp(Buffer.from(bytes)), undefined);
      }),
    );
  });
});
