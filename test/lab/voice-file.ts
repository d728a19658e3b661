import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatWav } from './wav-player.ts';

/** What a browser's made-up microphone hears from the moment it is opened: a file of its own, and then silence. */
export interface VoiceFile {
  /** For `LabBrowserOptions.microphone`. Not again and again: Chromium leaves a seam there. */
  readonly microphone: string;
  remove(): Promise<void>;
}

const rateHz = 48_000;

/** `samples` are interleaved stereo at 48 kHz; they are said after `leadInMs` of silence. The caller removes it. */
export async function makeVoiceFile(
  samples: Int16Array,
  { leadInMs = 0 }: { readonly leadInMs?: number } = {},
): Promise<VoiceFile> {
  const dir = await mkdtemp(join(tmpdir(), 'earshot-voice-'));
  const file = join(dir, 'voice.wav');
  const lead = 2 * Math.round((leadInMs / 1_000) * rateHz);
  const whole = new Int16Array(lead + samples.length);
  whole.set(samples, lead);
  await writeFile(file, formatWav(whole, { rateHz, channels: 2 }));
  return {
    microphone: `${file}%noloop`,
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** A sine, the same in both channels. */
export function toneSamples(tone: {
  readonly hz: number;
  /** 0–1. */
  readonly amplitude: number;
  readonly seconds: number;
}): Int16Array {
  const { hz, amplitude, seconds } = tone;
  const samples = new Int16Array(2 * rateHz * seconds);
  for (let n = 0; n < rateHz * seconds; n += 1) {
    const value = amplitude * Math.sin((2 * Math.PI * hz * n) / rateHz);
    samples[2 * n] = samples[2 * n + 1] = Math.round(value * 32_767);
  }
  return samples;
}
