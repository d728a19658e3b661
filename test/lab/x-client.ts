/// <reference path="./x11.d.ts" />
import { EventEmitter } from 'node:events';
import {
  createClient,
  eventMask,
  type XConnection,
  type XScreenSetup,
  type XTestExtension,
} from 'x11';

/** What a window saw. */
export interface XInput {
  readonly name: 'KeyPress' | 'KeyRelease' | 'ButtonPress' | 'ButtonRelease' | 'MotionNotify';
  /** Keycode or number of the button; without meaning for motion. */
  readonly detail: number;
  /** Where the pointer is, in pixels from the screen's upper left. */
  readonly x: number;
  readonly y: number;
  /** When this process read it, ms of performance.now(). */
  readonly atMs: number;
}

interface XClientEvents {
  /** The keyboard's lights may have changed. */
  lights: [];
  input: [XInput];
  /** The X server is gone. */
  gone: [];
}

/** Deadline of a connection and of each answer, in ms. */
const answerMs = 5_000;

const inputNames: ReadonlySet<string> = new Set<XInput['name']>([
  ...(['KeyPress', 'KeyRelease', 'ButtonPress', 'ButtonRelease', 'MotionNotify'] as const),
]);

/** A connection to an X server that presses keys on it (XTEST), and looks at what comes of it. */
export class XClient extends EventEmitter<XClientEvents> {
  readonly #connection: XConnection;
  readonly #screen: XScreenSetup;
  readonly #test: XTestExtension;
  readonly #refusals = new Set<(error: Error) => void>();
  #gone: Error | undefined;

  private constructor({ connection, screen, test }: Opened) {
    super();
    this.#connection = connection;
    this.#screen = screen;
    this.#test = test;
    connection.on('error', (error) => this.#fail(error));
    connection.on('end', () => this.#fail(new Error('the X server closed the connection')));
    connection.on('event', ({ name = '', keycode = 0, rootx = 0, rooty = 0 }) => {
      if (name.startsWith('Xkb')) this.emit('lights');
      else if (isInput(name)) {
        const atMs = performance.now();
        this.emit('input', { name, detail: keycode, x: rootx, y: rooty, atMs });
      }
    });
  }

  /** Connects to a display such as `:7`. Throws when there is none, or it has not XTEST and XKB. */
  static async open(display: string): Promise<XClient> {
    return new XClient(await open(display));
  }

  /** In pixels. */
  get width(): number {
    return this.#screen.pixel_width;
  }

  get height(): number {
    return this.#screen.pixel_height;
  }

  /** Key events go to the window that has the focus; `keycode` is 8–255. */
  key(keycode: number, down: boolean): void {
    const { KeyPress, KeyRelease } = this.#test;
    this.#fake(down ? KeyPress : KeyRelease, keycode);
  }

  /** 1 left, 2 middle, 3 right, 4–7 wheel up, down, left and right, 8 back, 9 forward. */
  button(button: number, down: boolean): void {
    const { ButtonPress, ButtonRelease } = this.#test;
    this.#fake(down ? ButtonPress : ButtonRelease, button);
  }

  moveTo(x: number, y: number): void {
    this.#fake(this.#test.MotionNotify, 0, x, y);
  }

  moveBy(dx: number, dy: number): void {
    this.#fake(this.#test.MotionNotify, 1, dx, dy);
  }

  /** Resolves when the server has done all that was asked for before. */
  async processed(): Promise<void> {
    await this.#answer<unknown>((reply) => this.#connection.GetInputFocus(reply));
  }

  /** Lights of the keyboard: bit 0 Caps, 1 Num, 2 Scroll. */
  async lights(): Promise<number> {
    const { ledMask } = await this.#answer<{ readonly ledMask: number }>((reply) =>
      this.#connection.GetKeyboardControl(reply),
    );
    return ledMask;
  }

  /** Where the pointer is, in pixels. */
  async pointer(): Promise<{ readonly x: number; readonly y: number }> {
    const { rootX, rootY } = await this.#answer<{ rootX: number; rootY: number }>((reply) =>
      this.#connection.QueryPointer(this.#screen.root, reply),
    );
    return { x: rootX, y: rootY };
  }

