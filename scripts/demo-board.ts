import { openNativeSerialPort } from '../src/control/serial/native-serial-port.ts';
import type { SerialPort } from '../src/control/serial/serial-port.ts';
import { SimulatedBoard } from '../test/lab/atx-board.ts';
import { type PtyPair, plugPtyPair } from '../test/lab/pty-pair.ts';

/** The board at the buttons of the demo's host, on a serial line. */

export interface DemoBoardOptions {
  /** The line's ends are made there; the caller removes it. */
  readonly directory: string;
  /** What the computer does when its power goes on or off, or it is reset; one after the other. */
  readonly power: (event: 'on' | 'off' | 'reset') => Promise<void>;
}

/** How long the host's system takes to go off when it is asked to, in ms. */
const offMs = 800;

export class DemoBoard {
  readonly #pair: PtyPair;
  readonly #board: SimulatedBoard;
  readonly #port: SerialPort;
  #work: Promise<void> = Promise.resolve();

  private constructor(pair: PtyPair, board: SimulatedBoard, port: SerialPort) {
    this.#pair = pair;
    this.#board = board;
    this.#port = port;
  }

  /** A board whose host is on. */
  static async plug({ directory, power }: DemoBoardOptions): Promise<DemoBoard> {
    const pair = await plugPtyPair(directory);
    let port: SerialPort | undefined;
    const board = new SimulatedBoard({
      send: (line) => port?.write(Buffer.from(line, 'latin1')),
      offMs,
      isOn: true,
    });
    port = await openNativeSerialPort(
      {
        path: pair.host,
        line: { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' },
      },
      {
        data: (bytes) => board.receive(bytes),
        writable: () => undefined,
        lost: () => undefined,
      },
    );
    const made = new DemoBoard(pair, board, port);
    board.on('happened', (what) => {
      if (what !== 'on' && what !== 'off' && what !== 'reset') return;
      made.#work = made.#work.then(() => power(what));
    });
    board.begin();
    return made;
  }

  /** The device's end of its line. */
  get port(): string {
    return this.#pair.device;
  }

  get isOn(): boolean {
    return this.#board.isOn;
  }

  /** How long the disk LED was lit in the last second, ms. */
  setDisk(litMs: number): void {
    this.#board.setDisk(litMs);
  }

  /** Lets go of everything, and ends after what is under way. */
  async close(): Promise<void> {
    this.#board.end();
    await this.#work;
    await this.#port.close();
    await this.#pair.unplug();
  }
}
