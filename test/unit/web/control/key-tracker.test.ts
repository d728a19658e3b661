import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyCodes, usageOfCode } from '../../../../src/control/hid/key-codes.ts';
import {
  type KeyboardPlatform,
  KeyTracker,
  keyboardPlatform,
} from '../../../../src/web/control/key-tracker.ts';
import { PageClock } from './page-clock.ts';

/** A tracker, what it sent (`+Name`, `-Name`), and how to press on it. */
function keyboard(platform: KeyboardPlatform = 'other') {
  const clock = new PageClock();
  const sent: string[] = [];
  let left = 0;
  const codeOf = new Map(
    keyCodes.map((code) => [JSON.stringify(usageOfCode(code)), code] as const).reverse(),
  );
  const tracker = new KeyTracker({
    platform,
    keyOf: usageOfCode,
    later: clock.later,
    onKey: ({ down, page, usage }) => {
      sent.push(`${down ? '+' : '-'}${codeOf.get(JSON.stringify({ page, usage }))}`);
    },
    onLeave: () => {
      left += 1;
    },
  });
  const event = (type: string, code: string, more: object = {}) =>
    tracker.take({
      type,
      code,
      key: 'a',
      repeat: false,
      timeStamp: clock.nowMs(),
      ...more,
    });
  return {
    clock,
    sent,
    tracker,
    left: () => left,
    down: (code: string, more: object = {}) => event('keydown', code, more),
    up: (code: string, more: object = {}) => event('keyup', code, more),
  };
}

test('every key goes down and up as the host’s, by its place and whatever its layout', () => {
  for (const code of keyCodes) {
    for (const platform of ['windows', 'mac', 'other'] as const) {
      const seen: unknown[] = [];
      const clock = new PageClock();
      const tracker = new KeyTracker({
        platform,
        keyOf: usageOfCode,
        later: clock.later,
        onKey: (key) => seen.push(key),
        onLeave: () => assert.fail('nothing was to be left'),
      });
      const event = { code, key: 'Process', repeat: false, timeStamp: 5 };
      assert.equal(tracker.take({ ...event, type: 'keydown' }), true, code);
      clock.advance(100);
      assert.equal(tracker.take({ ...event, type: 'keyup' }), true, code);
      const key = usageOfCode(code);
      // Caps Lock of a Mac says when the light changes: each is a stroke.
      const strokes = platform === 'mac' && code === 'CapsLock' ? 2 : 1;
      const stroke = [
        { ...key, down: true },
        { ...key, down: false },
      ];
      assert.deepEqual(seen, Array.from({ length: strokes }, () => stroke).flat(), code);
      assert.equal(tracker.held, 0, code);
    }
  }
});

test('a key that no host has is left to the browser', () => {
  const { down, up, sent } = keyboard();
  assert.equal(down('Fn'), false);
  assert.equal(up('Fn'), false);
  assert.deepEqual(sent, []);
});

test('repeats are kept from the browser and from the host, which repeats by itself', () => {
  const { down, up, sent } = keyboard();
  down('KeyA');
  assert.equal(down('KeyA', { repeat: true }), true);
  assert.equal(down('KeyA', { repeat: true }), true);
  up('KeyA');
  assert.deepEqual(sent, ['+KeyA', '-KeyA']);
});

test('a release of what was never pressed here is not sent', () => {
  const { up, sent } = keyboard();
  assert.equal(up('Enter'), true);
  assert.deepEqual(sent, []);
});

test('a second press of a held key says that a release was missed', () => {
  const { down, sent } = keyboard();
  down('KeyV');
  down('KeyV');
  assert.deepEqual(sent, ['+KeyV', '-KeyV', '+KeyV']);
});

test('AltGr on Windows is one key: the left Ctrl of the same time is none', () => {
  const { down, up, sent, clock } = keyboard('windows');
  down('ControlLeft', { key: 'Control' });
  down('AltRight', { key: 'AltGraph' });
  down('KeyQ', { key: '@' });
  up('KeyQ');
  up('ControlLeft');
  up('AltRight');
  clock.advance(1_000);
  assert.deepEqual(sent, ['+AltRight', '+KeyQ', '-KeyQ', '-AltRight']);
});

test('a left Ctrl on Windows that is one comes before what follows, with its own time', () => {
  const clock = new PageClock();
  const times: number[] = [];
  const tracker = new KeyTracker({
    platform: 'windows',
    keyOf: usageOfCode,
    later: clock.later,
    onKey: (_key, timeStamp) => times.push(timeStamp),
    onLeave: () => undefined,
  });
  tracker.take({ type: 'keydown', code: 'ControlLeft', key: '', repeat: false, timeStamp: 7 });
  assert.deepEqual(times, []);
  tracker.take({ type: 'keydown', code: 'KeyC', key: '', repeat: false, timeStamp: 30 });
  assert.deepEqual(times, [7, 30]);
});

