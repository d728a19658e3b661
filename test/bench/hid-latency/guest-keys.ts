import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { evdev, GadgetCable } from '../../fixtures/gadget-cable.ts';
import { guestDenied } from '../../lab/guest/guest.ts';
import { GuestHidHost } from '../../lab/guest-hid-host.ts';
import type { BenchKeyboard } from './bench-keyboard.ts';

/** KEY_A of input-event-codes.h. */
const keyA = 30;
const deadlineMs = 10_000;

/** What a guest measured. */
export interface GuestFigures {
  /** Browser's keydown to the event of the guest's evdev device, read here. */
  readonly delaysMs: readonly number[];
  /** Of it the way to the guest and back: from a report handed to its gadget to its event, read here. */
  readonly guestMs: readonly number[];
}

/**
 * The same on a kernel: reports go over the USB gadget of a guest, whose evdev device tells the key. The guest
 * is emulated, and two hops over its serial port are in the figure. Why not, where there can be no guest.
 */
export async function measureGuest(options: {
  readonly keys: number;
  /** Opens a page at a device with that host; the keyboard goes to it. */
  readonly open: (host: string) => Promise<BenchKeyboard>;
}): Promise<GuestFigures | string> {
  const denied = guestDenied();
  if (denied !== undefined) return denied;
  const directory = await mkdtemp(join(tmpdir(), 'earshot-guest-'));
  const cable = await GadgetCable.start();
  try {
    const path = join(directory, 'host.sock');
    const host = await GuestHidHost.start(path, cable);
    await cable.plugIn();
    await cable.untilState('attached');
    await cable.untilDevices(5);
    const guestMs: number[] = [];
    for (let n = 0; n < options.keys; n += 1) {
      const startMs = performance.now();
      void cable.call('write', 'keyboard', '0000040000000000');
      guestMs.push((await event(cable, 1)) - startMs);
      await cable.call('write', 'keyboard', '0000000000000000');
      await event(cable, 0);
    }
    const keyboard = await options.open(`unix:${path}`);
    const delaysMs: number[] = [];
    for (let n = 0; n < options.keys; n += 1) {
      delaysMs.push(await keyboard.press(() => event(cable, 1)));
      await event(cable, 0);
    }
    await keyboard.close();
    await host.stop();
    return { delaysMs, guestMs };
  } finally {
    await cable.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** When the key's next event was read, ms of performance.now(), to 1 ms. Throws when it does not come. */
async function event(cable: GadgetCable, value: 0 | 1): Promise<number> {
  const wanted = `${evdev.key} ${keyA} ${value}`;
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const at = cable.events.indexOf(wanted);
    if (at >= 0) {
      cable.events.splice(0, at + 1);
      return performance.now();
    }
    if (performance.now() > endMs) throw new Error('the key did not come to the guest');
    await delay(1);
  }
}
