import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { PassThrough, Writable } from 'node:stream';

/** The other end of agent.c, where the frames are described. */

const kinds = { ready: 1, start: 2, input: 3, signal: 4, output: 5, errors: 6, exit: 7 } as const;
const headerBytes = 12;
const longestPayload = 256 * 1024;
/** What a program may have written that nobody read. */
const mostUnread = 16 * 1024 * 1024;

interface ProgramEvents {
  /** It ended: with a code, or by a signal. */
  exit: [code: number | null, signal: string | null];
  /** It ended, and so did its output. */
  close: [code: number | null, signal: string | null];
}

/** A program that runs in a guest, with the parts of a ChildProcess that make sense from here. */
export class GuestProgram extends EventEmitter<ProgramEvents> {
  readonly stdin: Writable;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  exitCode: number | null = null;
  signalCode: string | null = null;
  readonly #signal: (number: number) => void;
  #open = 3;

  constructor(options: {
    readonly input: (data: Buffer) => void;
    readonly signal: (number: number) => void;
  }) {
    super();
    this.#signal = options.signal;
    this.stdin = new Writable({
      write(chunk, _, done) {
        const data = Buffer.from(chunk);
        for (let at = 0; at < data.length; at += longestPayload) {
          options.input(data.subarray(at, at + longestPayload));
        }
        done();
      },
      final(done) {
        options.input(Buffer.alloc(0));
        done();
      },
    });
  }

  /** Sends a signal to it and all it started; false when it has ended. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    if (this.exitCode !== null || this.signalCode !== null) return false;
    this.#signal(constants.signals[signal]);
    return true;
  }

  /** For the link: what it wrote; nothing is the end. */
  wrote(stream: PassThrough, data: Buffer): void {
    if (data.length === 0) {
      stream.end();
      this.#finishPart();
    } else {
      stream.write(data);
      if (stream.readableLength + stream.writableLength > mostUnread) this.kill('SIGKILL');
    }
  }

  /** For the link: it ended. */
  ended(code: number | null, signal: string | null): void {
    if (this.exitCode !== null || this.signalCode !== null) return;
    this.exitCode = code;
    this.signalCode = signal;
    this.emit('exit', code, signal);
    this.#finishPart();
  }

  /** For the link: the guest is gone, and whatever ran there with it. */
  vanished(): void {
    this.ended(null, 'SIGKILL');
    this.stdout.end();
    this.stderr.end();
    if (this.#open > 0) this.emit('close', this.exitCode, this.signalCode);
    this.#open = 0;
  }

  #finishPart(): void {
    this.#open -= 1;
    if (this.#open === 0) this.emit('close', this.exitCode, this.signalCode);
  }
}

/** Starts programs through the agent, all of them over one socket. Emits `ready` once. */
export class AgentLink extends EventEmitter<{ ready: [] }> {
  readonly #socket: Socket;
  readonly #programs = new Map<number, GuestProgram>();
  #received: Buffer = Buffer.alloc(0);
  #lastId = 0;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (data) => this.#take(data));
    // The end of it is told by the process whose socket it is.
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
  }

  /** Starts `argv` in a directory of the guest. What cannot be started ends with 127 and says why. */
  start(argv: readonly string[], directory: string): GuestProgram {
    this.#lastId += 1;
    const id = this.#lastId;
    const program = new GuestProgram({
      input: (data) => this.#send(id, kinds.input, data),
      signal: (number) => this.#send(id, kinds.signal, word(number)),
    });
    program.once('close', () => this.#programs.delete(id));
    this.#programs.set(id, program);
    this.#send(id, kinds.start, Buffer.from([directory, ...argv].map((it) => `${it}\0`).join('')));
    return program;
  }

  /** Nothing runs there any more. Idempotent. */
  close(): void {
    this.#socket.destroy();
    for (const program of [...this.#programs.values()]) program.vanished();
  }

  #send(id: number, kind: number, payload: Buffer): void {
    if (this.#socket.destroyed) return;
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(payload.length, 0);
    header.writeUInt32LE(id, 4);
    header.writeUInt32LE(kind, 8);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    for (;;) {
      if (this.#received.length < headerBytes) return;
      const end = headerBytes + this.#received.readUInt32LE(0);
      if (this.#received.length < end) return;
      const [id, kind] = [this.#received.readUInt32LE(4), this.#received.readUInt32LE(8)];
      const payload = this.#received.subarray(headerBytes, end);
      this.#received = this.#received.subarray(end);
      if (kind === kinds.ready) this.emit('ready');
      else this.#tell(this.#programs.get(id), kind, payload);
    }
  }

  #tell(program: GuestProgram | undefined, kind: number, payload: Buffer): void {
    if (kind === kinds.output) program?.wrote(program.stdout, payload);
    else if (kind === kinds.errors) program?.wrote(program.stderr, payload);
    else if (kind === kinds.exit) {
      const number = payload.readUInt32LE(4);
      const name = Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
      if (number === 0) program?.ended(payload.readUInt32LE(0), null);
      else program?.ended(null, name ?? String(number));
    }
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
