import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from 'node:crypto';

/**
 * The client's half of the DTLS 1.2 handshake, checked by us. werift's server reads CertificateVerify
 * and Finished without checking either, so a certificate alone — which travels in clear — would prove
 * who the viewer is. Here the viewer proves that it holds the certificate's key (RFC 5246 §7.4.8)
 * and that both saw the same handshake (§7.4.9).
 */

export interface HandshakeMessage {
  /** RFC 5246 §7.4. */
  readonly type: number;
  /** Whether the client sent it. */
  readonly fromClient: boolean;
  /** Header and body as one unfragmented message. */
  readonly bytes: Buffer;
}

const headerBytes = 12;
const types = { certificateVerify: 15, finished: 20 } as const;

/** Hash by SignatureAndHashAlgorithm (RFC 5246 §7.4.1.4.1): ECDSA, and RSA with PKCS #1 v1.5. */
const hashes: Readonly<Record<number, string>> = {
  1027: 'sha256',
  1283: 'sha384',
  1539: 'sha512',
  1025: 'sha256',
  1281: 'sha384',
  1537: 'sha512',
};

/**
 * Why the client has proved nothing, in a sentence; undefined when it has. `transcript` is every
 * message that counts (RFC 6347 §4.2.6), in order, without the HelloVerifyRequest exchange.
 */
export function clientProofFault(options: {
  readonly transcript: readonly HandshakeMessage[];
  /** DER. */
  readonly certificate: Buffer;
  readonly masterSecret: Buffer;
}): string | undefined {
  const { transcript, certificate, masterSecret } = options;
  const proofAt = clientMessageAt(transcript, types.certificateVerify);
  const finishedAt = clientMessageAt(transcript, types.finished);
  const proof = transcript[proofAt];
  const finished = transcript[finishedAt];
  if (proof === undefined) return 'The viewer did not prove that its certificate is its own.';
  if (finished === undefined) return 'The viewer did not finish the DTLS handshake.';
  const signed = bytesOf(transcript.slice(0, proofAt));
  if (!signatureHolds(proof.bytes.subarray(headerBytes), signed, certificate)) {
    return 'The viewer could not prove that its certificate is its own.';
  }
  const seen = bytesOf(transcript.slice(0, finishedAt));
  const expected = prf(
    masterSecret,
    'client finished',
    createHash('sha256').update(seen).digest(),
    12,
  );
  const actual = finished.bytes.subarray(headerBytes);
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    return 'The viewer and the device did not see the same DTLS handshake.';
  }
  return undefined;
}

/** Index of the client's message of that type; −1 when it sent none. */
function clientMessageAt(transcript: readonly HandshakeMessage[], type: number): number {
  return transcript.findIndex((message) => message.fromClient && message.type === type);
}

function bytesOf(messages: readonly HandshakeMessage[]): Buffer {
  return Buffer.concat(messages.map(({ bytes }) => bytes));
}

function signatureHolds(body: Buffer, signed: Buffer, certificate: Buffer): boolean {
  if (body.length < 4) return false;
  const hash = hashes[body.readUInt16BE(0)];
  const signature = body.subarray(4);
  if (hash === undefined || body.readUInt16BE(2) !== signature.length) return false;
  try {
    return verify(hash, signed, new X509Certificate(certificate).publicKey, signature);
  } catch {
    return false;
  }
}

/** The TLS 1.2 pseudo-random function with SHA-256 (RFC 5246 §5). */
export function prf(secret: Buffer, label: string, seed: Buffer, bytes: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  const hmac = (data: Buffer): Buffer => createHmac('sha256', secret).update(data).digest();
  const blocks: Buffer[] = [];
  let chain: Buffer = labelled;
  for (let done = 0; done < bytes; done += 32) {
    chain = hmac(chain);
    blocks.push(hmac(Buffer.concat([chain, labelled])));
  }
  return Buffer.concat(blocks).subarray(0, bytes);
}
