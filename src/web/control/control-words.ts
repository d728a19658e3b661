import type { HidStatus, HidTaskStatus } from '../../control/hid/hid-status.ts';
import type { MacroStep } from '../../control/hid/macro.ts';
import type { ControlState } from './control-state.ts';
import type { KeyboardPlatform } from './key-tracker.ts';

/** What is said of the host's keyboard and mouse. */

export interface HostWords {
  readonly tone: 'good' | 'busy' | 'bad';
  readonly title: string;
  readonly detail: string;
}

/** How the host stands to what it is sent. */
export function hostWords(
  { host, reason }: Pick<HidStatus, 'host' | 'reason'>,
  via: ControlState['via'],
): HostWords {
  if (via === undefined) {
    return { tone: 'busy', title: 'Connecting', detail: 'Keys cannot reach the device yet.' };
  }
  switch (host) {
    case 'attached': {
      const detail = via === 'websocket' ? 'By WebSocket, since UDP does not pass.' : '';
      return { tone: 'good', title: 'Host ready', detail };
    }
    case 'suspended':
      return { tone: 'busy', title: 'Host asleep', detail: 'A key or Wake may wake it.' };
    case 'detached':
      return { tone: 'bad', title: 'No host', detail: reason };
    case 'none':
      return { tone: 'bad', title: 'Not available', detail: reason };
  }
}

/** How to have the keyboard back. */
export function leaveKeys(platform: KeyboardPlatform): string {
  return platform === 'mac' ? 'Control+Option' : 'Ctrl+Alt';
}

/** Where the keyboard goes, and how that ends. */
export function captureWords(
  { captured, keyboardLocked, pointerLocked }: ControlState['capture'],
  pointerMode: ControlState['pointerMode'],
  platform: KeyboardPlatform,
): string {
  if (!captured) return 'Click the picture, and keyboard and mouse go to the host.';
  const leave = `Press and let go ${leaveKeys(platform)} to leave.`;
  if (pointerMode === 'relative' && !pointerLocked) {
    return `Keyboard goes to the host; click once more for the mouse. ${leave}`;
  }
  if (keyboardLocked) {
    return `Every key goes to the host, Escape too; hold Escape to leave full screen. ${leave}`;
  }
  if (pointerLocked) return `Keyboard and mouse go to the host. Escape frees the mouse. ${leave}`;
  return `Keyboard goes to the host. ${leave}`;
}

/** What is being typed. */
export function taskWords({ kind, name, done, total }: HidTaskStatus): string {
  return kind === 'text'
    ? `Typing: ${done} of ${total} characters`
    : `Macro ${name}: step ${done} of ${total}`;
}

/** One step of a macro on one line. */
export function stepWords(step: MacroStep): string {
  if ('press' in step) return step.press;
  if ('hold' in step) return `hold ${step.hold} for ${step.ms} ms`;
  if ('text' in step) return `type “${step.text}”`;
  return `wait ${step.waitMs} ms`;
}

/** A character as a person can tell it from its neighbours. */
export function characterWords(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, '0');
  return code < 0x21 || (code >= 0x7f && code <= 0xa0) ? `U+${hex}` : `${character} (U+${hex})`;
}
