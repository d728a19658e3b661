import { setTimeout as delay } from 'node:timers/promises';
import { macroSchema } from '../../control/hid/macro.ts';
import { hidNotConfigured } from '../../errors/hid-not-configured.ts';
import {
  checkTextSchema,
  hidAnswerSchema,
  hidStatusSchema,
  hidTaskAnswerSchema,
  macrosSchema,
  pressKeysSchema,
  setJigglerSchema,
  setLayoutSchema,
  stoppedSchema,
  textCheckSchema,
  typeTextSchema,
  wokenSchema,
} from '../hid-schema.ts';
import { act, get, post, type Route, type RouteContext, remove } from '../route.ts';
import type { HidApi } from '../services.ts';

const path = '/api/v1/hid';

/** 10,000 characters, whatever JSON makes of them. */
const textLimit = 64 * 1024;

/** How long an answer waits for a text or a macro to be typed, in ms. */
const typedWithinMs = 5_000;

const asStatus = 'as `GET /api/v1/hid`';
const typedAnswer =
  '`done` (false: it still goes on after 5 s; `GET /api/v1/hid/task` waits on) and `task`';
/** Codes of what types. */
const typing = ['HID_BUSY', 'HID_STOPPED', 'HID_NO_HOST', 'HID_NOT_TAKEN'] as const;

const macroParameter = { name: { summary: 'Name of a macro.', example: 'lock' } };

/** Keyboard and mouse. Throws HID_NOT_CONFIGURED. */
function hidOf({ services: { hid } }: RouteContext): HidApi {
  if (hid === undefined) throw hidNotConfigured();
  return hid;
}

/** What was still typed when its answer went out; there is one at a time. */
const unanswered = new WeakMap<HidApi, Promise<unknown>>();

/** Waits for the end of what is typed, but not for ever: how it ends after that, GET /hid/task says. */
async function typed(hid: HidApi, task: Promise<unknown>) {
  const limit = new AbortController();
  const late = delay(typedWithinMs, false, { signal: limit.signal }).catch(() => false);
  try {
    const done = await Promise.race([task.then(() => true), late]);
    if (!done) {
      unanswered.set(hid, task);
      task.catch(() => undefined);
    }
    return { done, task: hid.status().task };
  } finally {
    limit.abort();
  }
}

/** What reads, presses and sets. */
const keyboardRoutes: readonly Route[] = [
  get(
    path,
    {
      summary:
        'Keyboard and mouse of the host: whether it is there, its LEDs, who holds keys, what is typed; null on a device without.',
      answer:
        'null, or `host` (`none`, `detached`, `attached`, `suspended`), `reason`, `leds`, `viewers`, `heldKeys`, `heldButtons`, `layout`, `layouts`, `jiggler`, `task`, `latencyMs` and `counts`',
      answers: hidAnswerSchema,
    },
    ({ services }) => services.hid?.status() ?? null,
  ),
  post(
    `${path}/key`,
    {
      summary: 'Presses a combination of keys and lets it go, e.g. `ctrl+alt+del`.',
      answer: asStatus,
      answers: hidStatusSchema,
      body: pressKeysSchema,
      example: { combination: 'ctrl+alt+del' },
      errors: ['HID_NOT_CONFIGURED', 'HID_KEY_UNKNOWN', 'HID_NO_HOST', 'HID_NOT_TAKEN'],
    },
    async (context, { combination }) => {
      const hid = hidOf(context);
      await hid.press(combination);
      return hid.status();
    },
  ),
  act(
    `${path}/release`,
    {
      summary: 'Releases every key and button of everybody, and stops what is typed.',
      answer: asStatus,
      answers: hidStatusSchema,
      errors: ['HID_NOT_CONFIGURED'],
    },
    async (context) => {
      const hid = hidOf(context);
      hid.release();
      return hid.status();
    },
  ),
  act(
    `${path}/wake`,
    {
      summary: 'Wakes a host that sleeps.',
      answer: '`woken`: false where that is not possible',
      answers: wokenSchema,
      errors: ['HID_NOT_CONFIGURED'],
    },
    async (context) => ({ woken: await hidOf(context).wake() }),
  ),
  post(
    `${path}/layout`,
    {
      summary: 'Chooses the layout of texts that name none; durable.',
      answer: asStatus,
      answers: hidStatusSchema,
      body: setLayoutSchema,
      example: { layout: 'de' },
      invalidCode: 'HID_INVALID',
      errors: ['HID_NOT_CONFIGURED', 'SETTINGS_WRITE_FAILED'],
    },
    async (context, { layout }) => {
      const hid = hidOf(context);
      await hid.setLayout(layout);
      return hid.status();
    },
  ),
  post(
    `${path}/jiggler`,
    {
      summary:
        'Turns the jiggler on or off, which moves the pointer after so many `seconds` without input; what is left out stays. Durable.',
      answer: asStatus,
      answers: hidStatusSchema,
      body: setJigglerSchema,
      example: { enabled: true, seconds: 60 },
      invalidCode: 'HID_INVALID',
      errors: ['HID_NOT_CONFIGURED', 'SETTINGS_WRITE_FAILED'],
    },
    async (context, { enabled, seconds }) => {
      const hid = hidOf(context);
      await hid.setJiggler({
        ...(enabled !== undefined && { enabled }),
        ...(seconds !== undefined && { seconds }),
      });
      return hid.status();
    },
  ),
];

