import * as v from 'valibot';
import { checkInput, faultSentences } from '../../errors/check-input.ts';
import { EarshotError } from '../../errors/earshot-error.ts';
import { type LayoutName, layoutNames } from './layouts/layout-names.ts';
import {
  defaultJigglerSeconds,
  maxCharactersPerSecond,
  maxJigglerSeconds,
  maxMacros,
  minCharactersPerSecond,
  minJigglerSeconds,
} from './limits.ts';
import { macroSchema } from './macro.ts';

/** Path of a Unix socket: 107 bytes is what an address holds (unix(7)). */
const unixPath = /^unix:\/[^\0]{1,106}$/;

/** Which layout pasted text is typed by: the one the host is set to. */
export const layoutSchema = v.picklist(layoutNames);

/** Seconds without input until the pointer is moved, 10–3600. */
export const jigglerSecondsSchema = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(minJigglerSeconds),
  v.maxValue(maxJigglerSeconds),
);

export const jigglerSchema = v.strictObject({
  enabled: v.optional(v.boolean(), false),
  seconds: v.optional(jigglerSecondsSchema, defaultJigglerSeconds),
});

/** Keyboard and mouse in the configuration file, under the key `hid`. */
export const hidSchema = v.strictObject({
  /** Where reports go: `none`, `usb` (the gadget of `usb`), or `unix:/path` of a program that takes them. */
  host: v.optional(
    v.union([
      v.picklist(['none', 'usb']),
      v.pipe(v.string(), v.regex(unixPath, 'is unix: and an absolute path')),
    ]),
    'none',
  ),
  /** Whether a key or button of a viewer wakes a sleeping host. */
  wakeOnInput: v.optional(v.boolean(), true),
  /** Layout of the host, for pasted text, until somebody chooses another. */
  layout: v.optional(layoutSchema, 'us'),
});

export type HidConfig = v.InferOutput<typeof hidSchema>;

/** What viewers and the command change of it while the device runs, under the key `hid` of the settings. */
export const hidSettingsSchema = v.strictObject({
  /** Chosen by a person; absent means the configuration's. */
  layout: v.optional(layoutSchema),
  jiggler: v.optional(jigglerSchema, {}),
  macros: v.optional(v.pipe(v.array(macroSchema), v.maxLength(maxMacros)), []),
});

export type HidSettings = v.InferOutput<typeof hidSettingsSchema>;

/** Characters a second, 1–200. */
export const paceSchema = v.pipe(
  v.number(),
  v.minValue(minCharactersPerSecond),
  v.maxValue(maxCharactersPerSecond),
);

/** The layout of that name. Throws HID_INVALID. */
export function assertLayout(layout: unknown): LayoutName {
  return assertInput(v.strictObject({ layout: layoutSchema }), { layout }).layout;
}

/** The pace as it is. Throws HID_INVALID. */
export function assertPace(charactersPerSecond: unknown): number {
  return assertInput(v.strictObject({ charactersPerSecond: paceSchema }), { charactersPerSecond })
    .charactersPerSecond;
}

/** The jiggler's settings in an input. Throws HID_INVALID. */
export function assertJiggler(input: unknown): v.InferOutput<typeof jigglerSchema> {
  return assertInput(v.strictObject({ jiggler: jigglerSchema }), { jiggler: input }).jiggler;
}

function assertInput<S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> {
  const checked = checkInput(schema, input);
  if (checked.ok) return checked.value;
  throw new EarshotError('HID_INVALID', faultSentences(checked.faults), {
    details: { faults: checked.faults },
  });
}
