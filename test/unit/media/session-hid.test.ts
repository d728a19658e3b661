import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { silentLog } from '../../../src/log/log.ts';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { Peer } from '../../../src/media/peer.ts';
import { Session } from '../../../src/media/session.ts';
import { FakeTransport, goodAnswer } from '../../fixtures/fake-transport.ts';

let nowMs: number;
let transports: FakeTransport[];
let closes: number[];
let session: Session;

/** The transport of the moment, connected and with the channel of the keys open. */
async function connected(): Promise<FakeTransport> {
  await Promise.resolve();
  await Promise.resolve();
  const transport = transports.at(-1);
  assert.ok(transport);
  session.receive(JSON.stringify({ type: 'webrtc_answer', sdp: goodAnswer }));
  transport.lastHeardMs = nowMs;
  transport.become('connected');
  transport.changeHidChannel('keys', 'open');
  return transport;
}

beforeEach(async () => {
  nowMs = 1_000;
  transports = [];
  closes = [];
  session = new Session({
    send: () => undefined,
    end: () => undefined,
    iceServers: [],
    createPeer: () => {
      const transport = new FakeTransport();
      transports.push(transport);
      return new Peer({
        transport,
        ntp: new NtpClock({ unixMs: 0, monotonicNs: 0n }),
        nowNs: () => BigInt(nowMs) * 1_000_000n,
        microphone: microphonePresets.medium,
      });
    },
    log: silentLog,
    nowMs: () => nowMs,
    nowUs: () => nowMs * 1_000,
    hid: {
      open: (id) => {
        assert.equal(id, session.id);
        const index = closes.push(0) - 1;
        return {
          receive: () => undefined,
          close: () => {
            closes[index] = (closes[index] ?? 0) + 1;
          },
        };
      },
    },
  });
  session.start();
  session.receive(JSON.stringify({ type: 'webrtc_ready' }));
});

describe('the keys of a session', () => {
  test('are let go of at a media reset; the next connection has its own', async () => {
    const first = await connected();
    assert.deepEqual(closes, [0]);
    session.receive(JSON.stringify({ type: 'direct_media_reset_request' }));
    assert.deepEqual(closes, [1]);
    first.changeHidChannel('keys', 'open');
    assert.equal(closes.length, 1);
    await connected();
    assert.deepEqual(closes, [1, 0]);
  });

  test('are let go of when the connection fails, and when the viewer falls silent', async () => {
    const transport = await connected();
    transport.become('failed', 'The viewer closed the connection.');
    assert.deepEqual(closes, [1]);
    nowMs += 2_500;
    session.receive(JSON.stringify({ type: 'direct_media_reset_request' }));
    await connected();
    nowMs += 12_000;
    session.tick();
    assert.equal(session.state, 'failed');
    assert.deepEqual(closes, [1, 1]);
  });

  test('are let go of with the session, and its WebSocket ends', async () => {
    await connected();
    const ended: string[] = [];
    const socket = { send: () => true, end: (reason: string) => ended.push(reason) };
    session.hid.openSocket(socket).receive(Uint8Array.of(6));
    assert.deepEqual(closes, [1, 0]);
    await session.close('The page is gone.');
    assert.deepEqual(closes, [1, 1]);
    assert.deepEqual(ended, ['The page is gone.']);
  });
});
