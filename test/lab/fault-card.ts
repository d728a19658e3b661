import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/**
 * A sound card that fails on demand: an ALSA plugin of our own (fault-card.c) at the pace of a real card.
 * Captured from, it is a sine; what is played into it is kept. For the tests of recovery and conversion.
 */

/** The fields of `struct control` in fault-card.c, in its order; each an Int32. */
const fields = [
  'gone',
  'xruns',
  'suspends',
  'resumable',
  'stalled',
  'idle',
  'rateHz',
  'channels',
  'format',
  'pacePpm',
  'burstMs',
  'toneHz',
  'amplitude',
  'opens',
  'skipMs',
  'starts',
  'prefill',
] as const;

export type FaultField = (typeof fields)[number];
export type FaultSettings = Partial<Readonly<Record<FaultField, number>>>;

/** SND_PCM_FORMAT_* of alsa/pcm.h. */
export const sampleFormats = { s16: 2, s24: 6, s32: 10, float: 14, s24Packed: 32 } as const;

const defaults: FaultSettings = {
  rateHz: 48_000,
  channels: 2,
  format: sampleFormats.s16,
  toneHz: 1_000,
  amplitude: 16_384,
};

export class FaultCard {
  readonly #dir: string;
  readonly #control: number;
  readonly #onProcessExit = (): void => rmSync(this.#dir, { recursive: true, force: true });
  /** ALSA PCM of the card. */
  readonly pcm = 'fault';

  constructor(dir: string) {
    this.#dir = dir;
    this.#control = openSync(join(dir, 'control'), 'r+');
    process.once('exit', this.#onProcessExit);
  }

  /** What a program needs in its environment to find the card. */
  get env(): Readonly<Record<string, string>> {
    return { ALSA_CONFIG_PATH: join(this.#dir, 'asound.conf') };
  }

  /** A directory of the card's own, e.g. to stand for /dev/snd. */
  get dir(): string {
    return this.#dir;
  }

  get(field: FaultField): number {
    const bytes = Buffer.alloc(4);
    readSync(this.#control, bytes, 0, 4, 4 * fields.indexOf(field));
    return bytes.readInt32LE();
  }

  /** In force at the card's next look, a period later at most; rate, channels and format at its next open. */
  set(settings: FaultSettings): void {
    for (const field of fields) {
      const value = settings[field];
      if (value === undefined) continue;
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(value);
      writeSync(this.#control, bytes, 0, 4, 4 * fields.indexOf(field));
    }
  }

  /** Adds to a field that counts: `xruns`, `suspends`, `skipMs`. */
  raise(field: FaultField, by = 1): void {
    this.set({ [field]: this.get(field) + by });
  }

  /**
   * What was played into the card so far, ±1, all its channels interleaved: in the order in which it was
   * written, whatever failed in between.
   */
  async played(): Promise<Float32Array> {
    const bytes = await readFile(join(this.#dir, 'control.played')).catch(() => Buffer.alloc(0));
    const samples = new Float32Array(Math.floor(bytes.length / 4));
    Buffer.from(samples.buffer).set(bytes.subarray(0, samples.byteLength));
    return samples;
  }

  async remove(): Promise<void> {
    process.removeListener('exit', this.#onProcessExit);
    closeSync(this.#control);
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** Builds the plugin if needed and makes a card of it. The caller removes it. */
export async function makeFaultCard(settings: FaultSettings = {}): Promise<FaultCard> {
  const plugin = await buildFaultPlugin();
  const dir = await mkdtemp(join(tmpdir(), 'earshot-fault-'));
  await writeFile(join(dir, 'control'), Buffer.alloc(4 * fields.length));
  await writeFile(
    join(dir, 'asound.conf'),
    `</usr/share/alsa/alsa.conf>
pcm_type.earshot_fault { lib "${plugin}" }
pcm.fault { type earshot_fault control "${join(dir, 'control')}" }
`,
  );
  const card = new FaultCard(dir);
  card.set({ ...defaults, ...settings });
  return card;
}

/** Compiles fault-card.c into build/lab once for its content; returns the plugin's path. */
export async function buildFaultPlugin(): Promise<string> {
  const source = join(import.meta.dirname, 'fault-card.c');
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 16);
  const outDir = resolve(import.meta.dirname, '../../build/lab');
  const plugin = join(outDir, `libasound_module_pcm_earshot_fault-${hash}.so`);
  if (existsSync(plugin)) return plugin;
  await mkdir(outDir, { recursive: true });
  // Built aside and renamed: tests that run at the same time see all of it or nothing.
  const work = await mkdtemp(join(outDir, 'work-'));
  const output = join(work, 'plugin.so');
  const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-DPIC'];
  await promisify(execFile)('cc', [...flags, source, '-o', output, '-lasound', '-lm']);
  await rename(output, plugin);
  await rm(work, { recursive: true, force: true });
  return plugin;
}
