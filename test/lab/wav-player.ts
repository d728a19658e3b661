import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SoundServer } from './sound-server.ts';

/** Plays WAV files into a device of the lab's sound server, as the host would play its sound. */

export interface PlayOptions {
  /** Play without end and without a gap, again after a restart of the server too. False by default. */
  readonly loop?: boolean;
  /** ALSA buffer of the player in ms; a period is a quarter of it. 40 by default. */
  readonly bufferMs?: number;
}

export interface Playback {
  /** Resolves when the file has been played, or after stop(). With `loop`, only after stop(). */
  readonly finished: Promise<void>;
  /** Ends the sound at once; idempotent. */
  stop(): Promise<void>;
}

/** Plays `file` (WAV, 16 bit) into the device `name`. */
export async function playWav(
  server: SoundServer,
  name: string,
  file: string,
  { loop = false, bufferMs = 40 }: PlayOptions = {},
): Promise<Playback> {
  const { rateHz, channels, data } = parseWav(await readFile(file));
  const dir = await mkdtemp(join(server.dir, 'play-'));
  const raw = join(dir, 'sound.raw');
  await writeFile(raw, data);
  const aplay = [
    ...['aplay', '-q', '-D', server.feedPcm(name), '-t', 'raw', '-f', 'S16_LE'],
    ...['-r', `${rateHz}`, '-c', `${channels}`, '--buffer-time', `${bufferMs * 1_000}`],
    ...['--period-time', `${bufferMs * 250}`],
  ];
  // The pipe, not this process, feeds the player: the sound goes on while a test blocks its own event loop.
  const script = loop ? 'while cat "$0"; do :; done | "$@"' : 'cat "$0" | "$@"';
  let stopped = false;
  let child: ChildProcess | undefined;

  async function run(): Promise<void> {
    do {
      child = spawn('setpriv', ['--pdeathsig', 'KILL', 'sh', '-c', script, raw, ...aplay], {
        env: { ...process.env, ...server.env },
        stdio: 'ignore',
        detached: true,
      });
      await once(child, 'exit');
      // The server went away; look again soon whether it is back.
      if (loop && !stopped) await delay(50);
    } while (loop && !stopped);
    await rm(dir, { recursive: true, force: true });
  }

  function killGroup(): void {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group ended on its own between the check and the signal.
    }
  }
  process.once('exit', killGroup);
  const finished = run().finally(() => process.removeListener('exit', killGroup));
  return {
    finished,
    async stop() {
      stopped = true;
      killGroup();
      await finished;
    },
  };
}

interface Wav {
  readonly rateHz: number;
  readonly channels: number;
  readonly data: Buffer;
}

/** Reads a 16-bit PCM WAV file (RIFF chunks `fmt ` and `data`). */
export function parseWav(file: Buffer): Wav {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('not a WAV file');
  }
  let rateHz = 0;
  let channels = 0;
  for (let offset = 12; offset + 8 <= file.length; ) {
    const name = file.toString('latin1', offset, offset + 4);
    const size = file.readUInt32LE(offset + 4);
    const body = file.subarray(offset + 8, offset + 8 + size);
    if (name === 'fmt ') {
      channels = body.readUInt16LE(2);
      rateHz = body.readUInt32LE(4);
      if (body.readUInt16LE(14) !== 16) throw new Error('only 16-bit WAV files are played');
    }
    if (name === 'data') return { rateHz, channels, data: body };
    offset += 8 + size + (size % 2);
  }
  throw new Error('the WAV file has no data');
}

/** Writes interleaved 16-bit samples as a WAV file. */
export function formatWav(
  samples: Int16Array,
  options: { rateHz: number; channels: number },
): Buffer {
  const { rateHz, channels } = options;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rateHz, 24);
  header.writeUInt32LE(rateHz * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([
    header,
    Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength),
  ]);
}