/** Text as keystrokes. */
const textRoutes: readonly Route[] = [
  post(
    `${path}/text`,
    {
      summary:
        'Types a text of at most 10,000 characters as keystrokes of a layout. Where the layout lacks some of them, they are listed in the refusal and nothing is typed.',
      answer: typedAnswer,
      answers: hidTaskAnswerSchema,
      body: typeTextSchema,
      bodyLimit: textLimit,
      example: { text: 'hello, world\n', layout: 'us' },
      errors: ['HID_NOT_CONFIGURED', 'HID_TEXT_UNTYPABLE', 'HID_TEXT_TOO_LONG', ...typing],
    },
    (context, { text, layout, charactersPerSecond }) => {
      const hid = hidOf(context);
      return typed(hid, hid.type(text, { layout, charactersPerSecond }));
    },
  ),
  post(
    `${path}/text/check`,
    {
      summary: 'What of a text a layout cannot type; nothing is typed.',
      answer: '`characters` and `untypable`, a list',
      answers: textCheckSchema,
      body: checkTextSchema,
      bodyLimit: textLimit,
      example: { text: 'naïve', layout: 'us' },
      errors: ['HID_NOT_CONFIGURED', 'HID_TEXT_TOO_LONG'],
    },
    async (context, { text, layout }) => hidOf(context).check(text, layout),
  ),
  get(
    `${path}/task`,
    {
      summary:
        'Waits at most 5 s for the end of the text or macro that is typed, and fails as it does.',
      answer: typedAnswer,
      answers: hidTaskAnswerSchema,
      errors: ['HID_NOT_CONFIGURED', 'HID_STOPPED', 'HID_NO_HOST', 'HID_NOT_TAKEN'],
    },
    (context) => {
      const hid = hidOf(context);
      return typed(hid, unanswered.get(hid) ?? Promise.resolve());
    },
  ),
  act(
    `${path}/stop`,
    {
      summary: 'Stops the text or macro that is typed, and releases its keys.',
      answer: '`stopped`: false when nothing was typed',
      answers: stoppedSchema,
      errors: ['HID_NOT_CONFIGURED'],
    },
    async (context) => ({ stopped: hidOf(context).stopTask() }),
  ),
];

/** Macros: named, bounded lists of steps. */
const macroRoutes: readonly Route[] = [
  get(
    `${path}/macros`,
    {
      summary: 'The macros.',
      answer: '`macros` (`name`, `steps`)',
      answers: macrosSchema,
      errors: ['HID_NOT_CONFIGURED'],
    },
    (context) => ({ macros: hidOf(context).macros() }),
  ),
  post(
    `${path}/macros`,
    {
      summary:
        'Keeps a macro, in place of the one of its name: steps that press, hold, type or wait, 60 s in all at most. Durable.',
      answer: 'as `GET /api/v1/hid/macros`',
      answers: macrosSchema,
      body: macroSchema,
      bodyLimit: textLimit,
      example: {
        name: 'lock',
        steps: [{ press: 'super+l' }, { waitMs: 500 }, { text: 'hello', layout: 'us' }],
      },
      invalidCode: 'HID_MACRO_INVALID',
      errors: ['HID_NOT_CONFIGURED', 'SETTINGS_WRITE_FAILED'],
    },
    async (context, macro) => {
      const hid = hidOf(context);
      await hid.saveMacro(macro);
      return { macros: hid.macros() };
    },
  ),
  remove(
    `${path}/macros/:name`,
    {
      summary: 'Forgets a macro; durable.',
      answer: 'as `GET /api/v1/hid/macros`',
      answers: macrosSchema,
      parameters: macroParameter,
      errors: ['HID_NOT_CONFIGURED', 'HID_MACRO_UNKNOWN', 'SETTINGS_WRITE_FAILED'],
    },
    async (context, { name = '' }) => {
      const hid = hidOf(context);
      await hid.removeMacro(name);
      return { macros: hid.macros() };
    },
  ),
  act(
    `${path}/macros/:name/run`,
    {
      summary: 'Runs a macro.',
      answer: typedAnswer,
      answers: hidTaskAnswerSchema,
      parameters: macroParameter,
      errors: ['HID_NOT_CONFIGURED', 'HID_MACRO_UNKNOWN', 'HID_TEXT_UNTYPABLE', ...typing],
    },
    (context, { name = '' }) => {
      const hid = hidOf(context);
      return typed(hid, hid.runMacro(name));
    },
  ),
];

/** Keyboard and mouse of the host. */
export const hidRoutes: readonly Route[] = [...keyboardRoutes, ...textRoutes, ...macroRoutes];
