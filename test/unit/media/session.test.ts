import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { silentLog } from '../../../src/log/log.ts';
import { messageTypeOf, unknownReport, writePing } from '../../../src/media/fast-lane-packets.ts';
import { FastLanePacket } from '../../../src/media/fast-lane-stream.ts';
import type { MicrophoneFrame } from '../../../src/media/media-types.ts';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { Peer } from '../../../src/media/peer.ts';
import { writeRtpHeader } from '../../../src/media/rtp-packet.ts';
import { Session } from '../../../src/media/session.ts';
import type { DeviceMessage } from '../../../src/media/signaling-messages.ts';
import { FakeTransport, goodAnswer, microphoneAnswer } from '../../fixtures/fake-transport.ts';

const candidate = (index: number) => ({
  type: 'ice_candidate',
  candidate: `candidate:${index} 1 udp 1 192.0.2.5 5000 typ host`,
  sdp_mid: '0',
  sdp_mline_index: 0,
});

let nowMs: number;
let sent: DeviceMessage[];
let ended: string[];
let transports: FakeTransport[];
let session: Session;

function say(message: unknown): void {
  session.receive(typeof message === 'string' ? message : JSON.stringify(message));
}

function lastError(): string {
  const error = sent.findLast((message) => message.type === 'error');
  return error?.type === 'error' ? `${error.code}: ${error.message}` : '';
}

function ping(wantsSound: boolean): Buffer {
  const report = unknownReport;
  return Buffer.from(writePing({ id: 1, wantsSound, wantsRedundancy: false, report }));
}

function fastLanePacket(): FastLanePacket {
  return new FastLanePacket({
    sound: {
      payload: Buffer.alloc(30),
      samples: 480,
      timestamp: 0,
      marker: false,
      captureTimeNs: 0n,
      discontinuity: false,
    },
    sequence: 0,
    previous: undefined,
  });
}

/** The offer is made in a turn of the event loop of its own. */
async function offered(): Promise<FakeTransport> {
  say({ type: 'webrtc_ready' });
  await Promise.resolve();
  await Promise.resolve();
  const [transport] = transports;
  assert.ok(transport && sent.some(({ type }) => type === 'webrtc_offer'));
  return transport;
}

async function connected(): Promise<FakeTransport> {
  const transport = await offered();
  say({ type: 'webrtc_answer', sdp: goodAnswer });
  transport.lastHeardMs = nowMs;
  transport.become('connected');
  return transport;
}

beforeEach(() => {
  nowMs = 1_000;
  sent = [];
  ended = [];
  transports = [];
  session = new Session({
    send: (message) => sent.push(message),
    end: (reason) => ended.push(reason),
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
  });
  session.start();
});

