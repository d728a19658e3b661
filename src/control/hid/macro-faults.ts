import * as v from 'valibot';
import { checkInput, type InputFault } from '../../errors/check-input.ts';
import { macroStepSchemas } from './macro.ts';

const stepsSchema = v.object({ steps: v.array(v.unknown()) });

/** What is wrong with a macro, where a step is wrong in the words of the kind of step it is. */
export function macroFaults(input: unknown, faults: readonly InputFault[]): InputFault[] {
  const parsed = v.safeParse(stepsSchema, input);
  const steps = parsed.success ? parsed.output.steps : [];
  const seen = new Set<string>();
  return faults.flatMap((fault) => {
    const [place, index] = /^steps\[(\d+)\]/.exec(fault.key) ?? [];
    if (place === undefined) return [fault];
    if (seen.has(place)) return [];
    seen.add(place);
    return stepFaults(steps[Number(index)], place, fault);
  });
}

function stepFaults(step: unknown, place: string, fault: InputFault): InputFault[] {
  const keys = typeof step === 'object' && step !== null ? Object.keys(step) : [];
  const kinds = Object.entries(macroStepSchemas).filter(([kind]) => keys.includes(kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const allowed = 'a step: {press}, {hold, ms}, {text, layout} or {waitMs}';
    const message = `${place}: ${fault.value} is not allowed; expected ${allowed}`;
    return [{ key: place, value: fault.value, allowed, message }];
  }
  const checked = checkInput(kind[1], step);
  if (checked.ok) return [fault];
  return checked.faults.map((each) => ({
    ...each,
    key: `${place}.${each.key}`,
    message: `${place}.${each.message}`,
  }));
}
