import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { CipherContext } from 'werift';
import { clientProofFault, type HandshakeMessage, prf } from '../../../src/media/dtls-proof.ts';
import { handshake } from '../../fixtures/dtls-datagrams.ts';

const masterSecret = Buffer.alloc(48, 6);

let certificate: Buffer;
let key: string;

function message(type: number, fromClient: boolean, body: Buffer): HandshakeMessage {
  return { type, fromClient, bytes: handshake(type, body) };
}

function bytesOf(messages: readonly HandshakeMessage[]): Buffer {
  return Buffer.concat(messages.map(({ bytes }) => bytes));
}

function certificateVerify(signature: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(signature.length);
  return Buffer.concat([Buffer.from([4, 3]), length, signature]);
}

/** A handshake as it should be, with what the client may do otherwise. */
function transcript(
  wrong: { signedBy?: string; signed?: Buffer; finished?: Buffer } = {},
): HandshakeMessage[] {
  const messages = [
    message(1, true, Buffer.from('hello')),
    message(2, false, Buffer.from('server hello')),
    message(11, false, Buffer.from('server certificate')),
    message(14, false, Buffer.alloc(0)),
    message(11, true, Buffer.from('client certificate')),
    message(16, true, Buffer.from('key exchange')),
  ];
  const signature = sign('sha256', wrong.signed ?? bytesOf(messages), wrong.signedBy ?? key);
  messages.push(message(15, true, certificateVerify(signature)));
  const seen = createHash('sha256').update(bytesOf(messages)).digest();
  messages.push(
    message(20, true, wrong.finished ?? prf(masterSecret, 'client finished', seen, 12)),
    message(20, false, Buffer.alloc(12)),
  );
  return messages;
}

function fault(messages: readonly HandshakeMessage[]): string | undefined {
  return clientProofFault({ transcript: messages, certificate, masterSecret });
}

before(async () => {
  const made = await CipherContext.createSelfSignedCertificateWithKey(
    { hash: 4, signature: 3 },
    23,
  );
  key = made.keyPem;
  const base64 = made.certPem.replace(/-----[^-]+-----|\s/g, '');
  certificate = Buffer.from(base64, 'base64');
});

describe("the client's proofs in a DTLS handshake", () => {
  test('the pseudo-random function gives the known vector of TLS 1.2 with SHA-256', () => {
    const out = prf(
      Buffer.from('9bbe436ba940f017b17652849a71db35', 'hex'),
      'test label',
      Buffer.from('a0ba9f936cda311827a6f796ffd5198c', 'hex'),
      100,
    );
    assert.equal(
      out.toString('hex'),
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66',
    );
  });

  test('an honest handshake has no fault', () => {
    assert.equal(fault(transcript()), undefined);
  });

  test('a signature by another key is a fault', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const signedBy = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    assert.match(fault(transcript({ signedBy })) ?? '', /could not prove/);
  });

  test('a signature of another handshake is a fault', () => {
    assert.match(fault(transcript({ signed: Buffer.from('yesterday') })) ?? '', /could not prove/);
  });

  test('a Finished over something else is a fault', () => {
    assert.match(fault(transcript({ finished: Buffer.alloc(12) })) ?? '', /did not see the same/);
    assert.match(fault(transcript({ finished: Buffer.alloc(3) })) ?? '', /did not see the same/);
  });

  test('a proof that is missing or malformed is a fault', () => {
    const messages = transcript();
    const without = (type: number) =>
      messages.filter((one) => !(one.fromClient && one.type === type));
    assert.match(fault(without(15)) ?? '', /did not prove/);
    assert.match(fault(without(20)) ?? '', /did not finish/);
    for (const body of ['', '04', '04030000', '0403ffff00', '020100020102']) {
      const odd = messages.map((one) =>
        one.type === 15 ? message(15, true, Buffer.from(body, 'hex')) : one,
      );
      assert.match(fault(odd) ?? '', /could not prove/);
    }
  });

  test('a certificate that is none is a fault, not an exception', () => {
    const result = clientProofFault({
      transcript: transcript(),
      certificate: Buffer.from('not a certificate'),
      masterSecret,
    });
    assert.match(result ?? '', /could not prove/);
  });
});
