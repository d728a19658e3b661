import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { HostState } from '../../control/hid/hid-host.ts';
import { FileWatch } from '../native/file-watch.ts';

export interface ControllerStateOptions {
  readonly sysRoot: string;
  readonly controller: string;
  /** The gadget is on the controller already; otherwise it is about to be, and an old state means nothing. */
  readonly kept: boolean;
  readonly onChange: () => void;
  /** The controller is gone; nothing is told from here on. */
  readonly onGone: () => void;
}

/** How often the kernel is asked for what it does not notify about, in ms. */
const suspendedEveryMs = 1_000;

/** What a state of a controller (include/uapi/linux/usb/ch9.h) is for the host. */
const states: Readonly<Record<string, readonly [state: HostState, reason: string]>> = {
  'not attached': ['detached', 'no host is connected, or it is off'],
  attached: ['detached', 'the host gives no power'],
  powered: ['detached', 'the host has not looked at the device yet'],
  reconnecting: ['detached', 'the host connects again'],
  unauthenticated: ['detached', 'the host has not accepted the device'],
  default: ['detached', 'the host is setting the device up'],
  addressed: ['detached', 'the host has not switched the device on'],
  configured: ['attached', ''],
  suspended: ['suspended', 'the host sleeps'],
};

const asleep = states['suspended'] ?? ['suspended', ''];

/**
 * Follows the state of a USB device controller: the kernel wakes us when it changes (sysfs_notify, which
 * poll(2) sees as POLLPRI). Whether a configured gadget is suspended is told by another attribute on most
 * controllers, which is not notified about: that one is read every second.
 */
export class ControllerState {
  readonly #options: ControllerStateOptions;
  readonly #buffer = Buffer.alloc(64);
  #state: number | undefined;
  #suspended: number | undefined;
  #watch: FileWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = '';
  #stale: boolean;

  constructor(options: ControllerStateOptions) {
    this.#options = options;
    this.#stale = !options.kept;
  }

  /** Throws when there is no such controller. */
  start(): void {
    const { sysRoot, controller } = this.#options;
    this.#state = openSync(join(sysRoot, 'class/udc', controller, 'state'), 'r');
    try {
      // Reading it once is what later changes are told against.
      this.#last = this.#words();
      this.#watch = new FileWatch({
        fd: this.#state,
        events: { priority: true },
        onReady: () => {
          this.#stale = false;
          this.check();
        },
        onError: () => this.#gone(),
      });
    } catch (error) {
      this.stop();
      throw error;
    }
    this.#timer = setInterval(() => this.check(), suspendedEveryMs);
    this.#timer.unref();
  }

  /** From here on `suspended` ({@link suspendedAttribute}) tells whether a configured gadget sleeps. */
  followSleep(suspended: string | undefined): void {
    if (suspended !== undefined) this.#suspended = openSync(suspended, 'r');
    this.check();
  }

  /** Idempotent. */
  stop(): void {
    clearInterval(this.#timer);
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#state !== undefined) closeSync(this.#state);
    if (this.#suspended !== undefined) closeSync(this.#suspended);
    this.#state = undefined;
    this.#suspended = undefined;
  }

  /** Reads the state now, a few µs; what changed is told. */
  check(): void {
    if (this.#watch === undefined) return;
    const before = this.#last;
    try {
      this.#last = this.#words();
    } catch {
      this.#gone();
      return;
    }
    if (this.#last !== before) this.#options.onChange();
  }

  /** As of the last look. */
  get host(): readonly [state: HostState, reason: string] {
    const [name = '', suspended, stale] = this.#last.split('\n');
    // Some controllers keep the state that the gadget before this one had, until the host looks again.
    if (stale !== '') return ['detached', 'the host has not looked at the device yet'];
    if (name === 'configured' && suspended === '1') return asleep;
    return states[name] ?? ['detached', `the controller is ${name}`];
  }

  #words(): string {
    const stale = this.#stale ? 'stale' : '';
    return `${this.#read(this.#state)}\n${this.#read(this.#suspended)}\n${stale}`;
  }

  #read(fd: number | undefined): string {
    if (fd === undefined) return '';
    return this.#buffer.toString('latin1', 0, readSync(fd, this.#buffer, 0, 64, 0)).trim();
  }

  #gone(): void {
    this.stop();
    this.#options.onGone();
  }
}
