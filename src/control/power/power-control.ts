import { EventEmitter } from 'node:events';
import { EarshotError } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import { type SerialTimers, systemTimers } from '../serial/serial-timers.ts';
import { unavailable } from './atx-link.ts';
import type { Button, PowerBoard } from './power-board.ts';
import type { PowerConfig, WakeTarget } from './power-config.ts';
import type {
  LedState,
  PowerStatus,
  Press,
  PressAnswer,
  PressResult,
  WakeAnswer,
} from './power-status.ts';
import { magicPacket, packetsPerWake, type SendBroadcast, sendBroadcast } from './wake-on-lan.ts';

export interface PowerControlOptions {
  readonly config: PowerConfig;
  /** Undefined: the device holds no buttons. */
  readonly board: PowerBoard | undefined;
  readonly log: Log;
  readonly timers?: SerialTimers;
  readonly send?: SendBroadcast;
  /** Unix time in ms. */
  readonly unixMs?: () => number;
}

export interface PowerControlEvents {
  status: [PowerStatus];
}

/** Which machine to wake: one of the configuration by its name, or any by its address; neither: the only one there is. */
export interface WakeRequest {
  readonly name?: string | undefined;
  readonly mac?: string | undefined;
}

/**
 * The host's power: one press at a time, confirmed by the power LED where there is one, and
 * Wake-on-LAN. Whatever happens, a button that was pressed is released.
 */
export class PowerControl extends EventEmitter<PowerControlEvents> {
  readonly #options: PowerControlOptions;
  readonly #timers: SerialTimers;
  readonly #counts = { confirmed: 0, unconfirmed: 0, unknown: 0, failed: 0 };
  #press: Press | undefined;
  #lastPress: PowerStatus['lastPress'] = null;
  #wakes = 0;
  #stopped = false;
  #endWait: () => void = () => undefined;

  constructor(options: PowerControlOptions) {
    super();
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    const { board } = options;
    board?.on('state', () => this.#changed());
    board?.on('led', () => this.#changed());
    board?.on('disk', () => this.#changed());
  }

  start(): void {
    this.#stopped = false;
    this.#options.board?.start();
  }

  /** Releases what is held. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endWait();
    await this.#options.board?.stop();
  }

  status(): PowerStatus {
    const { board, config } = this.#options;
    return {
      kind: config.kind,
      state: board?.state ?? 'none',
      reason: board?.reason ?? 'No power board is configured (power.kind).',
      powerButton: board?.buttons.power ?? false,
      resetButton: board?.buttons.reset ?? false,
      powerLed: board?.powerLed ?? 'unknown',
      diskBusy: board?.diskBusy ?? null,
      press: this.#press ?? null,
      lastPress: this.#lastPress,
      presses: { ...this.#counts },
      wake: config.wakeOnLan.map(({ name, mac }) => ({ name, mac })),
      wakes: this.#wakes,
      garbledLines: board?.garbledLines ?? 0,
    };
  }

  /**
   * Presses a button for its configured time, and resolves when the power LED showed what came of it,
   * or did not within `confirmMs`. A press that begins meanwhile ends that wait. Rejects with
   * POWER_NOT_CONFIGURED, POWER_UNAVAILABLE, POWER_BUSY or POWER_FAILED.
   */
  async press(press: Press): Promise<PressAnswer> {
    const { config } = this.#options;
    const button: Button = press === 'reset' ? 'reset' : 'power';
    const board = this.#boardWith(button);
    if (this.#press !== undefined) throw busy(this.#press);
    this.#endWait();
    this.#press = press;
    this.#changed();
    const watch = new LedWatch(board, press);
    try {
      const heldMs = { short: config.shortMs, long: config.longMs, reset: config.resetMs };
      await board.hold(button, heldMs[press]);
    } catch (error) {
      watch.end();
      this.#finish(press, 'failed');
      throw error;
    }
    this.#press = undefined;
    this.#changed();
    const result = await this.#confirm(watch);
    this.#finish(press, result);
    return { press, confirmed: result === 'confirmed', result, led: board.powerLed };
  }

  /** Wakes a machine. Rejects with POWER_WAKE_UNKNOWN or POWER_WAKE_FAILED. */
  async wake(request: WakeRequest): Promise<WakeAnswer> {
    const { name, mac, broadcast, port, password } = this.#wakeTarget(request);
    const { send = sendBroadcast, log } = this.#options;
    const packet = magicPacket({ mac, password });
    await send({ packet, count: packetsPerWake, address: broadcast, port });
    this.#wakes += 1;
    log.info({ name, mac, broadcast, port }, 'Wake-on-LAN sent');
    return { name, mac };
  }

  #wakeTarget({ name, mac }: WakeRequest): WakeTarget {
    const { wakeOnLan } = this.#options.config;
    const names = wakeOnLan.map((target) => target.name);
    const known =
      names.length === 0 ? 'power.wakeOnLan names none' : `there are: ${names.join(', ')}`;
    if (name !== undefined) {
      const target = wakeOnLan.find((one) => one.name === name);
      if (target !== undefined) return target;
      throw wakeUnknown(`There is no machine "${name}" to wake; ${known}.`, names);
    }
    if (mac !== undefined) {
      const same = wakeOnLan.find((one) => plainMac(one.mac) === plainMac(mac));
      return same ?? { name: '', mac, broadcast: '255.255.255.255', port: 9, password: '' };
    }
    const [only, ...more] = wakeOnLan;
    if (only !== undefined && more.length === 0) return only;
    throw wakeUnknown(`Which machine? Name one, or its MAC address; ${known}.`, names);
  }

  /** Throws POWER_NOT_CONFIGURED or POWER_UNAVAILABLE. */
  #boardWith(button: Button): PowerBoard {
    const { board } = this.#options;
    if (board === undefined) {
      throw new EarshotError(
        'POWER_NOT_CONFIGURED',
        'This device holds no buttons of the host: set power.kind in the configuration.',
      );
    }
    if (board.state !== 'ready') throw unavailable(board.reason);
    if (board.buttons[button]) return board;
    throw new EarshotError(
      'POWER_NOT_CONFIGURED',
      `The power board has no ${button} button wired.`,
    );
  }

  async #confirm(watch: LedWatch): Promise<PressResult> {
    if (this.#stopped) {
      watch.end();
      return 'unconfirmed';
    }
    return await new Promise((resolve) => {
      const cancel = this.#timers.after(this.#options.config.confirmMs, () =>
        finish('unconfirmed'),
      );
      const finish = (result: PressResult): void => {
        cancel();
        watch.end();
        this.#endWait = () => undefined;
        resolve(result);
      };
      this.#endWait = () => finish('unconfirmed');
      watch.released(finish);
    });
  }

