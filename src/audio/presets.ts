import type { EncoderSettings } from './encoder-settings.ts';
import type { MicrophoneSettings } from './microphone-settings.ts';

/**
 * The quality presets of audio output: the one table that the API, the page, the command line and
 * the documentation are generated from or tested against.
 */
export const outputPresets = {
  low: {
    bitrateBps: 32_000,
    channels: 1,
    frameMs: 40,
    application: 'audio',
    complexity: 2,
    vbr: 'vbr',
    signal: 'voice',
    bandwidth: 'wideband',
    dtx: true,
    fec: true,
  },
  medium: {
    bitrateBps: 64_000,
    channels: 2,
    frameMs: 20,
    application: 'audio',
    complexity: 5,
    vbr: 'vbr',
    signal: 'auto',
    bandwidth: 'superwideband',
    dtx: false,
    fec: true,
  },
  high: {
    bitrateBps: 128_000,
    channels: 2,
    frameMs: 10,
    application: 'restricted-lowdelay',
    complexity: 6,
    vbr: 'constrained',
    signal: 'music',
    bandwidth: 'fullband',
    dtx: false,
    fec: false,
  },
  ultra: {
    bitrateBps: 256_000,
    channels: 2,
    frameMs: 10,
    application: 'restricted-lowdelay',
    complexity: 8,
    vbr: 'constrained',
    signal: 'music',
    bandwidth: 'fullband',
    dtx: false,
    fec: false,
  },
} as const satisfies Record<string, EncoderSettings>;

/** The quality presets of the microphone; each is applied where the microphone is encoded, in the browser. */
export const microphonePresets = {
  low: { maxBitrateBps: 16_000, channels: 1, frameMs: 40, dtx: true, fec: true },
  medium: { maxBitrateBps: 32_000, channels: 1, frameMs: 20, dtx: false, fec: true },
  high: { maxBitrateBps: 64_000, channels: 1, frameMs: 10, dtx: false, fec: true },
  ultra: { maxBitrateBps: 96_000, channels: 2, frameMs: 10, dtx: false, fec: true },
} as const satisfies Record<keyof typeof outputPresets, MicrophoneSettings>;

export type PresetName = keyof typeof outputPresets;

/** The presets from the smallest bitrate to the largest. */
export const presetNames = ['low', 'medium', 'high', 'ultra'] as const satisfies PresetName[];

export const defaultPreset: PresetName = 'medium';
