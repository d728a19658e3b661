import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { evdev, GadgetCable } from '../fixtures/gadget-cable.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { guestDenied } from '../lab/guest/guest.ts';
import { GuestHidHost } from '../lab/guest-hid-host.ts';
import { type Stage, startStage } from '../lab/stage.ts';

/**
 * From a real browser through the whole program to a real kernel: what its input devices report when reports
 * go over a USB gadget in a guest. Earshot runs here, the gadget and its host there.
 */

const skip = guestDenied() ?? false;
const stops: (() => Promise<void>)[] = [];
let stage: Stage;
let cable: GadgetCable;
let host: GuestHidHost;
let earshot: EarshotProcess;
let page: Page;

before(async () => {
  if (skip !== false) return;
  const directory = await mkdtemp(join(tmpdir(), 'earshot-guest-hid-'));
  stops.push(() => rm(directory, { recursive: true, force: true }));
  cable = await GadgetCable.start();
  stops.push(() => cable.stop());
  const path = join(directory, 'host.sock');
  host = await GuestHidHost.start(path, cable);
  stops.push(() => host.stop());
  await cable.plugIn();
  await cable.untilState('attached');
  // Keyboard, two pointers, media keys, power keys.
  await cable.untilDevices(5);
  stage = await startStage();
  stops.push(() => stage.close());
  earshot = await startEarshot({ card: stage.host, config: { hid: { host: `unix:${path}` } } });
  stops.push(() => earshot.stop());
  page = await stage.browser.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(earshot.url);
});

after(async () => {
  for (const stop of stops.reverse()) await stop();
});

const card = () => page.getByRole('region', { name: 'Keyboard and mouse', exact: true });
const pad = () => page.getByRole('region', { name: 'In place of the host’s picture' });
const key = (code: number, value: 0 | 1) => `${evdev.key} ${code} ${value}`;
const left = 272;

/** KEY_* of what is typed below. */
const keys = { a: 30, s: 31, d: 32, f: 33, g: 34, h: 35, j: 36, leftShift: 42, leftCtrl: 29 };

/** Clicks into the pad, and begins with nothing heard. */
async function control(): Promise<void> {
  await card().getByText('Host ready').waitFor();
  await pad().click();
  await waitFor('the click', () => cable.events.includes(key(left, 0)));
  cable.events.splice(0);
}

test('keys arrive at the kernel with their modifiers, exactly and in order', { skip }, async () => {
  await control();
  await page.keyboard.down('Control');
  await page.keyboard.down('Shift');
  await page.keyboard.press('a');
  await page.keyboard.up('Shift');
  await page.keyboard.up('Control');
  for (const name of ['s', 'd', 'f']) await page.keyboard.press(name);
  await cable.untilEvents([
    ...[key(keys.leftCtrl, 1), key(keys.leftShift, 1), key(keys.a, 1), key(keys.a, 0)],
    ...[key(keys.leftShift, 0), key(keys.leftCtrl, 0)],
    ...[keys.s, keys.d, keys.f].flatMap((code) => [key(code, 1), key(code, 0)]),
  ]);
});

test('six keys are down; a seventh changes none of them', { skip }, async () => {
  await control();
  const six = ['a', 's', 'd', 'f', 'g', 'h'] as const;
  for (const name of six) await page.keyboard.down(name);
  await page.keyboard.down('j');
  await page.keyboard.up('j');
  for (const name of six) await page.keyboard.up(name);
  await cable.untilEvents([
    ...six.map((name) => key(keys[name], 1)),
    ...six.map((name) => key(keys[name], 0)),
  ]);
});

test('the pointer is where it points, clicks, and turns the wheel', { skip }, async () => {
  await control();
  const box = await pad().boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width / 4, box.y + box.height / 2);
  const isAt = (axis: number, wanted: number) => (event: string) => {
    const [type, code, value] = event.split(' ').map(Number);
    return type === evdev.absolute && code === axis && Math.abs((value ?? 0) - wanted) < 300;
  };
  await waitFor('a quarter to the right', () => cable.events.some(isAt(0, 32_767 / 4)));
  cable.events.splice(0);
  await page.mouse.down();
  await page.mouse.up();
  await cable.untilEvents([key(left, 1), key(left, 0)]);
  await page.mouse.wheel(0, 300);
  await waitFor('the wheel', () => cable.events.some((event) => /^2 8 -[1-9]/.test(event)));
});

test('the kernel’s lights come to the page', { skip }, async () => {
  const lights = page.getByRole('list', { name: 'Lights of the host’s keyboard' });
  await cable.setLeds({ 1: 1 }, 0b010);
  await lights.getByText('Caps on').waitFor();
  await cable.setLeds({ 1: 0, 0: 1 }, 0b001);
  await lights.getByText('Caps off').waitFor();
  await lights.getByText('Num on').waitFor();
  await cable.setLeds({ 0: 0 }, 0);
});

test('a held key is forgotten when the cable is pulled, and all goes on with it back', {
  skip,
}, async () => {
  await control();
  await page.keyboard.down('a');
  await cable.untilEvents([key(keys.a, 1)]);
  await cable.call('unbind');
  await card().getByText('Host ready').waitFor({ state: 'detached' });
  await page.keyboard.up('a');
  await cable.call('bind');
  await cable.untilDevices(5);
  await control();
  await page.keyboard.press('s');
  await cable.untilEvents([key(keys.s, 1), key(keys.s, 0)]);
});
