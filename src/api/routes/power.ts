import type { Press } from '../../control/power/power-status.ts';
import { act, get, post, type Route } from '../route.ts';
import {
  powerStatusSchema,
  pressAnswerSchema,
  wakeAnswerSchema,
  wakeRequestSchema,
} from '../schema.ts';

/** A press of 15 s that may take 30 s to show, and what a board may be late. */
const pressDeadlineMs = 60_000;

function pressRoute(path: string, press: Press, summary: string): Route {
  const route = act(
    path,
    {
      summary,
      answers: pressAnswerSchema,
      answer:
        '`press`, `confirmed`, `result` (`confirmed`, `unconfirmed`; `unknown` where nothing shows it) and `led`',
      errors: ['POWER_NOT_CONFIGURED', 'POWER_UNAVAILABLE', 'POWER_BUSY', 'POWER_FAILED'],
    },
    ({ services }) => services.power.press(press),
  );
  return { ...route, deadlineMs: pressDeadlineMs };
}

/** The host's power and reset buttons, its LEDs, and Wake-on-LAN. */
export const powerRoutes: readonly Route[] = [
  get(
    '/api/v1/power',
    {
      summary: 'The board that holds the host’s buttons, its LEDs, and the last press.',
      answers: powerStatusSchema,
      answer:
        '`kind` (`none`, `uart`, `gpio`), `state` (`none`, `opening`, `ready`), `reason`, `powerButton`, `resetButton`, `powerLed` (`on`, `off`, `unknown`), `diskBusy` (share of the last second, or null), `press`, `lastPress`, `presses`, `wake`, `wakes`, `garbledLines`',
    },
    ({ services }) => services.power.status(),
  ),
  pressRoute(
    '/api/v1/power/press',
    'short',
    'Presses the power button for `power.shortMs`, and waits at most `power.confirmMs` for the power LED to change.',
  ),
  pressRoute(
    '/api/v1/power/hold',
    'long',
    'Holds the power button for `power.longMs`, which forces the host off, and waits for the power LED to go out.',
  ),
  pressRoute(
    '/api/v1/power/reset',
    'reset',
    'Presses the reset button for `power.resetMs`; no LED shows whether it took.',
  ),
  post(
    '/api/v1/power/wake',
    {
      summary:
        'Wakes a machine by Wake-on-LAN: one of `power.wakeOnLan` by its `name`, any by its `mac`, or the only one there is.',
      answer:
        '`name` (empty for one that is not configured) and `mac`; nothing tells whether it woke',
      answers: wakeAnswerSchema,
      body: wakeRequestSchema,
      example: { mac: '02:00:00:00:00:01' },
      errors: ['POWER_WAKE_UNKNOWN', 'POWER_WAKE_FAILED'],
    },
    ({ services }, body) => services.power.wake(body),
  ),
];
