import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { DeviceMessage, ViewerMessage } from '../../../src/media/signaling-messages.ts';
import type { ConnectionState } from '../../../src/web/connection-state.ts';
import { Session, type SyncNotice } from '../../../src/web/session.ts';

/** The device's end of the WebSocket, and the browser's peer connection, of which only states are used. */

class FakeSocket {
  static readonly OPEN = 1;
  static last: FakeSocket | undefined;
  readonly url: string;
  readyState = 1;
  readonly sent: ViewerMessage[] = [];
  onopen: (() => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  constructor(url: string) {
    this.url = url;
    FakeSocket.last = this;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }
}

class FakeConnection {
  static last: FakeConnection | undefined;
  connectionState = 'new';
  signalingState = 'stable';
  remoteDescription: { readonly sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;

  constructor() {
    FakeConnection.last = this;
  }

  async setRemoteDescription(description: { readonly sdp: string }): Promise<void> {
    this.remoteDescription = description;
  }

  async setLocalDescription(): Promise<void> {}

  async addIceCandidate(): Promise<void> {}

  async createAnswer(): Promise<{ readonly sdp: string }> {
    return { sdp: 'v=0\r\nm=audio 9 X 111\r\na=recvonly\r\na=rtpmap:111 opus/48000/2' };
  }

  getTransceivers(): [] {
    return [];
  }

  close(): void {
    this.connectionState = 'closed';
  }

  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const offer = (id: number, version = 1) =>
  `v=0\r\no=- ${id} ${version} IN IP4 0.0.0.0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n`;

const globals = ['window', 'WebSocket', 'RTCPeerConnection'] as const;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const values = [globalThis, FakeSocket, FakeConnection];
  for (const [index, name] of globals.entries()) {
    Object.defineProperty(globalThis, name, { value: values[index], configurable: true });
  }
});

afterEach(() => {
  mock.timers.reset();
  for (const name of globals) Reflect.deleteProperty(globalThis, name);
});

/** A session whose first offer is answered and connected. */
async function connected() {
  const states: ConnectionState[] = [];
  const notices: SyncNotice[] = [];
  const offered: (boolean | undefined)[] = [];
  const session = new Session({
    url: () => 'ws://device/session?sync=1',
    backoff: () => [1_000, 1_000, 1_000].values(),
    onState: (state) => states.push(state),
    onAudio: () => undefined,
    onVideo: () => undefined,
    onNegotiation: (media) => offered.push(media?.hasVideo),
    onMicrophone: () => undefined,
    onSession: () => undefined,
    onSync: (notice) => notices.push(notice),
  });
  session.start();
  const socket = FakeSocket.last;
  assert.ok(socket);
  socket.onopen?.();
  const receive = async (message: DeviceMessage) => {
    socket.onmessage?.({ data: JSON.stringify(message) });
    // All that follows of it are promises that are kept already.
    for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
  };
  await receive({ type: 'webrtc_config', session_id: 'a', ice_servers: [] });
  await receive({ type: 'webrtc_offer', sdp: offer(1) });
  const connection = FakeConnection.last;
  assert.ok(connection);
  connection.become('connected');
  const taken = () => socket.sent.splice(0).map(({ type }) => type);
  assert.deepEqual(taken(), ['webrtc_ready', 'webrtc_answer']);
  return { session, socket, connection, receive, taken, states, notices, offered };
}

test('REFERENCE 1b: what the device says of segments and markers is passed on, and reports are sent', async () => {
  const { session, socket, receive, notices, offered } = await connected();
  assert.equal(socket.url, 'ws://device/session?sync=1');
  assert.deepEqual(offered, [true]);
  await receive({ type: 'av_calibration_marker', marker: 3 });
  assert.deepEqual(notices, [{ type: 'av_calibration_marker', marker: 3 }]);
  session.report({ type: 'av_calibration_config', enabled: true });
  assert.deepEqual(socket.sent, [{ type: 'av_calibration_config', enabled: true }]);
  socket.readyState = 3;
  session.report({ type: 'av_calibration_config', enabled: false });
  assert.equal(socket.sent.length, 1);
});

test('REFERENCE 1b: without packets for 2 s ICE is restarted; the offer that continues keeps the connection', async () => {
  const { session, connection, receive, taken, states } = await connected();
  connection.become('disconnected');
  assert.equal(states.at(-1)?.kind, 'interrupted');
  mock.timers.tick(1_999);
  assert.deepEqual(taken(), []);
  mock.timers.tick(1);
  assert.deepEqual(taken(), ['ice_restart_request']);
  await receive({ type: 'webrtc_offer', sdp: offer(1, 2) });
  assert.deepEqual(taken(), ['webrtc_answer']);
  assert.equal(session.connection, FakeConnection.last);
  connection.become('connected');
  assert.equal(states.at(-1)?.kind, 'connected');
  mock.timers.tick(60_000);
  assert.deepEqual(taken(), []);
});

test('REFERENCE 1b: a restart that finds no path within 5 s is followed by a reset', async () => {
  const { connection, taken } = await connected();
  connection.become('failed');
  mock.timers.tick(0);
  assert.deepEqual(taken(), ['ice_restart_request']);
  // The connection’s own end of patience changes nothing while a restart is under way.
  connection.become('failed');
  mock.timers.tick(4_999);
  assert.deepEqual(taken(), []);
  mock.timers.tick(1);
  mock.timers.tick(0);
  assert.deepEqual(taken(), ['direct_media_reset_request']);
});

test('packets that come again by themselves cost no restart', async () => {
  const { connection, taken, states } = await connected();
  connection.become('disconnected');
  mock.timers.tick(1_500);
  connection.become('connected');
  mock.timers.tick(60_000);
  assert.deepEqual(taken(), []);
  assert.equal(states.at(-1)?.kind, 'connected');
});

test('another network restarts ICE at once, and a path that goes on is left alone', async () => {
  const { session, taken, states } = await connected();
  session.networkChanged();
  mock.timers.tick(0);
  assert.deepEqual(taken(), ['ice_restart_request']);
  mock.timers.tick(60_000);
  assert.deepEqual(taken(), []);
  assert.equal(states.at(-1)?.kind, 'connected');
});

test('a connection that never came about says what was tried', async () => {
  const { receive, states } = await connected();
  await receive({ type: 'webrtc_offer', sdp: offer(2) });
  FakeConnection.last?.become('failed');
  const last = states.at(-1);
  assert.ok(last?.kind === 'failed');
  assert.match(last.reason, /The device offered no address to reach it at/);
});

test('the device’s reason for a failure is said as it comes', async () => {
  const { receive, states } = await connected();
  await receive({ type: 'session_state', state: 'failed', reason: 'UDP port 7000 is taken.' });
  const last = states.at(-1);
  assert.ok(last?.kind === 'failed');
  assert.equal(last.reason, 'UDP port 7000 is taken.');
});
