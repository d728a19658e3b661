import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { DtlsPhase } from '../../../src/media/dtls-records.ts';
import {
  IngressGuard,
  type IngressSession,
  rtpHeaderBytes,
} from '../../../src/media/ingress-guard.ts';
import {
  clientHello,
  plaintextAlert,
  record,
  rtpWithHugeExtension,
} from '../../fixtures/dtls-datagrams.ts';
import { bindingRequest, bindingResponse } from '../../fixtures/stun-messages.ts';

class FakeSession implements IngressSession {
  readonly passwords = new Map([['frag', 'the password of this session']]);
  readonly waiting = new Map<string, string>();
  phase: DtlsPhase = 'handshaking';
  refusals = 0;

  passwordOf(fragment: string): string | undefined {
    return this.passwords.get(fragment);
  }

  awaits(transactionId: string): string | undefined {
    return this.waiting.get(transactionId);
  }

  dtlsPhase(): DtlsPhase {
    return this.phase;
  }

  refused(): void {
    this.refusals += 1;
  }
}

const viewer = '192.0.2.9|5000';
const stranger = '198.51.100.1|6000';
const check = bindingRequest({ username: 'frag:x', password: 'the password of this session' });
const transactionId = 'aabbccddeeff001122334455';

function rtp(size = 100): Buffer {
  const packet = Buffer.alloc(size);
  packet.writeUInt32BE(0x806f0001, 0);
  return packet;
}

function rtcp(): Buffer {
  const packet = Buffer.alloc(64);
  packet.writeUInt32BE(0x81c90007, 0);
  return packet;
}

let nowMs = 0;
let session: FakeSession;
let guard: IngressGuard<FakeSession>;

function judge(datagram: Buffer, source: string): string {
  const verdict = guard.judge(datagram, source);
  return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
}

beforeEach(() => {
  nowMs = 0;
  session = new FakeSession();
  guard = new IngressGuard<FakeSession>({ nowMs: () => nowMs });
  guard.add(session);
});

