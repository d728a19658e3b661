import type { EncoderSettings } from '../audio/encoder-settings.ts';
import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import { nearest } from '../errors/nearest.ts';
import { usageError } from './command.ts';
import { textTable } from './text-table.ts';

/** `64 kbps stereo, 20 ms frames, audio, complexity 5, vbr, superwideband, FEC` */
export function encoderText(settings: EncoderSettings): string {
  return [
    ...soundText(settings.bitrateBps, settings),
    settings.application,
    `complexity ${settings.complexity}`,
    settings.vbr,
    settings.bandwidth,
    ...switchesText(settings),
  ].join(', ');
}

/** `32 kbps mono, 20 ms frames, FEC` */
export function microphoneSettingsText(settings: MicrophoneSettings): string {
  return [...soundText(settings.maxBitrateBps, settings), ...switchesText(settings)].join(', ');
}

function soundText(
  bitrateBps: number,
  { channels, frameMs }: { readonly channels: number; readonly frameMs: number },
): string[] {
  return [
    `${bitrateBps / 1_000} kbps ${channels === 1 ? 'mono' : 'stereo'}`,
    `${frameMs} ms frames`,
  ];
}

function switchesText({ dtx, fec }: { readonly dtx: boolean; readonly fec: boolean }): string[] {
  return [...(dtx ? ['DTX'] : []), ...(fec ? ['FEC'] : [])];
}

/** How a change reached the sound process. */
type Applied = 'live' | 'restart' | 'pending';

const appliedText = {
  live: 'applied live',
  restart: 'applied by restarting the sound process',
  pending: 'the sound process is not running and will start with it',
} as const satisfies Record<Applied, string>;

/** What a change of quality came to; `meaning` is what the quality stands for. */
export function changedText(
  { quality, applied }: { readonly quality: string; readonly applied: Applied },
  meaning: string,
): string {
  return `${quality}: ${meaning} (${appliedText[applied]})\n`;
}

/** The qualities there are; * marks the one in force. */
export function qualityTable(options: {
  readonly quality: string;
  readonly meanings: readonly (readonly [name: string, meaning: string])[];
  readonly applied: Applied;
}): string {
  const { quality, meanings, applied } = options;
  const rows = meanings.map(([name, meaning]) => [name === quality ? '*' : '', name, meaning]);
  const pending =
    applied === 'pending' ? 'The sound process is not running; it will start with this.\n' : '';
  return `${textTable(['', 'QUALITY', 'MEANS'], rows)}${pending}`;
}

/** The quality of that name. Throws CLI_USAGE naming those there are. */
export function qualityOf<N extends string>(name: string, names: readonly N[]): N {
  const quality = names.find((each) => each === name);
  if (quality !== undefined) return quality;
  const guess = nearest(name, names);
  throw usageError(
    `There is no quality "${name}"${guess === undefined ? '.' : `; did you mean ${guess}?`} Choose one of ${names.join(', ')}.`,
  );
}
