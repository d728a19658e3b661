import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChildStatusBody, Status } from '../../../src/api/schema.ts';
import { outputPresets } from '../../../src/audio/presets.ts';
import { describeState, type StateFacts } from '../../../src/web/state-text.ts';

const audio: Status['audio'] = {
  quality: 'medium',
  effective: outputPresets.medium,
  muted: false,
  device: 'hw:CARD=UAC1Gadget',
  deviceState: 'open',
  deviceError: '',
  peakDbfs: -10,
  rmsDbfs: -20,
  xruns: 0,
  reopens: 0,
  droppedFrames: 0,
  encodedFrames: 0,
  encodedBytes: 0,
  encodeMeanUs: 0,
  encodeMaxUs: 0,
  latencyMeanMs: 0,
  latencyP95Ms: 0,
  lastFrameUnixMs: 0,
};

const child: ChildStatusBody = {
  name: 'audio-output',
  state: 'running',
  sinceMs: 0,
  restarts: 0,
  lastExit: 'killed by SIGKILL',
  retryInMs: 0,
  cpuPercent: 0,
  rssBytes: 0,
};

const fine: StateFacts = {
  connection: { kind: 'connected' },
  playback: { kind: 'playing' },
  audio,
  audioOutput: child,
  byWebSocket: false,
};

test('connected is one word when all is well, and while the device has not reported yet', () => {
  const expected = { tone: 'good', title: 'Connected', detail: '' };
  assert.deepEqual(describeState(fine), expected);
  assert.deepEqual(describeState({ ...fine, audio: undefined, audioOutput: undefined }), expected);
});

test('each step of connecting has its own sentence', () => {
  const details = (['signaling', 'negotiating', 'media'] as const).map((step) => {
    const text = describeState({ ...fine, connection: { kind: 'connecting', step } });
    assert.equal(text.title, 'Connecting');
    return text.detail;
  });
  assert.equal(new Set(details).size, 3);
});

test('reconnecting and failed say why and when', () => {
  for (const [kind, title] of [
    ['reconnecting', 'Reconnecting'],
    ['failed', 'Connection failed'],
  ] as const) {
    const connection = { kind, reason: 'The device is stopping', retryAtMs: 5 };
    assert.deepEqual(describeState({ ...fine, connection }), {
      tone: 'bad',
      title,
      detail: 'The device is stopping.',
      retryAtMs: 5,
    });
  }
});

test('a missing sound device on the host side is named with its reason', () => {
  const deviceError = 'hw:CARD=UAC1Gadget: No such device';
  const text = describeState({ ...fine, audio: { ...audio, deviceState: 'opening', deviceError } });
  assert.equal(text.tone, 'bad');
  assert.equal(text.title, 'No sound device on the host side');
  assert.match(text.detail, /^hw:CARD=UAC1Gadget: No such device\. /);
});

test('a capture process that failed says how it ended and what to do', () => {
  const text = describeState({ ...fine, audioOutput: { ...child, state: 'failed' } });
  assert.equal(text.title, 'Sound capture has failed');
  assert.match(text.detail, /killed by SIGKILL.*earshot restart audio-output/);
  const backingOff = describeState({ ...fine, audioOutput: { ...child, state: 'backing-off' } });
  assert.equal(backingOff.title, 'Sound capture is restarting');
});

test('blocked, broken and muted playout are told apart', () => {
  const titles = [
    describeState({ ...fine, playback: { kind: 'blocked' } }),
    describeState({ ...fine, playback: { kind: 'failed', reason: 'no output device' } }),
    describeState({ ...fine, audio: { ...audio, muted: true } }),
  ].map(({ title }) => title);
  assert.deepEqual(titles, [
    'Connected, waiting for you',
    'Connected, but nothing plays',
    'Connected, muted at the device',
  ]);
});

test('a lost connection comes before whatever the device last said', () => {
  const facts: StateFacts = {
    ...fine,
    connection: { kind: 'interrupted' },
    playback: { kind: 'blocked' },
    audio: { ...audio, deviceState: 'opening' },
  };
  assert.equal(describeState(facts).title, 'Connection interrupted');
});

test('a host that is heard without a peer connection is connected, by a detour', () => {
  const connection = { kind: 'failed', reason: 'No path was found', retryAtMs: 5 } as const;
  const text = describeState({ ...fine, connection, byWebSocket: true });
  assert.deepEqual(text, {
    tone: 'busy',
    title: 'Connected by a detour',
    detail: 'No path was found. The sound comes through the connection of the page itself.',
    retryAtMs: 5,
  });
  const connecting = { kind: 'connecting', step: 'media' } as const;
  const { title, retryAtMs } = describeState({
    ...fine,
    connection: connecting,
    byWebSocket: true,
  });
  assert.deepEqual({ title, retryAtMs }, { title: text.title, retryAtMs: undefined });
  assert.equal(describeState({ ...fine, byWebSocket: true }).title, 'Connected');
});