describe('IngressGuard', () => {
  test('nothing but an authenticated check makes a source known', () => {
    for (const datagram of [clientHello(), plaintextAlert, rtp(), rtcp()]) {
      assert.equal(judge(datagram, viewer), 'unknown-source');
    }
    const forged = bindingRequest({ username: 'frag:x', password: 'guessed' });
    assert.equal(judge(forged, viewer), 'unauthenticated-stun');
    assert.equal(judge(clientHello(), viewer), 'unknown-source');
    assert.equal(judge(check, viewer), 'stun');
    assert.equal(judge(clientHello(), viewer), 'dtls');
    assert.equal(judge(clientHello(), stranger), 'unknown-source');
  });

  test('a check for nobody here, or of another method, is refused', () => {
    const unknown = bindingRequest({
      username: 'else:x',
      password: 'the password of this session',
    });
    assert.equal(judge(unknown, viewer), 'unauthenticated-stun');
    assert.equal(judge(Buffer.alloc(20), viewer), 'malformed-stun');
  });

  test('an answer must be awaited, and signed with the key it is awaited with', () => {
    const signed = bindingResponse({ transactionId, password: 'remote' });
    const plain = bindingResponse({ transactionId });
    assert.equal(judge(signed, viewer), 'unauthenticated-stun');
    session.waiting.set(transactionId, 'remote');
    assert.equal(judge(plain, viewer), 'unauthenticated-stun');
    assert.equal(judge(signed, viewer), 'stun');
    assert.equal(judge(clientHello(), viewer), 'dtls');
  });

  test("a STUN server's plain answer passes when awaited, and makes its source no viewer", () => {
    session.waiting.set(transactionId, '');
    assert.equal(judge(bindingResponse({ transactionId }), stranger), 'stun');
    assert.equal(judge(clientHello(), stranger), 'unknown-source');
  });

  test('the datagrams that stop an unguarded stack are refused from the viewer itself', () => {
    judge(check, viewer);
    session.phase = 'connected';
    const hello = clientHello();
    const killers = [
      rtpWithHugeExtension(),
      plaintextAlert,
      hello,
      hello.subarray(0, 40),
      record(21, 1, Buffer.from([1, 0])),
    ];
    for (const phase of ['connected', 'sealed'] as const) {
      session.phase = phase;
      for (const killer of killers) {
        assert.match(judge(killer, viewer), /^(malformed|unexpected)/);
      }
    }
    assert.equal(session.refusals, killers.length * 2);
  });

  test('the guard holds with new credentials: the old fragment dies, the viewer must prove itself anew', () => {
    judge(check, viewer);
    guard.remove(session);
    const next = new FakeSession();
    next.passwords.clear();
    next.passwords.set('frag2', 'another password, after a restart');
    guard.add(next);
    assert.equal(judge(check, viewer), 'unauthenticated-stun');
    assert.equal(judge(clientHello(), viewer), 'unknown-source');
    const renewed = bindingRequest({
      username: 'frag2:x',
      password: 'another password, after a restart',
    });
    assert.equal(judge(renewed, viewer), 'stun');
    next.phase = 'sealed';
    assert.equal(judge(plaintextAlert, viewer), 'unexpected-dtls');
    assert.equal(judge(clientHello(), viewer), 'unexpected-dtls');
  });

  test('a protected alert is kept apart for whoever holds the keys', () => {
    judge(check, viewer);
    session.phase = 'sealed';
    const verdict = guard.judge(record(21, 1, Buffer.alloc(26)), viewer);
    assert.ok(verdict.kind === 'dtls');
    assert.deepEqual([verdict.records.length, verdict.alerts.length], [0, 1]);
  });

  test('media passes only when keys exist and the header holds', () => {
    judge(check, viewer);
    assert.equal(judge(rtp(), viewer), 'malformed-rtp');
    session.phase = 'connected';
    assert.equal(judge(rtp(), viewer), 'rtp');
    assert.equal(judge(rtcp(), viewer), 'rtcp');
    assert.equal(judge(rtp(27), viewer), 'malformed-rtp');
    assert.equal(judge(rtp(2_049), viewer), 'malformed-rtp');
    const long = rtcp();
    long.writeUInt16BE(40, 2);
    assert.equal(judge(long, viewer), 'malformed-rtp');
  });

  test('a stranger has 100 datagrams at once and 50 a second; a viewer is not limited', () => {
    judge(check, viewer);
    let looked = 0;
    for (let count = 0; count < 1_000; count += 1) {
      if (judge(plaintextAlert, stranger) !== 'rate') looked += 1;
    }
    assert.equal(looked, 100);
    nowMs += 1_000;
    looked = 0;
    for (let count = 0; count < 1_000; count += 1) {
      if (judge(plaintextAlert, stranger) !== 'rate') looked += 1;
      assert.equal(judge(check, viewer), 'stun');
    }
    assert.equal(looked, 50);
    assert.equal(judge(check, '192.0.2.10|5001'), 'stun');
  });

  test('strangers without end cost a bounded number of looks', () => {
    let looked = 0;
    for (let port = 0; port < 20_000; port += 1) {
      if (judge(plaintextAlert, `203.0.113.1|${port}`) !== 'rate') looked += 1;
    }
    assert.ok(looked <= 1_024 + 100, `${looked}`);
  });

  test('sixteen sources a session are remembered, the oldest making room', () => {
    for (let port = 0; port < 17; port += 1) judge(check, `192.0.2.9|${port}`);
    assert.equal(judge(clientHello(), '192.0.2.9|0'), 'unknown-source');
    assert.equal(judge(clientHello(), '192.0.2.9|1'), 'dtls');
    assert.equal(judge(clientHello(), '192.0.2.9|16'), 'dtls');
  });

  test('refusals are counted by reason', () => {
    judge(plaintextAlert, stranger);
    judge(Buffer.alloc(0), stranger);
    judge(Buffer.from([10, 1, 2]), stranger);
    assert.deepEqual(Object.fromEntries(guard.refusals()), {
      'unknown-source': 2,
      'unknown-kind': 1,
    });
  });

  test('any datagram, random or a damaged real one, from anyone, is judged without throwing', () => {
    const real = [check, clientHello(), plaintextAlert, rtp(), rtcp(), rtpWithHugeExtension()];
    const damaged = fc
      .tuple(
        fc.constantFrom(...real),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 }),
        fc.nat({ max: 20 }),
      )
      .map(([datagram, changes, cut]) => {
        const copy = Buffer.from(datagram.subarray(0, Math.max(0, datagram.length - cut)));
        for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
        return copy;
      });
    const random = fc.uint8Array({ maxLength: 1_500 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        fc.oneof(damaged, random),
        fc.constantFrom<DtlsPhase>('handshaking', 'connected', 'sealed'),
        fc.boolean(),
        (datagram, phase, known) => {
          session = new FakeSession();
          guard = new IngressGuard<FakeSession>({ nowMs: () => nowMs });
          guard.add(session);
          judge(check, viewer);
          session.phase = phase;
          const verdict = guard.judge(datagram, known ? viewer : stranger);
          if (verdict.kind === 'rtp' || verdict.kind === 'rtcp' || verdict.kind === 'dtls') {
            assert.ok(known, 'a stranger reaches nothing');
          }
          if (verdict.kind === 'rtp') assert.ok(rtpHeaderBytes(datagram) <= datagram.length - 16);
          if (phase === 'sealed' && verdict.kind === 'dtls') {
            for (const { contentType, epoch } of verdict.records) {
              assert.deepEqual([contentType, epoch > 0], [23, true]);
            }
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
