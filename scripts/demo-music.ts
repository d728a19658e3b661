import { writeFile } from 'node:fs/promises';
import { formatWav } from '../test/lab/wav-player.ts';

/**
 * The demo host's sound: J. S. Bach, Prelude in C major, BWV 846 (1722, public domain), entered from
 * the score and played by plucked strings (Karplus and Strong, Computer Music Journal 7(2), 1983) in a
 * small room. The end runs into the beginning, so that it can be played on a loop.
 */

export const musicRateHz = 48_000;
const beatsPerMinute = 96;
const samplesPerSixteenth = Math.round((musicRateHz * 60) / beatsPerMinute / 4);

/** Highest sample, of full scale: −6 dBFS. */
const peakLevel = 10 ** (-6 / 20);

/** How long a note rings on under the next ones, in seconds. */
const ringS = 3.2;

/** Bars 1 to 32: five notes, played as sixteenths 1 2 3 4 5 3 4 5, twice. */
const chords = `
  C4 E4 G4 C5 E5 | C4 D4 A4 D5 F5 | B3 D4 G4 D5 F5 | C4 E4 G4 C5 E5
  C4 E4 A4 E5 A5 | C4 D4 F#4 A4 D5 | B3 D4 G4 D5 G5 | B3 C4 E4 G4 C5
  A3 C4 E4 G4 C5 | D3 A3 D4 F#4 C5 | G3 B3 D4 G4 B4 | G3 Bb3 E4 G4 C#5
  F3 A3 D4 A4 D5 | F3 Ab3 D4 F4 B4 | E3 G3 C4 G4 C5 | E3 F3 A3 C4 F4
  D3 F3 A3 C4 F4 | G2 D3 G3 B3 F4 | C3 E3 G3 C4 E4 | C3 G3 Bb3 C4 E4
  F2 F3 A3 C4 E4 | F#2 C3 A3 C4 Eb4 | Ab2 F3 B3 C4 D4 | G2 F3 G3 B3 D4
  G2 E3 G3 C4 E4 | G2 D3 G3 C4 F4 | G2 D3 G3 B3 F4 | G2 Eb3 A3 C4 F#4
  G2 E3 G3 C4 G4 | G2 D3 G3 C4 F4 | G2 D3 G3 B3 F4 | C2 C3 G3 Bb3 E4
`;

/** Bars 33 and 34, sixteenth by sixteenth, and the chord of bar 35, which sounds for a whole bar. */
const ending = [
  'C2 C3 F3 A3 C4 F4 C4 A3 C4 A3 F3 A3 F3 D3 F3 D3',
  'C2 B2 G4 B4 D5 F5 D5 B4 D5 B4 G4 B4 D4 F4 E4 D4',
] as const;
const lastChord = 'C2 C3 E4 G4 C5';

interface Note {
  /** MIDI number; 60 is middle C. */
  readonly pitch: number;
  /** Start, in sixteenths from the beginning. */
  readonly at: number;
  /** 0–1. */
  readonly velocity: number;
}

const semitones: Readonly<Record<string, number>> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

