import type { PowerStatus, PressAnswer } from '../control/power/power-status.ts';
import type { CliIo } from './cli-io.ts';
import { colour, countText, textFields } from './text-table.ts';

const pressWords = { short: 'a press', long: 'a long press', reset: 'a reset' } as const;

/** `earshot power` */
export function powerText(status: PowerStatus, io: CliIo): string {
  const { kind, state, reason, powerLed, diskBusy, press, lastPress, wake } = status;
  const board =
    state === 'ready' ? `${kind}, ready` : colour(io, 'yellow', reason === '' ? state : reason);
  const names = wake.map(({ name, mac }) => `${name} (${mac})`).join(', ');
  return textFields([
    ['Board', state === 'none' ? reason : board],
    ['Power LED', powerLed],
    ...(diskBusy === null ? [] : [['Disk', `${Math.round(diskBusy * 100)} % busy`] as const]),
    ...(press === null ? [] : [['Now', `${pressWords[press]} is under way`] as const]),
    ...(lastPress === null
      ? []
      : [['Last', `${pressWords[lastPress.press]}, ${lastPress.result}`] as const]),
    ...(status.garbledLines === 0
      ? []
      : [['Line', countText(status.garbledLines, 'garbled line')] as const]),
    ...(names === '' ? [] : [['Can wake', names] as const]),
  ]);
}

/** What came of a press. */
export function pressText({ press, result, led }: PressAnswer): string {
  const what = {
    confirmed: press === 'long' ? 'the host is off' : `the host is ${led}`,
    unconfirmed: `the power LED did not show it (it is ${led})`,
    unknown: 'nothing shows whether it took',
  }[result];
  return `${result}: ${what}\n`;
}
