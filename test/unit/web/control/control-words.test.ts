import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageOfName } from '../../../../src/control/hid/key-codes.ts';
import type { Macro } from '../../../../src/control/hid/macro.ts';
import type { PowerStatus } from '../../../../src/control/power/power-status.ts';
import {
  controlPreferencesKey,
  readControlPreferences,
  writeControlPreferences,
} from '../../../../src/web/control/control-preferences.ts';
import {
  captureWords,
  characterWords,
  hostWords,
  stepWords,
  taskWords,
} from '../../../../src/web/control/control-words.ts';
import { notCaptured } from '../../../../src/web/control/input-capture.ts';
import { draftOf, macroOf, newStep } from '../../../../src/web/control/macro-draft.ts';
import { boardWords, diskWords, pressWords } from '../../../../src/web/control/power-words.ts';

test('how the host stands is said in words, and what can be done', () => {
  const words = (host: 'none' | 'detached' | 'attached' | 'suspended', reason = '') =>
    hostWords({ host, reason }, 'channels');
  assert.deepEqual(words('attached'), { tone: 'good', title: 'Host ready', detail: '' });
  assert.match(words('suspended').detail, /wake/);
  assert.equal(words('detached', 'No cable.').detail, 'No cable.');
  assert.equal(words('none', 'No gadget.').tone, 'bad');
  assert.match(hostWords({ host: 'attached', reason: '' }, 'websocket').detail, /WebSocket/);
  assert.equal(hostWords({ host: 'attached', reason: '' }, undefined).tone, 'busy');
});

test('where the keyboard goes is always said together with how to have it back', () => {
  const captured = { ...notCaptured, captured: true };
  assert.match(captureWords(notCaptured, 'absolute', 'other'), /^Click the picture/);
  for (const state of [
    captured,
    { ...captured, pointerLocked: true },
    { ...captured, keyboardLocked: true },
  ]) {
    for (const mode of ['absolute', 'relative'] as const) {
      assert.match(
        captureWords(state, mode, 'windows'),
        /go(?:es)? to the host.*Ctrl\+Alt to leave/,
      );
      assert.match(captureWords(state, mode, 'mac'), /Control\+Option to leave/);
    }
  }
  assert.match(captureWords(captured, 'relative', 'other'), /click once more/);
});

test('what is typed and what cannot be', () => {
  assert.equal(
    taskWords({ kind: 'text', name: '', done: 3, total: 9 }),
    'Typing: 3 of 9 characters',
  );
  assert.equal(taskWords({ kind: 'macro', name: 'x', done: 1, total: 2 }), 'Macro x: step 1 of 2');
  assert.deepEqual(['é', '\t', '\u00a0', '😀'].map(characterWords), [
    'é (U+00E9)',
    'U+0009',
    'U+00A0',
    '😀 (U+1F600)',
  ]);
});

const macro: Macro = {
  name: 'all-kinds',
  steps: [
    { press: 'ctrl+alt+t' },
    { hold: 'shift', ms: 200 },
    { text: 'hi', layout: 'de' },
    { text: 'there' },
    { waitMs: 500 },
  ],
};

test('a macro is the same after it was edited and not changed', () => {
  assert.deepEqual(macroOf(draftOf(macro)), macro);
  assert.deepEqual(macro.steps.map(stepWords), [
    'ctrl+alt+t',
    'hold shift for 200 ms',
    'type “hi”',
    'type “there”',
    'wait 500 ms',
  ]);
});

test('what is wrong with a macro is said by its step', () => {
  const fault = (name: string, ...steps: Partial<typeof newStep>[]) =>
    macroOf({ name, steps: steps.map((step) => ({ ...newStep, ...step })) });
  assert.match(String(fault('Not This', {})), /small letters/);
  assert.equal(fault('m'), 'A macro has 1 to 100 steps.');
  assert.match(String(fault('m', {}, { keys: ' ' })), /^Step 2: name the keys/);
  assert.match(String(fault('m', { kind: 'text' })), /^Step 1: give 1 to 1000/);
  assert.match(String(fault('m', { kind: 'wait', ms: 0 })), /^Step 1: wait 1 to 10000/);
  assert.match(String(fault('m', { kind: 'hold', ms: Number.NaN })), /^Step 1: name the keys/);
  assert.ok(usageOfName(newStep.keys), 'a new step can be saved as it is');
});

test('what a press did, and did not, is told apart', () => {
  const answer = { press: 'short', confirmed: true, result: 'confirmed', led: 'on' } as const;
  assert.match(pressWords(answer), /showed it. The power LED is on/);
  assert.match(pressWords({ ...answer, confirmed: false, result: 'unconfirmed' }), /not certain/);
  assert.match(
    pressWords({ ...answer, result: 'unknown', led: 'unknown' }),
    /No power LED is wired/,
  );
  assert.match(
    pressWords({ ...answer, press: 'reset', result: 'unknown' }),
    /No LED shows a reset/,
  );
  const power: PowerStatus = {
    kind: 'uart',
    state: 'ready',
    reason: '',
    powerButton: true,
    resetButton: true,
    powerLed: 'on',
    diskBusy: 0.4,
    press: null,
    lastPress: null,
    presses: { confirmed: 0, unconfirmed: 0, unknown: 0, failed: 0 },
    wake: [],
    wakes: 0,
    garbledLines: 0,
  };
  assert.equal(boardWords(power), '');
  assert.match(boardWords({ ...power, press: 'long' }), /is held/);
  assert.match(boardWords({ ...power, state: 'opening', reason: 'No port.' }), /No port/);
  assert.deepEqual([0, 0.4, 1].map(diskWords), ['idle', 'busy 40 %', 'busy 100 %']);
});

test('layout and pointer are remembered; what is damaged, or not to be stored, costs nothing', () => {
  let text: string | null = null;
  const storage = {
    getItem: () => text,
    setItem: (key: string, value: string) => {
      assert.equal(key, controlPreferencesKey);
      text = value;
    },
  };
  assert.deepEqual(readControlPreferences(storage), { pointerMode: 'absolute' });
  writeControlPreferences(storage, { pointerMode: 'relative', layout: 'jp' });
  assert.deepEqual(readControlPreferences(storage), { pointerMode: 'relative', layout: 'jp' });
  text = '{"layout":"klingon"}';
  assert.deepEqual(readControlPreferences(storage), { pointerMode: 'absolute' });
  const blocked = {
    getItem: () => {
      throw new Error('blocked');
    },
    setItem: () => {
      throw new Error('blocked');
    },
  };
  assert.deepEqual(readControlPreferences(blocked), { pointerMode: 'absolute' });
  writeControlPreferences(blocked, { pointerMode: 'absolute' });
});