/** MIDI number of a note such as `F#4`. */
function pitchOf(name: string): number {
  const [, letter = '', accidental = '', octave = ''] = /^([A-G])([#b]?)(\d)$/.exec(name) ?? [];
  const semitone = semitones[letter];
  if (semitone === undefined) throw new Error(`no note ${name}`);
  const shift = { '#': 1, b: -1 }[accidental] ?? 0;
  return 12 * (Number(octave) + 1) + semitone + shift;
}

function pitchesOf(names: string): number[] {
  return names.trim().split(/\s+/).map(pitchOf);
}

/** The score. Dynamics follow the shape of the bar: the bass carries, the repeat is softer. */
export function prelude(): { readonly notes: readonly Note[]; readonly sixteenths: number } {
  const bars = chords.trim().split(/[|\n]/).map(pitchesOf);
  const notes: Note[] = [];
  const pattern = [0, 1, 2, 3, 4, 2, 3, 4];
  bars.forEach((bar, index) => {
    for (let half = 0; half < 2; half += 1) {
      pattern.forEach((which, step) => {
        const pitch = bar[which];
        if (pitch === undefined) throw new Error(`bar ${index + 1} has ${bar.length} notes`);
        const accent = step === 0 ? 0.95 : step === 4 ? 0.78 : 0.66;
        notes.push({ pitch, at: index * 16 + half * 8 + step, velocity: accent - half * 0.08 });
      });
    }
  });
  ending.forEach((line, bar) => {
    pitchesOf(line).forEach((pitch, step) => {
      const velocity = step === 0 ? 0.95 : 0.66;
      notes.push({ pitch, at: (bars.length + bar) * 16 + step, velocity });
    });
  });
  const lastBar = (bars.length + ending.length) * 16;
  // Rolled from below, a sixteenth between the lowest note and the highest.
  pitchesOf(lastChord).forEach((pitch, index) => {
    notes.push({ pitch, at: lastBar + index / 4, velocity: 0.8 });
  });
  return { notes, sixteenths: lastBar + 16 };
}

/** A generator of uniform numbers in −1…1 that is the same on every machine (xorshift32). */
function noise(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 0x8000_0000;
  };
}

/** One plucked string of `pitch`, ringing out: a loop of noise through a low pass, tuned by an all-pass. */
function pluck(pitch: number, detuneCents: number): Float32Array {
  const frequencyHz = 440 * 2 ** ((pitch - 69 + detuneCents / 100) / 12);
  // The low pass of two samples delays by half of one.
  const period = musicRateHz / frequencyHz - 0.5;
  const whole = Math.floor(period - 0.1);
  const fraction = period - whole;
  const allPass = (1 - fraction) / (1 + fraction);
  // High strings lose their sound faster; each loop keeps this much.
  const decayS = 5.5 * 2 ** ((48 - pitch) / 18);
  const keep = 10 ** (-3 / (frequencyHz * decayS));
  const line = excitation(pitch, whole);
  const sound = new Float32Array(Math.round(ringS * musicRateHz));
  let position = 0;
  let before = 0;
  let allPassIn = 0;
  let allPassOut = 0;
  for (let n = 0; n < sound.length; n += 1) {
    const out = line[position] ?? 0;
    sound[n] = out;
    const damped = keep * (0.5 * out + 0.5 * before);
    before = out;
    allPassOut = allPass * damped + allPassIn - allPass * allPassOut;
    allPassIn = damped;
    line[position] = allPassOut;
    position = position + 1 === whole ? 0 : position + 1;
  }
  fadeEnds(sound);
  return sound;
}

/** What the finger leaves on the string: soft noise without a constant part, plucked at a fifth of its length. */
function excitation(pitch: number, length: number): Float32Array {
  const random = noise(pitch * 2_654_435_761);
  const soft = new Float32Array(length);
  let state = 0;
  for (let n = 0; n < length; n += 1) {
    state += 0.35 * (random() - state);
    soft[n] = state;
  }
  const tap = Math.max(1, Math.round(length / 5));
  const line = soft.map((value, n) => value - (soft[(n + length - tap) % length] ?? 0));
  const mean = line.reduce((sum, value) => sum + value, 0) / length;
  const power = Math.sqrt(line.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length);
  return line.map((value) => (value - mean) / power);
}

/** No click where a note begins (2 ms) or is let go (0.4 s). */
function fadeEnds(sound: Float32Array): void {
  const attack = Math.round(0.002 * musicRateHz);
  const release = Math.round(0.4 * musicRateHz);
  for (let n = 0; n < attack; n += 1) sound[n] = ((sound[n] ?? 0) * n) / attack;
  for (let n = 0; n < release; n += 1) {
    const index = sound.length - 1 - n;
    sound[index] = ((sound[index] ?? 0) * n) / release;
  }
}

/** Adds `sound` to `target` from `start`, around the end into the beginning. */
function mixInto(target: Float32Array, sound: Float32Array, start: number, gain: number): void {
  const untilEnd = Math.min(sound.length, target.length - start);
  add(target, start, sound, 0, untilEnd, gain);
  add(target, 0, sound, untilEnd, sound.length, gain);
}

function add(
  target: Float32Array,
  at: number,
  sound: Float32Array,
  from: number,
  to: number,
  gain: number,
): void {
  for (let n = from; n < to; n += 1) {
    target[at + n - from] = (target[at + n - from] ?? 0) + (sound[n] ?? 0) * gain;
  }
}

/** A small room (Schroeder's reverberator: combs in parallel, all-passes in series), run twice round the loop so that the end's echo is in the beginning. */
function room(dry: Float32Array, combLengths: readonly number[]): Float32Array {
  const wet = new Float32Array(dry.length);
  for (const length of combLengths) {
    const line = new Float32Array(length);
    const feedback = 10 ** ((-3 * length) / musicRateHz / 1.4);
    let position = 0;
    let damped = 0;
    // Four seconds before the beginning are the end.
    for (let n = -4 * musicRateHz; n < dry.length; n += 1) {
      const out = line[position] ?? 0;
      damped += 0.6 * (out - damped);
      line[position] = (dry[n < 0 ? n + dry.length : n] ?? 0) + feedback * damped;
      position = position + 1 === length ? 0 : position + 1;
      if (n >= 0) wet[n] = (wet[n] ?? 0) + out / combLengths.length;
    }
  }
  return [241, 89].reduce(diffuse, wet);
}

function diffuse(input: Float32Array, length: number): Float32Array {
  const line = new Float32Array(length);
  const output = new Float32Array(input.length);
  let position = 0;
  for (let n = -length * 16; n < input.length; n += 1) {
    const delayed = line[position] ?? 0;
    const value = (input[n < 0 ? n + input.length : n] ?? 0) + 0.5 * delayed;
    line[position] = value;
    position = position + 1 === length ? 0 : position + 1;
    if (n >= 0) output[n] = delayed - 0.5 * value;
  }
  return output;
}

/** The piece as interleaved stereo samples at 48 kHz; the same samples at every call. */
export function demoMusic(): Int16Array {
  const { notes, sixteenths } = prelude();
  const length = sixteenths * samplesPerSixteenth;
  const left = new Float32Array(length);
  const right = new Float32Array(length);
  const strings = new Map<number, readonly [Float32Array, Float32Array]>();
  for (const { pitch, at, velocity } of notes) {
    const pair = strings.get(pitch) ?? ([pluck(pitch, -2), pluck(pitch, 2)] as const);
    strings.set(pitch, pair);
    const start = Math.round(at * samplesPerSixteenth);
    // Low strings sit a little to the left, high ones to the right; the pair is a few cents apart, which warms it.
    const pan = Math.min(1, Math.max(0, (pitch - 36) / 45)) * 0.5 + 0.25;
    mixInto(left, pair[0], start, velocity * Math.cos((pan * Math.PI) / 2));
    mixInto(right, pair[1], start, velocity * Math.sin((pan * Math.PI) / 2));
  }
  const wetLeft = room(left, [1_433, 1_601, 1_867, 2_053]);
  const wetRight = room(right, [1_483, 1_657, 1_801, 2_111]);
  const mixed = new Float32Array(length * 2);
  let peak = 0;
  for (let n = 0; n < length; n += 1) {
    mixed[2 * n] = (left[n] ?? 0) + 0.35 * (wetLeft[n] ?? 0);
    mixed[2 * n + 1] = (right[n] ?? 0) + 0.35 * (wetRight[n] ?? 0);
    peak = Math.max(peak, Math.abs(mixed[2 * n] ?? 0), Math.abs(mixed[2 * n + 1] ?? 0));
  }
  const gain = (peakLevel * 32_768) / peak;
  const samples = new Int16Array(mixed.length);
  for (let n = 0; n < samples.length; n += 1) samples[n] = Math.round((mixed[n] ?? 0) * gain);
  return samples;
}

/** Writes the piece as a WAV file of 48 kHz, stereo, 16 bit. Takes about a second. */
export async function renderDemoMusic(path: string): Promise<void> {
  await writeFile(path, formatWav(demoMusic(), { rateHz: musicRateHz, channels: 2 }));
}
