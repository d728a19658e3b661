import { EventEmitter } from 'node:events';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import { PortKeeper } from '../serial/port-keeper.ts';
import type { OpenSerialPort } from '../serial/serial-port.ts';
import type { SerialTimers } from '../serial/serial-timers.ts';
import { type AtxFields, atxProtocolVersion } from './atx-lines.ts';
import { AtxLink, unavailable } from './atx-link.ts';
import type { Button, PowerBoard, PowerBoardEvents } from './power-board.ts';
import type { LedState } from './power-status.ts';

/** How often the board is asked for its state, and greeted while it does not answer, in ms. */
export const stateEveryMs = 5_000;
export const greetEveryMs = 2_000;

/** Answers that may be missing before the board counts as gone. */
const maxMissed = 2;

/** By how much the board may be late to say that it let go of a button, in ms. */
const releaseLateMs = 1_000;

export interface UartBoardOptions {
  readonly path: string;
  readonly baudRate: number;
  readonly open: OpenSerialPort;
  readonly timers: SerialTimers;
  readonly log: Log;
}

/**
 * The extension board on a serial port (ATX-PROTOCOL.md). The board itself ends every press, so that
 * neither a process that died nor a line that broke can hold a button.
 */
export class UartBoard extends EventEmitter<PowerBoardEvents> implements PowerBoard {
  readonly #options: UartBoardOptions;
  readonly #port: PortKeeper;
  readonly #link: AtxLink;
  #ready = false;
  #reason = 'The power board has not been looked for yet.';
  #buttons: Record<Button, boolean> = { power: false, reset: false };
  #powerLed: LedState = 'unknown';
  #diskBusy: number | null = null;
  #missed = 0;
  #cancelNext: () => void = () => undefined;
  /** The press under way; `ended` is called when it is over, well or not. */
  #held: { readonly button: Button; readonly ended: () => void } | undefined;

  constructor(options: UartBoardOptions) {
    super();
    const { path, baudRate, open, timers, log } = options;
    this.#options = options;
    this.#port = new PortKeeper({
      path,
      line: { baudRate, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' },
      ...{ open, timers, log },
    });
    this.#link = new AtxLink({
      write: (bytes) => this.#port.write(bytes) === bytes.length,
      onEvent: (name, fields) => this.#heard(name, fields),
      timers,
    });
    this.#port.on('data', (bytes) => this.#link.receive(bytes));
    this.#port.on('state', () => this.#portChanged());
  }

  get state(): 'opening' | 'ready' {
    return this.#ready ? 'ready' : 'opening';
  }

  get reason(): string {
    return this.#ready ? '' : this.#reason;
  }

  get buttons(): Readonly<Record<Button, boolean>> {
    return this.#buttons;
  }

  get powerLed(): LedState {
    return this.#powerLed;
  }

  get diskBusy(): number | null {
    return this.#diskBusy;
  }

  get garbledLines(): number {
    return this.#link.garbledLines;
  }

  start(): void {
    this.#port.start();
  }

  async stop(): Promise<void> {
    this.#cancelNext();
    if (this.#held !== undefined) await this.#release().catch(() => undefined);
    await this.#port.stop();
  }

  async hold(button: Button, ms: number): Promise<void> {
    if (!this.#ready) throw unavailable(this.#reason);
    const ended = new Promise<void>((resolve) => {
      this.#held = { button, ended: resolve };
    });
    const cancel = this.#options.timers.after(ms + releaseLateMs, () => {
      // Not told of it: noise on the line, or a board that hangs. Asking once more settles which.
      this.#release().catch(() => this.#held?.ended());
    });
    try {
      await this.#link.request('press', button, String(ms));
      await ended;
      if (this.#held !== undefined) throw notReleased(button);
    } catch (error) {
      if (this.#held !== undefined) await this.#release().catch(() => undefined);
      throw error;
    } finally {
      cancel();
      this.#held = undefined;
    }
  }

  /** Lets go of every button. */
  async #release(): Promise<void> {
    await this.#link.request('release');
    this.#letGo();
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.ended();
  }

  #portChanged(): void {
    if (this.#port.state === 'open') {
      void this.#greet();
      return;
    }
    this.#cancelNext();
    this.#lose(this.#port.reason);
    this.#link.reset(this.#port.reason);
    this.#held?.ended();
  }

  async #greet(): Promise<void> {
    try {
      const { protocol, ...fields } = await this.#link.request('hello', atxProtocolVersion);
      if (protocol !== atxProtocolVersion) {
        throw unavailable(
          `The power board speaks version ${protocol ?? 'unknown'} of the protocol, and ${atxProtocolVersion} is known.`,
        );
      }
      const buttons = (fields['buttons'] ?? '').split(',');
      this.#buttons = { power: buttons.includes('power'), reset: buttons.includes('reset') };
      this.#missed = 0;
      this.#ready = true;
      this.#options.log.info({ ...fields }, 'power board found');
      this.#setLeds(fields);
      this.emit('state');
      this.#next(stateEveryMs, () => this.#askState());
    } catch (error) {
      if (this.#port.state !== 'open') return;
      this.#lose(messageOf(error));
      this.#next(greetEveryMs, () => this.#greet());
    }
  }

  async #askState(): Promise<void> {
    try {
      this.#setLeds(await this.#link.request('state'));
      this.#missed = 0;
    } catch (error) {
      if (this.#port.state !== 'open') return;
      this.#missed += 1;
      if (this.#missed >= maxMissed) {
        this.#lose(messageOf(error));
        this.#next(greetEveryMs, () => this.#greet());
        return;
      }
    }
    this.#next(stateEveryMs, () => this.#askState());
  }

  /** Does `call` after `ms`, in place of what was to come, while the port is open. */
  #next(ms: number, call: () => Promise<void>): void {
    this.#cancelNext();
    if (this.#port.state !== 'open') return;
    this.#cancelNext = this.#options.timers.after(ms, () => void call());
  }

  #heard(name: string, fields: AtxFields): void {
    if (name === 'led') this.#setLeds(fields);
    else if (name === 'released') this.#letGo();
    // A board that was reset has forgotten what it was told, and holds no button.
    else if (name === 'hello') {
      this.#held?.ended();
      this.#next(0, () => this.#greet());
    }
  }

  #setLeds({ power, disk }: AtxFields): void {
    if (power === 'on' || power === 'off') this.#setPowerLed(power);
    if (disk === undefined || !/^\d{1,4}$/.test(disk)) return;
    const busy = Math.min(1, Number(disk) / 1_000);
    if (busy === this.#diskBusy) return;
    this.#diskBusy = busy;
    this.emit('disk');
  }

  #setPowerLed(led: LedState): void {
    if (led === this.#powerLed) return;
    this.#powerLed = led;
    this.emit('led', led);
  }

  #lose(reason: string): void {
    if (!this.#ready && reason === this.#reason) return;
    const isStopping = this.#port.state === 'stopped';
    if (this.#ready && !isStopping) this.#options.log.warn({ reason }, 'power board lost');
    this.#ready = false;
    this.#reason = reason;
    this.#diskBusy = null;
    this.#setPowerLed('unknown');
    this.emit('state');
  }
}

function notReleased(button: Button): EarshotError {
  return new EarshotError(
    'POWER_FAILED',
    `The power board did not confirm that it let go of the ${button} button; it does so by itself within its own time limit.`,
  );
}
