import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { findChirps } from './correlate.ts';
import type { SoundServer } from './sound-server.ts';

/**
 * Records what a sound card of the lab plays, on the clock of `performance.now()`.
 *
 * A null sink's clock is the machine's own monotonic one, so that a recording needs one offset only:
 * the smallest of (arrival of a block − position of its end) over all blocks, since a block is
 * never early. Two recordings, of the same server or of two, are then on one clock to well under 1 ms
 * (test/integration/card-recorder.test.ts holds it to that).
 */

export interface Recording {
  /** Interleaved, 48 kHz. */
  readonly samples: Int16Array;
  readonly channels: number;
  /** When the first sample was played, in ms of performance.now(). */
  readonly startMs: number;
}

const rateHz = 48_000;
const channels = 2;

/** How often the sound server hands over a block; also how far ahead of time a null sink plays. */
const blockMs = 5;

/** Half of the recording may not disagree more than this with the other about when it began: samples were lost. */
const defaultToleranceMs = 3;

const startDeadlineMs = 10_000;

interface Block {
  readonly arrivedMs: number;
  readonly endSample: number;
}

/** A program that writes what a source of PulseAudio's carries to its standard output: 48 kHz, stereo, 16 bit. */
export function recordRaw(
  server: SoundServer,
  source: string,
): ChildProcessByStdio<null, Readable, null> {
  return spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'parec', `--device=${source}`, '--raw'],
      ...['--format=s16le', `--rate=${rateHz}`, `--channels=${channels}`],
      ...[`--latency-msec=${blockMs}`, '--client-name=lab recorder'],
    ],
    { env: { ...process.env, ...server.env }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
}

/** Ends a program of {@link recordRaw}; idempotent. */
export async function endRecording(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

export interface RecorderOptions {
  readonly asMicrophone?: boolean;
  /** How far the clock of the recording may slip; 3 ms unless told. */
  readonly clockToleranceMs?: number;
}

export class CardRecorder {
  readonly #server: SoundServer;
  readonly #source: string;
  readonly #clockToleranceMs: number;
  readonly #chunks: Buffer[] = [];
  readonly #blocks: Block[] = [];
  #bytes = 0;
  #process: ChildProcess | undefined;

  /** Records what is played into the device `sink` of `server`, or what the microphone that it is hears. */
  constructor(
    server: SoundServer,
    sink: string,
    { asMicrophone = false, clockToleranceMs = defaultToleranceMs }: RecorderOptions = {},
  ) {
    this.#server = server;
    this.#clockToleranceMs = clockToleranceMs;
    this.#source = asMicrophone ? server.microphoneName(sink) : server.monitorName(sink);
  }

  /** Begins; resolves with the first samples. */
  async start(): Promise<void> {
    const child = recordRaw(this.#server, this.#source);
    this.#process = child;
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    await once(child.stdout, 'data', { signal: AbortSignal.timeout(startDeadlineMs) });
  }

  /** Ends and returns what was recorded; throws when nothing was, or samples were lost. Call once. */
  async stop(): Promise<Recording> {
    const child = this.#process;
    this.#process = undefined;
    if (child !== undefined) await endRecording(child);
    const half = Math.floor(this.#blocks.length / 2);
    if (half === 0) throw new Error(`nothing was recorded from ${this.#source}`);
    const first = startOf(this.#blocks.slice(0, half));
    const second = startOf(this.#blocks.slice(half));
    if (Math.abs(first - second) > this.#clockToleranceMs) {
      throw new Error(
        `the recording of ${this.#source} slipped by ${(second - first).toFixed(1)} ms`,
      );
    }
    return { ...this.#samples(), startMs: Math.min(first, second) };
  }

  /** What was recorded so far, for a caller that waits for a sound. */
  peek(): Recording | undefined {
    if (this.#blocks.length === 0) return undefined;
    return { ...this.#samples(), startMs: startOf(this.#blocks) };
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const endSample = Math.floor(this.#bytes / 2 / channels);
    this.#blocks.push({ arrivedMs: performance.now(), endSample });
  }

  #samples(): { readonly samples: Int16Array; readonly channels: number } {
    const bytes = Buffer.concat(this.#chunks);
    const frames = Math.floor(bytes.length / 2 / channels);
    // A copy of its own: a pooled buffer need not begin at an even address.
    const samples = new Int16Array(frames * channels);
    Buffer.from(samples.buffer).set(bytes.subarray(0, samples.byteLength));
    return { samples, channels };
  }
}

function startOf(blocks: readonly Block[]): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { arrivedMs, endSample } of blocks) {
    earliest = Math.min(earliest, arrivedMs - (endSample / rateHz) * 1_000);
  }
  return earliest;
}

/** When each chirp of a recording was played, in ms of performance.now(). */
export function chirpTimes({ samples, channels: count, startMs }: Recording): number[] {
  return findChirps(samples, count).map(({ atMs }) => startMs + atMs);
}
