import { opusDecoderConfig } from './lane-decoder.ts';

/**
 * Why the fast lane cannot be had in this browser, as a sentence for the page; empty when it can.
 * Asks the browser for nothing that it would ask a person about.
 */
export async function fastLaneObstacle(): Promise<string> {
  if (!window.isSecureContext) {
    return 'The browser keeps the fast lane from pages that were not opened over HTTPS.';
  }
  if (!('AudioWorkletNode' in window) || !('Worker' in window)) {
    return 'This browser cannot play the fast lane: it has no AudioWorklet.';
  }
  if (!('AudioDecoder' in window) || !(await decodesOpus())) {
    return 'This browser cannot decode the fast lane: its WebCodecs have no Opus.';
  }
  return '';
}

async function decodesOpus(): Promise<boolean> {
  try {
    const { supported } = await AudioDecoder.isConfigSupported(opusDecoderConfig);
    return supported === true;
  } catch {
    return false;
  }
}
