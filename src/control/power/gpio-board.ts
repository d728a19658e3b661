import { EventEmitter } from 'node:events';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import type { GpioLines, NamedGpioLine } from '../../platform/gpio/gpio-lines.ts';
import type { SerialTimers } from '../serial/serial-timers.ts';
import { unavailable } from './atx-link.ts';
import { activityWindowMs, LedActivity } from './led-activity.ts';
import type { Button, PowerBoard, PowerBoardEvents } from './power-board.ts';
import type { PowerConfig } from './power-config.ts';
import type { LedState } from './power-status.ts';

/** The roles that a line can have here. */
export const gpioRoles = ['powerButton', 'resetButton', 'powerLed', 'diskLed'] as const;
export type GpioRole = (typeof gpioRoles)[number];

/** Lines that are held open. `true` is active: a button held, an LED lit. */
export interface PowerLines extends Pick<GpioLines<GpioRole>, 'close' | 'get' | 'set'> {
  /** A line that is read changed. */
  on(event: 'change', listener: (name: GpioRole, active: boolean) => void): unknown;
  /** A line is gone: its chip was taken away. */
  on(event: 'lost', listener: (name: GpioRole, error: EarshotError) => void): unknown;
}

export type PowerLineRequest = NamedGpioLine<GpioRole>;

/** Takes all of `lines`, or none and throws why (openLines of src/platform/gpio). */
export type OpenPowerLines = (options: {
  readonly chip: string;
  readonly lines: readonly PowerLineRequest[];
}) => PowerLines;

/** An LED that is switched bounces no more than this, in µs; the disk's is counted as it is. */
const steadyUs = 20_000;

/** Between tries to open the lines, in ms. */
export const openEveryMs = 2_000;

export interface GpioBoardOptions {
  readonly config: PowerConfig['gpio'];
  readonly open: OpenPowerLines;
  readonly timers: SerialTimers;
  readonly log: Log;
}

const buttonRoles = { power: 'powerButton', reset: 'resetButton' } as const;

/**
 * Buttons and LEDs on GPIO lines of the device itself. A button's line is released when the press is
 * over, when it fails, when this stops and when the process ends; a process that is killed in between
 * leaves the line to the kernel, and the next start sets it inactive.
 */
export class GpioBoard extends EventEmitter<PowerBoardEvents> implements PowerBoard {
  readonly #options: GpioBoardOptions;
  readonly #requests: readonly PowerLineRequest[];
  readonly buttons: Readonly<Record<Button, boolean>>;
  readonly garbledLines = 0;
  #started = false;
  #lines: PowerLines | undefined;
  #reason = 'The GPIO lines have not been opened yet.';
  #powerLed: LedState = 'unknown';
  #disk: LedActivity | undefined;
  #diskBusy: number | null = null;
  #endHold: () => void = () => undefined;
  #cancelOpen: () => void = () => undefined;
  #cancelActivity: () => void = () => undefined;

  constructor(options: GpioBoardOptions) {
    super();
    this.#options = options;
    this.#requests = gpioRoles.flatMap((role) => {
      const { line, activeLow } = options.config[role];
      if (line === '') return [];
      const direction = role.endsWith('Led') ? 'in' : 'out';
      const debounceUs = role === 'powerLed' ? steadyUs : 0;
      return [{ name: role, line, direction, activeLow, debounceUs } as const];
    });
    this.buttons = { power: this.#has('powerButton'), reset: this.#has('resetButton') };
  }

  get state(): 'opening' | 'ready' {
    return this.#lines === undefined ? 'opening' : 'ready';
  }

  get reason(): string {
    return this.#lines === undefined ? this.#reason : '';
  }

  get powerLed(): LedState {
    return this.#powerLed;
  }

  get diskBusy(): number | null {
    return this.#diskBusy;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#open();
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#cancelOpen();
    this.#close();
    this.#reason = 'The power lines are closed.';
  }

  async hold(button: Button, ms: number): Promise<void> {
    const lines = this.#lines;
    if (lines === undefined) throw unavailable(this.#reason);
    const role = buttonRoles[button];
    const release = (): void => lines.set(role, false);
    let released = false;
    process.once('exit', release);
    try {
      lines.set(role, true);
      await new Promise<void>((resolve) => {
        const cancel = this.#options.timers.after(ms, resolve);
        this.#endHold = () => {
          cancel();
          // Now, since the lines are closed next.
          this.#releaseNow(release);
          released = true;
          resolve();
        };
      });
      if (!released) release();
    } catch (cause) {
      this.#releaseNow(release);
      throw new EarshotError(
        'POWER_FAILED',
        `The line of the ${button} button could not be set: ${messageOf(cause)}.`,
        { cause },
      );
    } finally {
      this.#endHold = () => undefined;
      process.off('exit', release);
    }
  }

  /** The fault that matters was told already. */
  #releaseNow(release: () => void): void {
    try {
      release();
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'a button could not be released');
    }
  }

  #has(role: GpioRole): boolean {
    return this.#requests.some(({ name }) => name === role);
  }

  #open(): void {
    const { config, open, timers, log } = this.#options;
    try {
      const lines = open({ chip: config.chip, lines: this.#requests });
      lines.on('change', (role, active) => this.#changed(role, active));
      lines.on('lost', (_, error) => this.#lost(error.message));
      if (this.#has('powerLed')) this.#powerLed = lines.get('powerLed') ? 'on' : 'off';
      if (this.#has('diskLed')) {
        this.#disk = new LedActivity(lines.get('diskLed'), timers.nowNs());
        this.#diskBusy = 0;
        this.#watchActivity();
      }
      this.#lines = lines;
      log.info({ chip: config.chip, lines: this.#requests.length }, 'power lines opened');
      this.emit('state');
    } catch (error) {
      this.#retry(messageOf(error));
    }
  }

  #retry(reason: string): void {
    const { timers, log } = this.#options;
    if (reason !== this.#reason) log.warn({ reason }, 'power lines are not open, tried again');
    this.#reason = reason;
    this.emit('state');
    this.#cancelOpen = timers.after(openEveryMs, () => this.#open());
  }

  /** The chip was taken away: lines that are left are given back, and all are taken again. */
  #lost(reason: string): void {
    this.#close();
    this.#diskBusy = null;
    if (this.#powerLed !== 'unknown') {
      this.#powerLed = 'unknown';
      this.emit('led', 'unknown');
    }
    this.#retry(reason);
  }

  #close(): void {
    this.#cancelActivity();
    this.#endHold();
    const lines = this.#lines;
    this.#lines = undefined;
    lines?.close();
  }

  #changed(role: GpioRole, active: boolean): void {
    if (role === 'diskLed') {
      this.#disk?.set(active, this.#options.timers.nowNs());
      return;
    }
    const led = active ? 'on' : 'off';
    if (role !== 'powerLed' || led === this.#powerLed) return;
    this.#powerLed = led;
    this.emit('led', led);
  }

  #watchActivity(): void {
    const { timers } = this.#options;
    this.#cancelActivity = timers.after(activityWindowMs, () => {
      const busy = this.#disk?.read(timers.nowNs()) ?? 0;
      const isNew = busy !== this.#diskBusy;
      this.#diskBusy = busy;
      if (isNew) this.emit('disk');
      this.#watchActivity();
    });
  }
}
