import type { inputDeviceStates } from './input-stats.ts';

export type InputDeviceState = (typeof inputDeviceStates)[number];

export interface InputDevice {
  deviceState: InputDeviceState;
  /** Why the device does not play; empty otherwise. */
  deviceError: string;
}

const waitingForChild = 'the audio-input process is not running';
const notRecording = 'the host is not recording from the microphone device';

/** How ALSA says that the card is not there (ENODEV, ENOENT, ENXIO). */
const missing = /no such (device|file)/i;

/**
 * What the child said of its device, in the words of a person who looks at the host. Each method that
 * takes news returns whether anything changed.
 */
export class InputDeviceCondition {
  #running = false;
  #state: Exclude<InputDeviceState, 'closed'> = 'opening';
  #error = '';

  read({ held }: { readonly held: boolean }): InputDevice {
    const deviceState = held ? this.#state : 'closed';
    if (!this.#running) return { deviceState, deviceError: waitingForChild };
    return { deviceState, deviceError: held ? this.#error : '' };
  }

  childRunning(running: boolean): boolean {
    if (running === this.#running) return false;
    this.#running = running;
    this.#set('opening', '');
    return true;
  }

  /** Nobody holds the microphone any more: the device is closed. */
  closed(): void {
    this.#set('opening', '');
  }

  /** The state in the child's numbers: what an event said may be of a device closed since. */
  reported(state: InputDeviceState): boolean {
    if (state === 'closed' || state === this.#state) return false;
    return this.#set(state, state === 'idle' ? notRecording : '');
  }

  happened(event: {
    readonly name: string;
    readonly data: Readonly<Record<string, unknown>>;
  }): boolean {
    const { name, data } = event;
    if (name === 'device-opened') return this.#set('open', '');
    if (name === 'device-lost') return this.#set('opening', inWords(String(data['error'] ?? '')));
    if (name !== 'device-idle') return false;
    return data['idle'] === true ? this.#set('idle', notRecording) : this.#set('open', '');
  }

  #set(state: Exclude<InputDeviceState, 'closed'>, error: string): boolean {
    const changed = state !== this.#state || error !== this.#error;
    this.#state = state;
    this.#error = error;
    return changed;
  }
}

function inWords(reason: string): string {
  if (!missing.test(reason)) return reason;
  return `the host has not enabled the microphone device (${reason})`;
}
