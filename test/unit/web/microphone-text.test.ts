import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { describeMicrophone, formatAge } from '../../../src/web/microphone-text.ts';
import { presenceOf } from '../../../src/web/page-presence.ts';
import { initialState, type PageMicrophoneState } from '../../../src/web/page-state.ts';
import { defaultPreferences, type Preferences } from '../../../src/web/preferences.ts';

const base = {
  ...initialState(defaultPreferences),
  session: 's1',
  connection: { kind: 'connected' },
} as const;

const status = {
  holder: { session: 's1', heldMs: 1_000 },
  connected: true,
  live: true,
  muted: false,
  quality: 'medium',
  effective: microphonePresets.medium,
  device: 'hw:CARD=UAC1Gadget',
  deviceState: 'open',
  deviceError: '',
  peakDbfs: -20,
  rmsDbfs: -30,
} as const;

function text(change: Partial<PageMicrophoneState>, preferences: Partial<Preferences> = {}) {
  return describeMicrophone({
    ...base,
    preferences: { ...defaultPreferences, ...preferences },
    microphone: { ...base.microphone, ...change },
  });
}

const on = { phase: 'on', open: true, status } as const;
const push = { ...defaultPreferences.microphone, pushToTalk: true };

test('off by default, and says that nothing is captured', () => {
  assert.deepEqual(text({}), {
    tone: 'off',
    title: 'Off',
    detail: 'Nothing is captured until you turn it on.',
  });
});

test('what stands in the way for good is said before anything else', () => {
  const { title, detail } = text({ unavailable: 'insecure', notice: { kind: 'taken' } });
  assert.equal(title, 'Not available here');
  assert.match(detail, /HTTPS/);
});

test('only an open microphone is live', () => {
  assert.equal(text(on).tone, 'live');
  for (const closed of [
    { ...on, open: false, muted: true },
    { ...on, open: false },
    { phase: 'starting' },
    { phase: 'refused' },
    { phase: 'resuming' },
    { phase: 'off' },
  ] as const) {
    assert.notEqual(text(closed).tone, 'live');
  }
});

test('names the key to hold, unless keys are off', () => {
  const closed = { ...on, open: false };
  assert.match(text(closed, { microphone: push }).detail, /^Hold T or the button/);
  assert.match(text(closed, { microphone: push, shortcuts: false }).detail, /^Hold the button/);
});

test('says what keeps the host from hearing an open microphone', () => {
  const lost = { ...status, deviceState: 'opening', deviceError: 'no such device' } as const;
  assert.match(text({ ...on, status: lost }).detail, /no such device\. The device keeps trying\.$/);
  assert.match(text({ ...on, status: { ...status, deviceState: 'idle' } }).detail, /not recording/);
  assert.match(text({ ...on, silent: true }).detail, /muted in hardware\?$/);
  assert.match(text({ ...on, sourceMuted: true }).detail, /system has silenced/);
  assert.equal(text(on).detail, 'The host hears you.');
});

test('losing the floor is named by how it was lost', () => {
  assert.match(text({ notice: { kind: 'taken' } }).detail, /taken the microphone over/);
  assert.match(text({ notice: { kind: 'released' } }).detail, /at the device/);
  assert.match(text({ notice: { kind: 'disconnected' } }).detail, /did not come back/);
  assert.equal(text({ notice: { kind: 'refused', message: 'No' } }).detail, 'No.');
});

test('a refusal says who speaks, and for how long', () => {
  const microphone = {
    ...base.microphone,
    phase: 'refused',
    holder: { session: '0123456789abcdef', sinceMs: 1_000 },
  } as const;
  const { detail } = describeMicrophone({ ...base, microphone }, 150_000);
  assert.match(detail, /^Viewer 01234567 has held it for 2 minutes\./);
  assert.match(text({ phase: 'refused' }).detail, /^Only one viewer at a time/);
});

test('a failed playback process is named with what to do', () => {
  const child = {
    name: 'audio-input',
    state: 'failed',
    sinceMs: 1,
    restarts: 5,
    lastExit: 'x',
    retryInMs: 0,
    cpuPercent: 0,
    rssBytes: 0,
  } as const;
  const { detail } = describeMicrophone({ ...base, children: { 'audio-input': child } });
  assert.match(detail, /earshot restart audio-input/);
});

test('ages are in the unit a person would use', () => {
  assert.deepEqual([5_000, 65_000, 150_000, 3_700_000, 7_300_000].map(formatAge), [
    'less than a minute',
    'a minute',
    '2 minutes',
    'an hour',
    '2 hours',
  ]);
});

test('tab and icon tell an open microphone from a closed one', () => {
  const presence = (change: Partial<PageMicrophoneState>) =>
    presenceOf({ microphone: { ...base.microphone, ...change } });
  assert.deepEqual(presence({}), { title: 'Earshot', icon: '/favicon.svg' });
  assert.deepEqual(presence(on), { title: '🔴 Live – Earshot', icon: '/favicon-live.svg' });
  assert.equal(presence({ ...on, open: false, muted: true }).title, 'Muted – Earshot');
  assert.equal(presence({ ...on, open: false }).title, 'Ready to talk – Earshot');
});
