import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { evdev, GadgetCable } from '../fixtures/gadget-cable.ts';
import { guestDenied } from '../lab/guest/guest.ts';

/** Reports through a real kernel: composed in configfs, bound to dummy_hcd, read from the host's evdev. */

const skip = guestDenied() ?? false;
let cable: GadgetCable;
before(async () => {
  if (skip !== false) return;
  cable = await GadgetCable.start();
  await cable.plugIn();
  await cable.untilState('attached');
  // Keyboard, two pointers, media keys, power keys.
  await cable.untilDevices(5);
});
after(() => cable?.stop());

const key = (code: number, value: 0 | 1) => `${evdev.key} ${code} ${value}`;

/** KEY_* of what is typed below. */
const keys = { a: 30, b: 48, c: 46, d: 32, e: 18, f: 33, g: 34, leftCtrl: 29, rightAlt: 100 };

async function write(kind: string, ...reports: readonly string[]): Promise<void> {
  for (const report of reports) assert.equal(await cable.call('write', kind, report), true, report);
}

test('keys, modifiers and the roll-over of six arrive as they were written', { skip }, async () => {
  await write('keyboard', '4100040000000000', '4100040506070809', '0000050000000000');
  await write('keyboard', '0000000000000000');
  await cable.untilEvents([
    ...[key(keys.leftCtrl, 1), key(keys.rightAlt, 1), key(keys.a, 1)],
    ...[keys.b, keys.c, keys.d, keys.e, keys.f].map((code) => key(code, 1)),
    ...[key(keys.leftCtrl, 0), key(keys.rightAlt, 0)],
    ...[keys.a, keys.c, keys.d, keys.e, keys.f].map((code) => key(code, 0)),
    key(keys.b, 0),
  ]);
});

test('more than six keys leave those that are down as they are', { skip }, async () => {
  await write('keyboard', '0000040000000000', '0000010101010101', '0000000000000000');
  await cable.untilEvents([key(keys.a, 1), key(keys.a, 0)]);
});

test('the absolute pointer goes where it is sent, with its buttons', { skip }, async () => {
  await write('absolute', '00ff3f0020', '1fff3f0020', '00ff3f0020', '00ff7f0000');
  const buttons = [272, 273, 274, 275, 276];
  await cable.untilEvents([
    ...[`${evdev.absolute} 0 16383`, `${evdev.absolute} 1 8192`],
    ...buttons.map((code) => key(code, 1)),
    ...buttons.map((code) => key(code, 0)),
    ...[`${evdev.absolute} 0 32767`, `${evdev.absolute} 1 0`],
  ]);
});

test('the mouse moves, turns its wheel and pans', { skip }, async () => {
  await write('relative', '010a00f6ff0000', '00000000000102', '0001800180ff00');
  await cable.untilEvents([
    ...[key(272, 1), `${evdev.relative} 0 10`, `${evdev.relative} 1 -10`],
    key(272, 0),
    ...[`${evdev.relative} 8 1`, `${evdev.relative} 11 120`],
    ...[`${evdev.relative} 6 2`, `${evdev.relative} 12 240`],
    ...[`${evdev.relative} 0 -32767`, `${evdev.relative} 1 -32767`],
    ...[`${evdev.relative} 8 -1`, `${evdev.relative} 11 -120`],
  ]);
});

test('media and power keys share an interface and stay apart', { skip }, async () => {
  await write('consumer', 'e900', '0000');
  await write('system', '02', '00', '01', '00');
  const [volumeUp, sleep, power] = [115, 142, 116];
  await cable.untilEvents([volumeUp, sleep, power].flatMap((code) => [key(code, 1), key(code, 0)]));
});

test('the host’s LEDs come back', { skip }, async () => {
  const [numLock, capsLock, scrollLock] = [0, 1, 2];
  await cable.setLeds({ [capsLock]: 1 }, 2);
  await cable.setLeds({ [numLock]: 1, [scrollLock]: 1 }, 7);
  await cable.setLeds({ [numLock]: 0, [capsLock]: 0, [scrollLock]: 0 }, 0);
});

test('reports of all kinds at once are all taken', { skip }, async () => {
  const results = await Promise.all([
    cable.call('write', 'keyboard', '0000040000000000'),
    cable.call('write', 'absolute', '0001000100'),
    cable.call('write', 'relative', '00010000000000'),
    cable.call('write', 'consumer', '0000'),
    cable.call('write', 'system', '00'),
  ]);
  assert.deepEqual(results, [true, true, true, true, true]);
  await write('keyboard', '0000000000000000');
  await cable.untilEventsOfAll([
    ...[key(keys.a, 1), key(keys.a, 0)],
    ...[`${evdev.absolute} 0 1`, `${evdev.absolute} 1 1`, `${evdev.relative} 0 1`],
  ]);
});

test('unplugged under way, no write hangs, and plugged in again all goes on', {
  skip,
}, async () => {
  cable.events.splice(0);
  const writes: Promise<unknown>[] = [];
  for (let count = 0; count < 20; count += 1) {
    writes.push(cable.call('write', 'relative', '00010000000000'));
    if (count === 10) writes.push(cable.call('unbind'));
  }
  await Promise.all(writes);
  assert.equal(await cable.call('write', 'keyboard', '0000040000000000'), false);
  await cable.untilState('none');
  await cable.untilDevices(0);
  await cable.call('bind');
  await cable.untilState('attached');
  await cable.untilDevices(5);
  cable.events.splice(0);
  await write('keyboard', '0000050000000000', '0000000000000000');
  await cable.untilEvents([key(keys.b, 1), key(keys.b, 0)]);
});

test('a sleeping host is told as such, takes nothing, and is woken', { skip }, async () => {
  const device = '/sys/bus/usb/devices/1-1';
  await cable.guest.shell(
    `echo 100 >${device}/power/autosuspend_delay_ms; echo enabled >${device}/power/wakeup; echo auto >${device}/power/control`,
  );
  await cable.untilState('suspended');
  assert.equal(await cable.call('write', 'keyboard', '0000040000000000'), false);
  const waking = cable.call('wake');
  await cable.untilState('attached');
  await cable.guest.shell(`echo on >${device}/power/control`);
  assert.equal(await waking, true);
  await cable.untilState('attached');
  await write('keyboard', '0000060000000000', '0000000000000000');
  await cable.untilEvents([key(keys.c, 1), key(keys.c, 0)]);
});

test('stopped, nothing of the gadget is left', { skip }, async () => {
  await cable.call('stop');
  await cable.untilDevices(0);
  assert.equal(
    await cable.guest.shell('ls /sys/kernel/config/usb_gadget /dev | grep hidg || true'),
    '',
  );
});