describe('Session', () => {
  test('greets, then offers when the page is ready; candidates follow the offer', async () => {
    await offered();
    assert.deepEqual(
      sent.map(({ type }) => type),
      ['webrtc_config', 'session_state', 'webrtc_offer', 'ice_candidate'],
    );
    assert.equal(session.state, 'connecting');
  });

  test('connects and says so', async () => {
    const transport = await connected();
    assert.equal(transport.remote?.usernameFragment, 'unKV');
    assert.deepEqual(sent.at(-1), { type: 'session_state', state: 'connected' });
    assert.equal(session.status().state, 'connected');
  });

  test('candidates that come before the answer wait for it, in order and bounded', async () => {
    say(candidate(1));
    const transport = await offered();
    say(candidate(2));
    assert.equal(transport.candidates.length, 0);
    say({ type: 'webrtc_answer', sdp: goodAnswer });
    say(candidate(3));
    assert.deepEqual(
      transport.candidates.map((line) => line.split(' ')[0]),
      ['candidate:1', 'candidate:2', 'candidate:3'],
    );
    say({ ...candidate(4), candidate: '' });
    assert.equal(transport.candidates.length, 3);
  });

  test('more early candidates than could be meant are refused', () => {
    for (let index = 0; index < 64; index += 1) say(candidate(index));
    assert.equal(lastError(), '');
    say(candidate(64));
    assert.match(lastError(), /^MEDIA_SIGNALING_INVALID: More than 64 candidates/);
  });

  test('what is malformed or out of order is answered, and changes nothing', async () => {
    for (const [message, sentence] of [
      ['{', /not JSON/],
      ['"text"', /MEDIA_SIGNALING_INVALID/],
      [{ type: 'unknown' }, /type/],
      [{ type: 'webrtc_answer', sdp: 5 }, /sdp/],
      [{ type: 'webrtc_answer', sdp: goodAnswer }, /out of order: no offer/],
      [{ ...candidate(1), extra: 1 }, /extra/],
      [JSON.stringify({ type: 'webrtc_answer', sdp: 'x'.repeat(70_000) }), /65536 characters/],
    ] as const) {
      say(message);
      assert.match(lastError(), sentence);
      assert.equal(session.state, 'new');
    }
    await offered();
    say({ type: 'webrtc_ready' });
    assert.match(lastError(), /already out/);
    assert.equal(session.state, 'connecting');
    say({ type: 'webrtc_answer', sdp: goodAnswer });
    say({ type: 'webrtc_answer', sdp: goodAnswer });
    assert.match(lastError(), /out of order: no offer/);
    assert.equal(transports.length, 1);
  });

  test('a page that never makes sense is cut off', () => {
    for (let count = 0; count < 20; count += 1) say('nonsense');
    assert.equal(ended.length, 1);
  });

  test('a garbage answer fails the connection with its reason, and a reset tries anew', async () => {
    const transport = await offered();
    say({ type: 'webrtc_answer', sdp: 'garbage' });
    assert.match(lastError(), /^MEDIA_ANSWER_INVALID: /);
    assert.equal(session.state, 'failed');
    assert.match(session.status().reason, /v=0/);
    assert.equal(transport.closes, 1);
    say({ type: 'direct_media_reset_request' });
    assert.equal(session.state, 'connecting');
    assert.equal(transports.length, 2);
  });

  test('an answer without Opus is refused by code', async () => {
    await offered();
    say({ type: 'webrtc_answer', sdp: goodAnswer.replace('opus/48000/2', 'PCMU/8000') });
    assert.match(lastError(), /^MEDIA_NO_OPUS: /);
    assert.equal(session.state, 'failed');
  });

  test('a reset makes a new peer in the same session, at most once in two seconds', async () => {
    const first = await connected();
    session.sendSound({
      payload: Buffer.alloc(30),
      samples: 480,
      timestamp: 0,
      marker: false,
      captureTimeNs: 0n,
      discontinuity: false,
    });
    say({ type: 'direct_media_reset_request', reason: 'poisoned path' });
    assert.equal(first.closes, 1);
    assert.equal(transports.length, 2);
    assert.equal(session.status().packetsSent, 1);
    nowMs += 1_999;
    say({ type: 'direct_media_reset_request' });
    assert.match(lastError(), /once in 2 s/);
    assert.equal(transports.length, 2);
    nowMs += 1;
    say({ type: 'direct_media_reset_request' });
    assert.equal(transports.length, 3);
  });

  test('frames of the microphone pass while the session holds it, over media resets, and else are counted', async () => {
    const frames: MicrophoneFrame[] = [];
    session.on('microphone', (frame) => frames.push(frame));
    const speak = (transport: FakeTransport | undefined, sequence: number): void => {
      const fields = { payloadType: 111, marker: true, sequence, timestamp: 960, ssrc: 77 };
      const header = writeRtpHeader({ ...fields, extensions: {} }, {});
      transport?.emit('rtp', { header, payload: Buffer.from('voice') });
    };
    const first = await offered();
    say({ type: 'webrtc_answer', sdp: goodAnswer + microphoneAnswer });
    first.become('connected');
    speak(first, 1);
    assert.equal(frames.length, 0);
    assert.equal(session.status().microphoneFramesDropped, 1);
    session.holdMicrophone(true);
    speak(first, 2);
    assert.deepEqual(frames, [
      {
        session: session.id,
        ssrc: 77,
        sequence: 2,
        timestamp: 960,
        marker: true,
        payload: Buffer.from('voice'),
        arrivalNs: BigInt(nowMs) * 1_000_000n,
      },
    ]);
    say({ type: 'direct_media_reset_request' });
    await Promise.resolve();
    await Promise.resolve();
    say({ type: 'webrtc_answer', sdp: goodAnswer + microphoneAnswer });
    speak(first, 3);
    speak(transports[1], 10);
    speak(transports[1], 12);
    assert.deepEqual(
      frames.map(({ sequence }) => sequence),
      [2, 10, 12],
    );
    session.holdMicrophone(false);
    speak(transports[1], 13);
    assert.equal(frames.length, 3);
    const { microphonePackets, microphoneBytes, microphoneLost, microphoneFramesDropped } =
      session.status();
    assert.deepEqual(
      [microphonePackets, microphoneBytes, microphoneLost, microphoneFramesDropped],
      [5, 25, 1, 2],
    );
  });

  test('what an old peer still says is not heard', async () => {
    const first = await connected();
    say({ type: 'direct_media_reset_request' });
    first.emit('state', 'failed', 'late');
    assert.equal(session.state, 'connecting');
  });

  test('the fast lane answers and sends over the channel of the peer of the moment', async () => {
    const first = await connected();
    first.openDataChannel(true);
    first.emit('data', ping(true));
    session.fastLane.sendSound(fastLanePacket());
    assert.deepEqual(first.dataSent.map(messageTypeOf), ['pong', 'sound']);
    assert.equal(session.status().fastLane?.via, 'channel');
    say({ type: 'direct_media_reset_request' });
    assert.equal(session.status().fastLane, null);
    first.emit('data', ping(true));
    session.fastLane.sendSound(fastLanePacket());
    assert.equal(first.dataSent.length, 2);
    const second = transports[1];
    assert.ok(second);
    second.openDataChannel(true);
    second.emit('data', ping(true));
    session.fastLane.sendSound(fastLanePacket());
    assert.deepEqual(second.dataSent.map(messageTypeOf), ['pong', 'sound']);
    second.openDataChannel(false);
    assert.equal(session.status().fastLane, null);
    assert.equal(session.fastLane.counts.packetsSent, 2);
  });

  test('the fast lane of a viewer that falls silent ends, whatever its session does', async () => {
    const transport = await connected();
    transport.openDataChannel(true);
    transport.emit('data', ping(true));
    nowMs += 5_000;
    transport.lastHeardMs = nowMs;
    session.tick();
    assert.equal(session.status().fastLane, null);
    assert.equal(session.isListening, true);
  });

  test('listens by the WebSocket of its fast lane without a peer, and takes it along', async () => {
    const lane = { maxRedundantBytes: 4_096, send: () => true, reasons: [''] };
    const end = (reason: string) => lane.reasons.push(reason);
    const connection = session.fastLane.openSocket({ ...lane, end });
    assert.equal(session.isListening, false);
    connection.receive(ping(false));
    assert.equal(session.isListening, false);
    connection.receive(ping(true));
    assert.equal(session.isListening, true);
    const transport = await offered();
    say({ type: 'webrtc_answer', sdp: goodAnswer });
    transport.become('failed', 'No network path.');
    assert.equal(session.state, 'failed');
    assert.equal(session.isListening, true);
    await session.close('The viewer left.');
    assert.deepEqual(lane.reasons.slice(1), ['The viewer left.']);
    assert.equal(session.isListening, false);
  });

  test('no answer in 30 s, and no connection 30 s after it, are failures with a reason', async () => {
    await offered();
    nowMs += 29_999;
    session.tick();
    assert.equal(session.state, 'connecting');
    nowMs += 1;
    session.tick();
    assert.equal(session.state, 'failed');
    assert.match(session.status().reason, /did not answer the offer/);

    nowMs += 10_000;
    say({ type: 'direct_media_reset_request' });
    await Promise.resolve();
    await Promise.resolve();
    say({ type: 'webrtc_answer', sdp: goodAnswer });
    nowMs += 30_000;
    session.tick();
    assert.equal(session.status().reason, 'Nothing was tried.', 'as the transport found');
  });

  test('a silent viewer is asked for a sign of life, then taken for gone', async () => {
    const transport = await connected();
    nowMs += 1_999;
    session.tick();
    assert.equal(transport.probes, 0);
    nowMs += 1;
    session.tick();
    assert.equal(transport.probes, 1);
    transport.lastHeardMs = nowMs;
    nowMs += 11_999;
    session.tick();
    assert.equal(session.state, 'connected');
    nowMs += 1;
    session.tick();
    assert.equal(session.state, 'failed');
    assert.match(session.status().reason, /stopped answering/);
    assert.equal(transport.closes, 1);
  });

  test('closing frees the peer once, and nothing is heard afterwards', async () => {
    const transport = await connected();
    await session.close('over');
    await session.close('again');
    say({ type: 'webrtc_ready' });
    assert.equal(transport.closes, 1);
    assert.equal(transports.length, 1);
    assert.deepEqual(sent.at(-1), { type: 'session_state', state: 'closed', reason: 'over' });
  });
});

