import * as v from 'valibot';
import {
  type ConsoleMessage,
  type ConsoleRequest,
  consoleMessageSchema,
  consoleProtocol,
  maxConsoleMessageBytes,
} from '../../../control/serial/console-messages.ts';
import type { SerialStatus } from '../../../control/serial/serial-status.ts';

/** How a console on this page stands. */
export interface ConsoleState {
  readonly connection: 'connecting' | 'open' | 'lost';
  /** The device's name for this console; empty before it said so. */
  readonly name: string;
  readonly status: SerialStatus | undefined;
  /** What is typed here goes to the host. */
  readonly isWriter: boolean;
  /** Why it does not, or what did not work, in words; empty when nothing is to be said. */
  readonly notice: string;
}

export const noConsole: ConsoleState = {
  connection: 'connecting',
  name: '',
  status: undefined,
  isWriter: false,
  notice: '',
};

export interface ConsoleLinkOptions {
  readonly openSocket: () => WebSocket;
  /** Fresh delays between tries, in ms. */
  readonly backoff: () => Iterator<number>;
  /** Runs `action` after a delay, unless the function returned is called before. */
  readonly later: (delayMs: number, action: () => void) => () => void;
  /** Bytes of the host. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** All that was shown comes again. */
  readonly onReset: () => void;
  /** A word to show between the bytes. */
  readonly onNote: (words: string) => void;
  readonly onState: (state: ConsoleState) => void;
}

/** Bytes typed or pasted here that may wait for room at the device; a person who pastes more is told. */
export const maxWaitingBytes = 256 * 1024;

/** A socket that has not opened by then is given up. */
const openDeadlineMs = 10_000;

/** The host's serial console over its WebSocket (CONSOLE-PROTOCOL.md), for as long as the terminal is open. */
export class ConsoleLink {
  readonly #options: ConsoleLinkOptions;
  #socket: WebSocket | undefined;
  #delays: Iterator<number>;
  #cancel: () => void = () => undefined;
  #state = noConsole;
  #isStarted = false;
  /** Was the writer when the connection was lost: asks to be it again. */
  #wantsWriter = true;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  /** Since this became the writer. */
  #sentBytes = 0;
  #takenBytes = 0;
  #windowBytes = 0;

  constructor(options: ConsoleLinkOptions) {
    this.#options = options;
    this.#delays = options.backoff();
  }

  get state(): ConsoleState {
    return this.#state;
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#connect();
  }

  /** Idempotent; nothing is reported afterwards. */
  stop(): void {
    this.#isStarted = false;
    this.#cancel();
    this.#drop();
  }

  /** Sends to the host what was typed; the rest of a long text follows as the device has room. */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    // What is typed before the device has answered waits for it.
    const awaitsPlace = this.#wantsWriter && this.#state.connection !== 'lost';
    if (!this.#state.isWriter && !awaitsPlace) {
      this.#set({ notice: this.#state.notice || 'This console only reads.' });
      return;
    }
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      const most = `${maxWaitingBytes / 1_024} KiB`;
      this.#set({ notice: `More than ${most} would wait to be sent; nothing of the last was.` });
      return;
    }
    for (let at = 0; at < bytes.length; at += maxConsoleMessageBytes) {
      this.#waiting.push(bytes.slice(at, at + maxConsoleMessageBytes));
    }
    this.#waitingBytes += bytes.length;
    this.#pump();
  }

  /** Asks for the place of the one who writes; `takeover` takes it from whoever has it. */
  takeWriter(takeover: boolean): void {
    this.#wantsWriter = true;
    this.#ask({ type: 'writer', wanted: true, takeover });
  }

  releaseWriter(): void {
    this.#wantsWriter = false;
    this.#ask({ type: 'writer', wanted: false, takeover: false });
  }

  sendBreak(ms: number): void {
    this.#ask({ type: 'break', ms });
  }

  #connect(): void {
    this.#set({ connection: 'connecting' });
    const socket = this.#options.openSocket();
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    socket.onclose = ({ reason }) => this.#lost(reason);
    this.#cancel = this.#options.later(openDeadlineMs, () =>
      this.#lost('The device did not answer in time.'),
    );
  }

  #receive(data: unknown): void {
    if (data instanceof ArrayBuffer) this.#options.onBytes(new Uint8Array(data));
    else if (typeof data === 'string') {
      const message = parse(data);
      if (message !== undefined) this.#act(message);
    }
  }

  #act(message: ConsoleMessage): void {
    switch (message.type) {
      case 'hello':
        this.#cancel();
        this.#delays = this.#options.backoff();
        this.#windowBytes = message.windowBytes;
        this.#options.onReset();
        this.#set({
          connection: 'open',
          name: message.console,
          status: message.status,
          isWriter: false,
          notice: '',
        });
        if (this.#wantsWriter) this.takeWriter(false);
        return;
      case 'state':
        this.#set({ status: message.status });
        return;
      case 'writer':
        if (!message.held) this.#forgetWaiting();
        this.#sentBytes = 0;
        this.#takenBytes = 0;
        // Who writes instead is in the status; that the place was taken from here is news.
        this.#set({
          isWriter: message.held,
          notice: this.#state.isWriter && !message.held ? message.reason : '',
        });
        // Who lost the place to another does not fight for it.
        if (!message.held) this.#wantsWriter = false;
        this.#pump();
        return;
      case 'taken':
        this.#takenBytes = message.bytes;
        this.#pump();
        return;
      case 'refused':
        this.#set({ notice: `${message.bytes} bytes did not reach the host. ${message.reason}` });
        return;
      case 'missed':
        this.#options.onNote(`${message.bytes} bytes of the host are missing here`);
        return;
      case 'error':
        this.#set({ notice: message.message });
        return;
    }
  }

  /** Sends while the device has room. */
  #pump(): void {
    while (this.#state.isWriter) {
      const [next] = this.#waiting;
      if (next === undefined || this.#socket?.readyState !== 1) return;
      if (this.#sentBytes - this.#takenBytes + next.length > this.#windowBytes) return;
      this.#waiting.shift();
      this.#waitingBytes -= next.length;
      this.#sentBytes += next.length;
      this.#socket.send(next);
    }
  }

  #forgetWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#sentBytes = 0;
    this.#takenBytes = 0;
  }

  #ask(request: ConsoleRequest): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(request));
  }

  #lost(reason: string): void {
    this.#cancel();
    this.#drop();
    const wasWriter = this.#state.isWriter;
    if (wasWriter) this.#wantsWriter = true;
    this.#forgetWaiting();
    const notice = reason || 'The connection to the console was lost.';
    this.#set({ connection: 'lost', isWriter: false, notice });
    const delayMs = this.#delays.next().value ?? openDeadlineMs;
    this.#cancel = this.#options.later(delayMs, () => this.#connect());
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #set(change: Partial<ConsoleState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onState(this.#state);
  }
}

/** WebSocket of the console at an address under `/api/v1`. */
export function openConsoleSocket(socketBase: string): WebSocket {
  return new WebSocket(`${socketBase}/serial/console`, consoleProtocol);
}

/** A newer device may say what this page does not know: that is left aside. */
function parse(text: string): ConsoleMessage | undefined {
  try {
    const result = v.safeParse(consoleMessageSchema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
