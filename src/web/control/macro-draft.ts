import * as v from 'valibot';
import type { LayoutName } from '../../control/hid/layouts/layout-names.ts';
import { type Macro, macroSchema } from '../../control/hid/macro.ts';

export const stepKinds = ['press', 'hold', 'text', 'wait'] as const;
export type StepKind = (typeof stepKinds)[number];

/** A step as it is edited: what is not of its kind is kept, for who chooses another and comes back. */
export interface StepDraft {
  readonly kind: StepKind;
  readonly keys: string;
  readonly text: string;
  /** The layout that its text is typed by, where that is not the host's of the day. */
  readonly layout?: LayoutName | undefined;
  readonly ms: number;
}

export const newStep: StepDraft = { kind: 'press', keys: 'enter', text: '', ms: 500 };

/** A macro as it is edited. */
export interface MacroDraft {
  readonly name: string;
  readonly steps: readonly StepDraft[];
}

export function draftOf({ name, steps }: Macro): MacroDraft {
  return {
    name,
    steps: steps.map((step): StepDraft => {
      if ('press' in step) return { ...newStep, kind: 'press', keys: step.press };
      if ('hold' in step) return { ...newStep, kind: 'hold', keys: step.hold, ms: step.ms };
      if ('text' in step) {
        return { ...newStep, kind: 'text', text: step.text, layout: step.layout };
      }
      return { ...newStep, kind: 'wait', ms: step.waitMs };
    }),
  };
}

/** The macro of a draft, or what is wrong with it in words. Which keys there are the device says. */
export function macroOf({ name, steps }: MacroDraft): Macro | string {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) {
    return 'The name is 1 to 40 small letters, digits and hyphens.';
  }
  const result = v.safeParse(macroSchema, { name, steps: steps.map(stepOf) });
  if (result.success) return result.output;
  const path = result.issues[0].path ?? [];
  const at = path.find(({ key }) => typeof key === 'number')?.key;
  if (typeof at !== 'number') return 'A macro has 1 to 100 steps.';
  return `Step ${at + 1}: ${faults[steps[at]?.kind ?? 'press']}`;
}

const faults: Readonly<Record<StepKind, string>> = {
  press: 'name the keys, such as ctrl+alt+t.',
  hold: 'name the keys, such as shift, and 1 to 10000 ms.',
  text: 'give 1 to 1000 characters to type.',
  wait: 'wait 1 to 10000 ms.',
};

function stepOf({ kind, keys, text, layout, ms }: StepDraft): unknown {
  switch (kind) {
    case 'press':
      return { press: keys.trim() };
    case 'hold':
      return { hold: keys.trim(), ms };
    case 'text':
      return layout === undefined ? { text } : { text, layout };
    case 'wait':
      return { waitMs: ms };
  }
}
