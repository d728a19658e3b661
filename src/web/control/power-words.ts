import type { PowerStatus, Press, PressAnswer } from '../../control/power/power-status.ts';

/** What is said of the host's power. */

/** What a press did, in words. */
export function pressWords({ press, result, led }: PressAnswer): string {
  const light = led === 'unknown' ? '' : ` The power LED is ${led}.`;
  switch (result) {
    case 'confirmed':
      return `${pressed[press]} The power LED showed it.${light}`;
    case 'unconfirmed':
      return `${pressed[press]} The power LED did not show it in time: whether it worked is not certain.${light}`;
    case 'unknown':
      return press === 'reset'
        ? `${pressed[press]} No LED shows a reset.`
        : `${pressed[press]} No power LED is wired that could show it.`;
  }
}

const pressed: Readonly<Record<Press, string>> = {
  short: 'The power button was pressed.',
  long: 'The power button was held.',
  reset: 'The reset button was pressed.',
};

/** How the buttons stand. */
export function boardWords({ state, reason, press }: PowerStatus): string {
  if (press !== null) return pressing[press];
  if (state === 'opening') return `Waiting for the board. ${reason}`;
  return state === 'none' ? 'Only Wake-on-LAN is set up.' : '';
}

const pressing: Readonly<Record<Press, string>> = {
  short: 'The power button is pressed.',
  long: 'The power button is held.',
  reset: 'The reset button is pressed.',
};

/** A light's state in a word. */
export const ledWords = { on: 'on', off: 'off', unknown: 'not known' } as const;

/** The disk LED's last second: `busy 40 %` */
export function diskWords(diskBusy: number): string {
  return diskBusy === 0 ? 'idle' : `busy ${Math.round(diskBusy * 100)} %`;
}
