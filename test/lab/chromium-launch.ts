import type { LaunchOptions } from 'playwright-core';

/** Launch options of every Chromium here: Debian's (`CHROMIUM` names another), headless, silent on the network. */
export function chromiumLaunch(args: readonly string[]): LaunchOptions {
  return {
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    timeout: 30_000,
    // A container's user namespace has no room for Chromium's own sandbox.
    chromiumSandbox: false,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  };
}

/** Plays unasked. */
export const autoplayFlag = '--autoplay-policy=no-user-gesture-required';

/** Microphones that beep, in place of the machine's own. */
export const fakeDeviceFlag = '--use-fake-device-for-media-stream';

/** Leave to use a microphone, unasked. */
export const fakeConsentFlag = '--use-fake-ui-for-media-stream';

/** A microphone that beeps, with leave to use it. */
export const fakeMicrophoneFlags = [fakeConsentFlag, fakeDeviceFlag] as const;

/** Without it a machine that has no network has no candidates at all. */
export const loopbackFlag = '--allow-loopback-in-peer-connection';
