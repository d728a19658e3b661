/** Numbers and encoder settings as the page writes them. */

import type { EncoderSettings } from '../audio/encoder-settings.ts';

/** Shown where nothing was measured. */
export const nothing = '–';

/** A number with `digits` decimals, without its unit. */
export function formatNumber(value: number | undefined, digits: number): string {
  return value === undefined ? nothing : value.toFixed(digits);
}

export function formatBitrate({ bitrateBps }: Pick<EncoderSettings, 'bitrateBps'>): string {
  return `${Number((bitrateBps / 1_000).toFixed(1))} kbps`;
}

export function formatChannels({ channels }: Pick<EncoderSettings, 'channels'>): string {
  return channels === 1 ? 'Mono' : 'Stereo';
}

/** Bytes in mebibytes, e.g. `48 MB`. */
export function formatMegabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MB`;
}

/** A count with thin spaces between thousands. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}