  #finish(press: Press, result: PressResult | 'failed'): void {
    const { unixMs = Date.now } = this.#options;
    if (result === 'failed') this.#press = undefined;
    this.#counts[result] += 1;
    this.#lastPress = { press, result, unixMs: unixMs() };
    this.#changed();
  }

  #changed(): void {
    this.emit('status', this.status());
  }
}

/** Whether the power LED shows what came of a press: that it changed, or is off after a long one. */
class LedWatch {
  readonly #board: PowerBoard;
  readonly #press: Press;
  readonly #before: LedState;
  #changed = false;
  #onResult: ((result: PressResult) => void) | undefined;
  readonly #onLed = (led: LedState): void => {
    if (led === 'unknown') return;
    if (led !== this.#before) this.#changed = true;
    this.#judge();
  };

  constructor(board: PowerBoard, press: Press) {
    this.#board = board;
    this.#press = press;
    this.#before = board.powerLed;
    board.on('led', this.#onLed);
  }

  /** The button is up: `onResult` is called as soon as the LED shows it, now where it does already. */
  released(onResult: (result: PressResult) => void): void {
    this.#onResult = onResult;
    this.#judge();
  }

  end(): void {
    this.#onResult = undefined;
    this.#board.off('led', this.#onLed);
  }

  #judge(): void {
    // The power LED stays lit through a reset.
    if (this.#before === 'unknown' || this.#press === 'reset') this.#onResult?.('unknown');
    else if (this.#press === 'long' ? this.#board.powerLed === 'off' : this.#changed) {
      this.#onResult?.('confirmed');
    }
  }
}

function busy(press: Press): EarshotError {
  const what = { short: 'A short press', long: 'A long press', reset: 'A reset' }[press];
  return new EarshotError('POWER_BUSY', `${what} is under way; wait for its end.`, {
    details: { press },
  });
}

function wakeUnknown(message: string, names: readonly string[]): EarshotError {
  return new EarshotError('POWER_WAKE_UNKNOWN', message, { details: { names } });
}

function plainMac(mac: string): string {
  return mac.replaceAll(/[:-]/g, '').toLowerCase();
}
