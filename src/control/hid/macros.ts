import { checkInput, faultSentences } from '../../errors/check-input.ts';
import { EarshotError, isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import { nearest } from '../../errors/nearest.ts';
import { parseCombination } from './combination.ts';
import { type KeyTask, pressMs } from './key-task.ts';
import type { LayoutName } from './layouts/layout-names.ts';
import { defaultCharactersPerSecond, maxMacroMs, maxMacros } from './limits.ts';
import { type Macro, type MacroStep, macroSchema } from './macro.ts';
import { macroFaults } from './macro-faults.ts';
import { assertTypable, planText } from './text-plan.ts';
import { typeText } from './typing.ts';

/**
 * The macro in an input. Throws HID_MACRO_INVALID for what is none, for a key that does not exist, for a text
 * that its own layout cannot type, and for one that would take longer than a minute.
 */
export function checkMacro(input: unknown): Macro {
  const checked = checkInput(macroSchema, input);
  if (!checked.ok) {
    const faults = macroFaults(input, checked.faults);
    throw invalid(faultSentences(faults), { faults });
  }
  const macro = checked.value;
  for (const [index, step] of macro.steps.entries()) assertStep(step, index);
  const ms = Math.ceil(macroMs(macro));
  if (ms > maxMacroMs) {
    throw invalid(`It would take ${ms} ms; at most ${maxMacroMs} are allowed.`, { ms });
  }
  return macro;
}

/** The macros with one more, or with another in place of the one of its name. Throws HID_MACRO_INVALID. */
export function withMacro(macros: readonly Macro[], macro: Macro): Macro[] {
  const others = macros.filter(({ name }) => name !== macro.name);
  if (others.length >= maxMacros) {
    throw invalid(`There are ${maxMacros} macros already, as many as are allowed; remove one.`);
  }
  return [...others, macro].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The macro of that name. Throws HID_MACRO_UNKNOWN. */
export function macroNamed(macros: readonly Macro[], name: string): Macro {
  const macro = macros.find((each) => each.name === name);
  if (macro !== undefined) return macro;
  const names = macros.map((each) => each.name);
  const guess = nearest(name, names);
  const hint = guess === undefined ? '' : ` Did you mean "${guess}"?`;
  const known = names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`;
  throw new EarshotError(
    'HID_MACRO_UNKNOWN',
    `There is no macro "${name.slice(0, 40)}" (${known}).${hint}`,
    { details: { name: name.slice(0, 40), known: names } },
  );
}

export interface MacroRun {
  /** Layout of text steps that name none. */
  readonly layout: LayoutName;
  /** Whether the host's Caps Lock is on, asked before each text. */
  readonly capsLock: () => boolean;
}

/** Throws HID_TEXT_UNTYPABLE when a text of the macro cannot be typed. */
export function assertRunnable(macro: Macro, layout: LayoutName): void {
  for (const step of macro.steps) {
    if (!('text' in step)) continue;
    const chosen = step.layout ?? layout;
    assertTypable(planText(step.text, chosen), chosen);
  }
}

/** Runs the steps one after another. */
export async function runMacro(task: KeyTask, macro: Macro, run: MacroRun): Promise<void> {
  for (const step of macro.steps) {
    await runStep(task, step, run);
    task.advance();
  }
}

async function runStep(task: KeyTask, step: MacroStep, run: MacroRun): Promise<void> {
  if ('press' in step) return task.hold(parseCombination(step.press), pressMs);
  if ('hold' in step) return task.hold(parseCombination(step.hold), step.ms);
  if ('waitMs' in step) return task.wait(step.waitMs);
  return typeText(task, {
    text: step.text,
    layout: step.layout ?? run.layout,
    charactersPerSecond: defaultCharactersPerSecond,
    capsLock: run.capsLock(),
    typed: () => {},
  });
}

function assertStep(step: MacroStep, index: number): void {
  try {
    if ('press' in step) parseCombination(step.press);
    if ('hold' in step) parseCombination(step.hold);
    if ('text' in step && step.layout !== undefined) {
      assertTypable(planText(step.text, step.layout), step.layout);
    }
  } catch (error) {
    if (!isEarshotError(error)) throw error;
    throw invalid(`steps[${index}]: ${messageOf(error)}`, { ...error.details, step: index }, error);
  }
}

/** How long it takes on a host that takes reports at once, in ms. */
function macroMs({ steps }: Macro): number {
  return steps.reduce((sum, step) => sum + stepMs(step), 0);
}

function stepMs(step: MacroStep): number {
  if ('press' in step) return pressMs;
  if ('hold' in step) return step.ms;
  if ('waitMs' in step) return step.waitMs;
  // Two strokes a character at most: a dead key and its letter.
  const { strokes } = planText(step.text, step.layout ?? 'us');
  const count = strokes.reduce((sum, keys) => sum + Math.max(keys.length, 1), 0);
  return (count * 1_000) / defaultCharactersPerSecond;
}

function invalid(
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): EarshotError {
  return new EarshotError('HID_MACRO_INVALID', `The macro is not allowed. ${message}`, {
    details,
    cause,
  });
}