test('a left Ctrl on Windows that nothing follows comes after 50 ms, or with its release', () => {
  const first = keyboard('windows');
  first.down('ControlLeft');
  first.clock.advance(49);
  assert.deepEqual(first.sent, []);
  first.clock.advance(1);
  assert.deepEqual(first.sent, ['+ControlLeft']);
  const second = keyboard('windows');
  second.down('ControlLeft');
  second.up('ControlLeft');
  assert.deepEqual(second.sent, ['+ControlLeft', '-ControlLeft']);
  assert.equal(second.clock.pending, 0);
});

test('Ctrl and then the right Alt, one after the other, are two keys on Windows too', () => {
  const { down, sent, clock } = keyboard('windows');
  down('ControlLeft');
  clock.advance(20);
  down('AltRight');
  assert.deepEqual(sent, ['+ControlLeft', '+AltRight']);
});

test('elsewhere Ctrl is sent at once', () => {
  for (const platform of ['mac', 'other'] as const) {
    const { down, sent } = keyboard(platform);
    down('ControlLeft');
    assert.deepEqual(sent, ['+ControlLeft']);
  }
});

test('with Meta go up the keys whose release a Mac never tells', () => {
  const { down, up, sent, tracker } = keyboard('mac');
  down('MetaLeft');
  down('ShiftLeft');
  down('KeyC');
  down('KeyV');
  up('MetaLeft');
  assert.deepEqual(sent.slice(4), ['-KeyC', '-KeyV', '-MetaLeft']);
  assert.equal(tracker.held, 1);
  up('ShiftLeft');
  assert.equal(tracker.held, 0);
});

test('elsewhere they stay down until they are let go', () => {
  const { down, up, sent } = keyboard('windows');
  down('MetaLeft');
  down('KeyE');
  up('MetaLeft');
  assert.deepEqual(sent, ['+MetaLeft', '+KeyE', '-MetaLeft']);
});

test('Caps Lock on a Mac: on and off are a stroke each', () => {
  const { down, up, sent, tracker } = keyboard('mac');
  down('CapsLock');
  assert.deepEqual(sent, ['+CapsLock', '-CapsLock']);
  up('CapsLock');
  assert.deepEqual(sent.slice(2), ['+CapsLock', '-CapsLock']);
  assert.equal(tracker.held, 0);
});

test('keys of an on-screen keyboard, which have no place, go by their name where they have one', () => {
  const { down, up, sent } = keyboard();
  assert.equal(down('', { key: 'Enter' }), true);
  up('', { key: 'Enter' });
  assert.equal(down('Unidentified', { key: 'ArrowLeft' }), true);
  assert.equal(down('', { key: 'Unidentified' }), false);
  assert.equal(down('', { key: 'ä' }), false);
  assert.deepEqual(sent, ['+Enter', '-Enter', '+ArrowLeft']);
});

test('Ctrl and Alt, pressed alone and let go, want the keyboard back', () => {
  for (const first of ['ControlLeft', 'ControlRight']) {
    const { down, up, left } = keyboard();
    down(first);
    down('AltLeft');
    assert.equal(left(), 0);
    up('AltLeft');
    assert.equal(left(), 1);
    up(first);
    assert.equal(left(), 1);
  }
});

test('Ctrl+Alt with another key is a shortcut of the host', () => {
  const { down, up, left } = keyboard();
  down('ControlLeft');
  down('AltLeft');
  down('Delete');
  up('Delete');
  up('AltLeft');
  up('ControlLeft');
  assert.equal(left(), 0);
  // Nor is AltGr any part of it, or a Shift before.
  down('ControlLeft');
  down('AltRight');
  up('AltRight');
  down('ShiftLeft');
  down('AltLeft');
  up('AltLeft');
  assert.equal(left(), 0);
});

test('modifiers that are held are told as the bits of the report', () => {
  const { down, tracker } = keyboard();
  assert.equal(tracker.modifierBits, 0);
  down('ShiftLeft');
  down('AltRight');
  down('KeyA');
  assert.equal(tracker.modifierBits, 0b0100_0010);
  assert.equal(tracker.held, 3);
  tracker.clear();
  assert.deepEqual([tracker.held, tracker.modifierBits], [0, 0]);
});

test('the browser says whose keyboard it has', () => {
  assert.equal(keyboardPlatform('Mozilla/5.0 (Windows NT 10.0; Win64; x64)'), 'windows');
  assert.equal(keyboardPlatform('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'), 'mac');
  assert.equal(keyboardPlatform('Mozilla/5.0 (X11; Linux x86_64)'), 'other');
});
