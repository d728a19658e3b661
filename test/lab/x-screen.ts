import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** A virtual X display: the host's screen, where there is no host. */
export interface XScreen {
  /** E.g. `:7`. */
  readonly display: string;
  /**
   * Paints whole rows over whatever is there, at once and past the X server: pictures taken from now on show
   * it. `rgb` is 0xRRGGBB.
   */
  paint(rows: { readonly from: number; readonly count: number; readonly rgb: number }): void;
  /** Paints whole rows from row `from` on in the same way, 4 bytes a pixel: blue, green, red and one unused. */
  paintPixels(rows: { readonly from: number; readonly pixels: Buffer }): void;
  /** Starts a program on it that does not outlive it. `env` is added to this process's. */
  run(argv: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  /** The X server stands still, and goes on. */
  hold(holds: boolean): void;
  /** Ends it and what runs on it; idempotent. */
  stop(): Promise<void>;
}

export interface XScreenOptions {
  readonly width?: number;
  readonly height?: number;
  /** What is on it at first; black by default. */
  readonly root?: 'white' | 'black';
  /** Such as `:97`; a free one when it is left out. */
  readonly display?: string;
}

const startMs = 10_000;
const stopMs = 2_000;
const xvfb = '/usr/bin/Xvfb';

/** Why there can be no X server here; undefined when there can. */
export function missingXServer(): string | undefined {
  return existsSync(xvfb) ? undefined : `${xvfb} is not installed (scripts/setup.sh)`;
}

/** Starts Xvfb, without a network port. Throws when it does not start within 10 s. */
export async function startXScreen({
  width = 1_280,
  height = 720,
  root = 'black',
  display: wanted,
}: XScreenOptions = {}): Promise<XScreen> {
  const programs = new Set<ChildProcess>();
  const directory = await mkdtemp(join(tmpdir(), 'earshot-screen-'));
  const server = launch(
    [
      ...[xvfb, ...(wanted === undefined ? [] : [wanted]), '-displayfd', '3'],
      ...['-screen', '0', `${width}x${height}x24`, root === 'white' ? '-wr' : '-br'],
      ...['-nolisten', 'tcp', '-noreset', '-fbdir', directory],
    ],
    {},
    ['ignore', 'ignore', 'ignore', 'pipe'],
  );
  const display = await readDisplay(server);
  const framebuffer = new Framebuffer(join(directory, 'Xvfb_screen0'));
  return {
    display,
    paint: (rows) => framebuffer.paint(rows),
    paintPixels: (rows) => framebuffer.paintPixels(rows),
    run(argv, env = {}) {
      const program = launch(argv, { ...env, DISPLAY: display }, ['ignore', 'ignore', 'ignore']);
      programs.add(program);
      program.once('exit', () => programs.delete(program));
      return program;
    },
    hold(holds) {
      server.kill(holds ? 'SIGSTOP' : 'SIGCONT');
    },
    async stop() {
      await Promise.all([...programs].map((program) => end(program)));
      // Asked first: killed, it leaves its lock and its socket.
      const deadline = setTimeout(() => server.kill('SIGKILL'), stopMs);
      await end(server, 'SIGTERM');
      clearTimeout(deadline);
      framebuffer.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The screen's memory, which Xvfb keeps in a file (XWDFile.h: version 7, big-endian fields, 32 bits a pixel here). */
class Framebuffer {
  readonly #file: number;
  readonly #start: number;
  readonly #bytesPerLine: number;
  #closed = false;

  constructor(path: string) {
    this.#file = openSync(path, 'r+');
    const header = Buffer.alloc(100);
    readSync(this.#file, header, 0, header.length, 0);
    const [version, depth] = [header.readUInt32BE(4), header.readUInt32BE(44)];
    if (version !== 7 || depth !== 32) {
      throw new Error(`Xvfb's screen file has version ${version} and ${depth} bits a pixel`);
    }
    this.#bytesPerLine = header.readUInt32BE(48);
    // Twelve bytes a colour of the map follow the header and its name.
    this.#start = header.readUInt32BE(0) + 12 * header.readUInt32BE(76);
  }

  paint({ from, count, rgb }: Parameters<XScreen['paint']>[0]): void {
    const pixels = Buffer.alloc(count * this.#bytesPerLine);
    for (let at = 0; at < pixels.length; at += 4) pixels.writeUInt32LE(rgb, at);
    this.paintPixels({ from, pixels });
  }

  paintPixels({ from, pixels }: Parameters<XScreen['paintPixels']>[0]): void {
    if (pixels.length % this.#bytesPerLine !== 0) {
      throw new RangeError(`${pixels.length} bytes; rows of ${this.#bytesPerLine} are painted`);
    }
    writeSync(this.#file, pixels, 0, pixels.length, this.#start + from * this.#bytesPerLine);
  }

  close(): void {
    if (!this.#closed) closeSync(this.#file);
    this.#closed = true;
  }
}

function launch(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  stdio: ('ignore' | 'pipe')[],
): ChildProcess {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
    env: { ...process.env, ...env },
    stdio,
  });
  // That it could not be started is seen by its exit.
  child.on('error', () => undefined);
  return child;
}

/** Xvfb writes the number of its display when it is ready. */
async function readDisplay(server: ChildProcess): Promise<string> {
  const pipe = server.stdio[3] as Readable;
  const deadline = setTimeout(() => server.kill('SIGKILL'), startMs);
  let text = '';
  for await (const chunk of pipe) {
    text += String(chunk);
    if (text.endsWith('\n')) break;
  }
  clearTimeout(deadline);
  if (!/^\d+\n$/.test(text)) {
    throw new Error('Xvfb did not start: is the Debian package xvfb installed?');
  }
  return `:${text.trim()}`;
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
