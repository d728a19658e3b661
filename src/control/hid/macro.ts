import * as v from 'valibot';
import { layoutNames } from './layouts/layout-names.ts';
import { maxMacroSteps, maxStepCharacters, maxStepMs } from './limits.ts';

/** What a macro is: a named, bounded list of steps. */

/** `ctrl+alt+t`: names of key-codes.ts joined by `+`. */
const combinationSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const stepMsSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxStepMs));

/** The kinds of step, each by the key that only it has. */
export const macroStepSchemas = {
  /** Presses the combination and lets it go. */
  press: v.strictObject({ press: combinationSchema }),
  /** Holds the combination for so many ms; the next step begins after it. */
  hold: v.strictObject({ hold: combinationSchema, ms: stepMsSchema }),
  /** Types the text; by the layout set when none is named. */
  text: v.strictObject({
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(maxStepCharacters)),
    layout: v.optional(v.picklist(layoutNames)),
  }),
  /** Waits. */
  waitMs: v.strictObject({ waitMs: stepMsSchema }),
};

export const macroStepSchema = v.union([
  macroStepSchemas.press,
  macroStepSchemas.hold,
  macroStepSchemas.text,
  macroStepSchemas.waitMs,
]);

export const macroNameSchema = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9-]{1,40}$/, 'is 1 to 40 of the characters a-z, 0-9 and -'),
);

export const macroSchema = v.strictObject({
  name: macroNameSchema,
  steps: v.pipe(v.array(macroStepSchema), v.minLength(1), v.maxLength(maxMacroSteps)),
});

export type MacroStep = v.InferOutput<typeof macroStepSchema>;
export type Macro = v.InferOutput<typeof macroSchema>;
