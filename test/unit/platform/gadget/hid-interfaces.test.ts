import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  framedReport,
  hidInterfaces,
  longestReport,
} from '../../../../src/platform/gadget/hid-interfaces.ts';

const everything = { keyboard: true, absolute: true, relative: true, mediaKeys: true };

test('all kinds take the four HID functions that a kernel makes', () => {
  const interfaces = hidInterfaces(everything, false);
  assert.deepEqual(
    interfaces.map(({ name, kinds }) => [name, ...kinds]),
    [
      ['keyboard', 'keyboard'],
      ['absolute', 'absolute'],
      ['relative', 'relative'],
      ['keys', 'consumer', 'system'],
    ],
  );
});

test('combined, two do; the boot keyboard is never one of several', () => {
  const interfaces = hidInterfaces(everything, true);
  assert.deepEqual(
    interfaces.map(({ kinds }) => kinds),
    [['keyboard'], ['absolute', 'relative', 'consumer', 'system']],
  );
  assert.deepEqual(
    interfaces.map(({ subclass, protocol }) => [subclass, protocol]),
    [
      [1, 1],
      [0, 0],
    ],
  );
});

test('what is switched off is left out, and nothing is combined with itself', () => {
  const only = { keyboard: false, absolute: true, relative: false, mediaKeys: false };
  assert.deepEqual(
    hidInterfaces(only, true).map(({ name }) => name),
    ['absolute'],
  );
});

test('a report gets its id only where there are several', () => {
  const [keyboard, combined] = hidInterfaces(everything, true);
  assert.ok(keyboard !== undefined && combined !== undefined);
  assert.deepEqual([...framedReport(keyboard, 'keyboard', Uint8Array.of(1, 0))], [1, 0]);
  assert.deepEqual([...framedReport(combined, 'consumer', Uint8Array.of(0xe9, 0))], [3, 0xe9, 0]);
  assert.equal(longestReport(keyboard), 8);
  assert.equal(longestReport(combined), 8);
});