describe('an ICE restart of a session', () => {
  const restartAnswer = goodAnswer.replace('unKV', 'newF');

  async function restarting(): Promise<FakeTransport> {
    const transport = await connected();
    say(candidate(1));
    nowMs += 5_000;
    transport.lastHeardMs = nowMs;
    say({ type: 'ice_restart_request' });
    await Promise.resolve();
    await Promise.resolve();
    return transport;
  }

  test('offers anew, its candidates behind; the peer and the state stay', async () => {
    const transport = await restarting();
    assert.deepEqual(
      sent.slice(-2).map(({ type }) => type),
      ['webrtc_offer', 'ice_candidate'],
    );
    const offer = sent.findLast(({ type }) => type === 'webrtc_offer');
    assert.equal(offer?.type === 'webrtc_offer' && offer.sdp, 'restart 1');
    assert.equal(session.state, 'connected');
    say(candidate(7));
    assert.equal(transport.candidates.length, 1, 'waits for the answer');
    say({ type: 'webrtc_answer', sdp: restartAnswer });
    assert.equal(transport.restartRemote?.usernameFragment, 'newF');
    assert.equal(transport.candidates.length, 2);
    transport.emit('restarted');
    nowMs += 20_000;
    transport.lastHeardMs = nowMs;
    session.tick();
    assert.equal(session.status().reason, '');
    assert.equal(transports.length, 1);
  });

  test('once in two seconds, and only of a connection there is', async () => {
    say({ type: 'ice_restart_request' });
    assert.match(lastError(), /came out of order: there is no connection to restart/);
    await restarting();
    say({ type: 'ice_restart_request' });
    assert.match(lastError(), /may be asked for once in 2 s/);
    nowMs += 2_000;
    say({ type: 'ice_restart_request' });
    await Promise.resolve();
    assert.equal(transports[0]?.restarts, 2, 'in the place of the one before');
  });

  test('a viewer that is silent meanwhile is given until the deadline', async () => {
    const transport = await restarting();
    say({ type: 'webrtc_answer', sdp: restartAnswer });
    nowMs += 14_999;
    session.tick();
    assert.equal(session.state, 'connected');
    nowMs += 1;
    session.tick();
    assert.equal(session.state, 'failed');
    assert.equal(session.status().reason, 'The ICE restart found no new path. Nothing was tried.');
    assert.equal(transport.closes, 1);
  });

  test('where the path of before still works, it is kept, and the viewer told', async () => {
    const transport = await restarting();
    nowMs += 15_000;
    transport.lastHeardMs = nowMs - 1_000;
    session.tick();
    assert.deepEqual(sent.at(-1), {
      type: 'session_state',
      state: 'connected',
      reason:
        'The ICE restart found no new path. The viewer did not answer the offer of the ICE restart in time.',
    });
    assert.equal(transport.abandoned, 1);
    say({ type: 'direct_media_reset_request' });
    assert.equal(transports.length, 2);
  });

  test('an answer that cannot be used ends the restart, not the connection', async () => {
    const transport = await restarting();
    say({ type: 'webrtc_answer', sdp: goodAnswer.replace('a=setup:active', 'a=setup:passive') });
    assert.match(lastError(), /^MEDIA_SIGNALING_INVALID: .*setup:active/);
    assert.equal(transport.abandoned, 1);
    assert.equal(session.state, 'connected');
    say(candidate(9));
    assert.equal(transport.candidates.length, 2, 'candidates are the connection’s again');
  });

  test('a media reset in the middle of it ends it', async () => {
    const transport = await restarting();
    say({ type: 'direct_media_reset_request' });
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(transport.closes, 1);
    say({ type: 'webrtc_answer', sdp: goodAnswer });
    assert.equal(transports[1]?.remote?.usernameFragment, 'unKV');
  });
});
