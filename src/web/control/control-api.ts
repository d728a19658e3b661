import {
  hidAnswerSchema,
  hidStatusSchema,
  hidTaskAnswerSchema,
  macrosSchema,
  stoppedSchema,
  textCheckSchema,
  wokenSchema,
} from '../../api/hid-schema.ts';
import type { HidStatus, JigglerSettings } from '../../control/hid/hid-status.ts';
import type { LayoutName } from '../../control/hid/layouts/layout-names.ts';
import type { Macro } from '../../control/hid/macro.ts';
import {
  type PowerStatus,
  type Press,
  type PressAnswer,
  powerStatusSchema,
  pressAnswerSchema,
  wakeAnswerSchema,
} from '../../control/power/power-status.ts';
import type { SetSerialLine } from '../../control/serial/serial-line.ts';
import { type SerialStatus, serialStatusSchema } from '../../control/serial/serial-status.ts';
import type { request } from '../api.ts';

/** The device answers after 10 s where a text or a macro takes longer, and after a press and its LED. */
const typedMs = 20_000;
const pressMs = 65_000;

const pressPaths: Readonly<Record<Press, string>> = {
  short: '/power/press',
  long: '/power/hold',
  reset: '/power/reset',
};

/** The part of the HTTP API that controls the host. Every call throws ApiError when it fails. */
export interface ControlApi {
  /** Null: the device has no keyboard and mouse for the host. */
  readonly hid: () => Promise<HidStatus | null>;
  readonly press: (combination: string) => Promise<HidStatus>;
  readonly release: () => Promise<HidStatus>;
  /** False: the host cannot be woken. */
  readonly wakeHost: () => Promise<boolean>;
  readonly setJiggler: (change: Partial<JigglerSettings>) => Promise<HidStatus>;
  /** What of the text the layout cannot type. */
  readonly check: (text: string, layout: LayoutName) => Promise<readonly string[]>;
  /** Resolves when it is typed, or after 10 s; the status follows the rest. */
  readonly type: (text: string, layout: LayoutName) => Promise<unknown>;
  readonly stopTask: () => Promise<unknown>;
  readonly macros: () => Promise<readonly Macro[]>;
  readonly saveMacro: (macro: Macro) => Promise<readonly Macro[]>;
  readonly removeMacro: (name: string) => Promise<readonly Macro[]>;
  readonly runMacro: (name: string) => Promise<unknown>;
  readonly serial: () => Promise<SerialStatus>;
  readonly setSerialLine: (line: SetSerialLine) => Promise<SerialStatus>;
  readonly power: () => Promise<PowerStatus>;
  readonly pressPower: (press: Press) => Promise<PressAnswer>;
  readonly wakeMachine: (name: string) => Promise<unknown>;
}

export function controlApi(ask: typeof request): ControlApi {
  const post = { method: 'POST' } as const;
  const typed = { method: 'POST', deadlineMs: typedMs } as const;
  return {
    hid: () => ask('/hid', hidAnswerSchema),
    press: (combination) => ask('/hid/key', hidStatusSchema, { combination }),
    release: () => ask('/hid/release', hidStatusSchema, undefined, post),
    wakeHost: async () => (await ask('/hid/wake', wokenSchema, undefined, post)).woken,
    setJiggler: (change) => ask('/hid/jiggler', hidStatusSchema, change),
    check: async (text, layout) =>
      (await ask('/hid/text/check', textCheckSchema, { text, layout })).untypable,
    type: (text, layout) => ask('/hid/text', hidTaskAnswerSchema, { text, layout }, typed),
    stopTask: () => ask('/hid/stop', stoppedSchema, undefined, post),
    macros: async () => (await ask('/hid/macros', macrosSchema)).macros,
    saveMacro: async (macro) => (await ask('/hid/macros', macrosSchema, macro)).macros,
    removeMacro: async (name) => {
      const remove = { method: 'DELETE' } as const;
      return (await ask(`/hid/macros/${name}`, macrosSchema, undefined, remove)).macros;
    },
    runMacro: (name) => ask(`/hid/macros/${name}/run`, hidTaskAnswerSchema, undefined, typed),
    serial: () => ask('/serial', serialStatusSchema),
    setSerialLine: (line) => ask('/serial/line', serialStatusSchema, line),
    power: () => ask('/power', powerStatusSchema),
    pressPower: (press) =>
      ask(pressPaths[press], pressAnswerSchema, undefined, { ...post, deadlineMs: pressMs }),
    wakeMachine: (name) => ask('/power/wake', wakeAnswerSchema, { name }),
  };
}