  /** The keycodes that are down. */
  async keysDown(): Promise<number[]> {
    const bits = await this.#answer<Buffer>((reply) => this.#connection.QueryKeymap(reply));
    return Array.from({ length: 256 }, (_, code) => code).filter(
      (code) => ((bits[code >> 3] ?? 0) & (1 << (code & 7))) !== 0,
    );
  }

  /** Covers the whole screen with a window that has the focus: `input` tells what it sees from then on. */
  async coverScreen(): Promise<void> {
    const { root, black_pixel } = this.#screen;
    const window = this.#connection.AllocID();
    this.#connection.CreateWindow(window, root, 0, 0, this.width, this.height, 0, 0, 0, 0, {
      overrideRedirect: true,
      backgroundPixel: black_pixel,
      eventMask: [...inputMasks].reduce((mask, name) => mask | (eventMask[name] ?? 0), 0),
    });
    this.#connection.MapWindow(window);
    await this.processed();
    this.#connection.SetInputFocus(window, 1);
    await this.processed();
  }

  /** Makes what is behind all windows black. */
  async blacken(): Promise<void> {
    const { root, black_pixel } = this.#screen;
    this.#connection.ChangeWindowAttributes(root, { backgroundPixel: black_pixel });
    this.#connection.ClearArea(root, 0, 0, 0, 0, 0);
    await this.processed();
  }

  /** Ends the connection; idempotent. */
  async close(): Promise<void> {
    if (this.#gone !== undefined) return;
    const closed = new Promise<void>((resolve) =>
      this.#connection.stream?.once('close', () => resolve()),
    );
    this.#gone = new Error('the connection to the X server is closed');
    this.#connection.stream?.destroy();
    await closed;
  }

  #fake(type: number, detail: number, x = 0, y = 0): void {
    if (this.#gone === undefined) this.#test.FakeInput(type, detail, 0, 0, x, y);
  }

  #answer<T>(ask: (reply: (error: unknown, result: T) => true) => void): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      const over = (end: () => void) => {
        clearTimeout(deadline);
        this.#refusals.delete(refuse);
        end();
      };
      const refuse = (error: Error) => over(() => reject(error));
      const deadline = setTimeout(refuse, answerMs, new Error('the X server does not answer'));
      this.#refusals.add(refuse);
      ask((error, result) => {
        if (error instanceof Error) refuse(error);
        else over(() => resolve(result));
        return true;
      });
    });
  }

  #fail(error: Error): void {
    if (this.#gone !== undefined) return;
    this.#gone = error;
    for (const refuse of [...this.#refusals]) refuse(error);
    this.#connection.stream?.destroy();
    this.emit('gone');
  }
}

interface Opened {
  readonly connection: XConnection;
  readonly screen: XScreenSetup;
  readonly test: XTestExtension;
}

const inputMasks = [
  ...['KeyPress', 'KeyRelease', 'ButtonPress', 'ButtonRelease', 'PointerMotion'],
] as const;

function isInput(name: string): name is XInput['name'] {
  return inputNames.has(name);
}

function open(display: string): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const connection = createClient({ display, shm: false }, (error, setup) => {
      const [screen] = setup?.screen ?? [];
      if (error !== undefined || screen === undefined) fail(error);
      else takeExtensions((test) => over(() => resolve({ connection, screen, test })));
    });
    const takeExtensions = (done: (test: XTestExtension) => void) => {
      connection.require('xtest', (noTest, test) => {
        if (noTest) return fail(noTest);
        connection.require('xkb', (noXkb, xkb) => {
          if (noXkb) return fail(noXkb);
          const { IndicatorStateNotify } = xkb.EventType;
          xkb.UseExtension(1, 0, (refused) => {
            if (refused) return fail(refused);
            xkb.SelectEvents(xkb.UseCoreKbd, IndicatorStateNotify, 0, IndicatorStateNotify, 0, 0);
            done(test);
            return true;
          });
          return true;
        });
        return true;
      });
    };
    const over = (end: () => void) => {
      clearTimeout(deadline);
      connection.off('error', fail);
      end();
    };
    const fail = (cause: unknown): true => {
      // Something has to listen to errors to the end.
      connection.on('error', () => undefined);
      over(() => reject(new Error(`cannot use the X display ${display}`, { cause })));
      connection.stream?.destroy();
      return true;
    };
    const deadline = setTimeout(fail, answerMs, new Error('it does not answer'));
    connection.on('error', fail);
  });
}
