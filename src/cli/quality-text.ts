import type { EncoderSettings } from '../audio/encoder-settings.ts';

/** `64 kbps stereo, 20 ms frames, audio, complexity 5, vbr, superwideband, FEC` */
export function encoderText(settings: EncoderSettings): string {
  const parts = [
    `${settings.bitrateBps / 1_000} kbps ${settings.channels === 1 ? 'mono' : 'stereo'}`,
    `${settings.frameMs} ms frames`,
    settings.application,
    `complexity ${settings.complexity}`,
    settings.vbr,
    settings.bandwidth,
  ];
  if (settings.dtx) parts.push('DTX');
  if (settings.fec) parts.push('FEC');
  return parts.join(', ');
}
