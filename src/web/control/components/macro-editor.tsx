import { useState } from 'preact/hooks';
import { maxMacroSteps, maxStepCharacters, maxStepMs } from '../../../control/hid/limits.ts';
import type { Macro } from '../../../control/hid/macro.ts';
import { Choice } from '../../components/choice.tsx';
import {
  type MacroDraft,
  macroOf,
  newStep,
  type StepDraft,
  type StepKind,
} from '../macro-draft.ts';

const kinds: readonly { readonly value: StepKind; readonly text: string }[] = [
  { value: 'press', text: 'Press' },
  { value: 'hold', text: 'Hold' },
  { value: 'text', text: 'Type' },
  { value: 'wait', text: 'Wait' },
];

/** A macro, step by step. */
export function MacroEditor({
  draft,
  onChange,
  onSave,
  onCancel,
}: {
  readonly draft: MacroDraft;
  readonly onChange: (draft: MacroDraft) => void;
  readonly onSave: (macro: Macro) => void;
  readonly onCancel: () => void;
}) {
  const [fault, setFault] = useState('');
  const { name, steps } = draft;
  const setStep = (at: number, step: StepDraft): void =>
    onChange({ ...draft, steps: steps.map((old, index) => (index === at ? step : old)) });
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        const macro = macroOf(draft);
        setFault(typeof macro === 'string' ? macro : '');
        if (typeof macro !== 'string') onSave(macro);
      }}
    >
      <label class="field">
        <span>Name</span>
        <input
          class="text-input"
          value={name}
          maxLength={40}
          autocomplete="off"
          onInput={({ currentTarget }) => onChange({ ...draft, name: currentTarget.value })}
        />
      </label>
      <ol class="steps">
        {steps.map((step, at) => (
          <Step
            key={at}
            step={step}
            number={at + 1}
            onChange={(changed) => setStep(at, changed)}
            onRemove={() => onChange({ ...draft, steps: steps.filter((_, index) => index !== at) })}
          />
        ))}
      </ol>
      <button
        type="button"
        class="button"
        disabled={steps.length >= maxMacroSteps}
        onClick={() => onChange({ ...draft, steps: [...steps, newStep] })}
      >
        Add a step
      </button>
      {fault !== '' && (
        <p class="error" role="alert">
          {fault}
        </p>
      )}
      <div class="dialog-buttons">
        <button type="submit" class="button button-main">
          Save
        </button>
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Step({
  step,
  number,
  onChange,
  onRemove,
}: {
  readonly step: StepDraft;
  readonly number: number;
  readonly onChange: (step: StepDraft) => void;
  readonly onRemove: () => void;
}) {
  const { kind } = step;
  return (
    <li class="step">
      <Choice
        label={`Step ${number}`}
        value={kind}
        options={kinds}
        onChoose={(chosen) => onChange({ ...step, kind: chosen })}
      />
      {(kind === 'press' || kind === 'hold') && (
        <input
          class="text-input"
          aria-label={`Keys of step ${number}`}
          placeholder="ctrl+alt+t"
          value={step.keys}
          maxLength={100}
          autocomplete="off"
          onInput={({ currentTarget }) => onChange({ ...step, keys: currentTarget.value })}
        />
      )}
      {kind === 'text' && (
        <input
          class="text-input"
          aria-label={`Text of step ${number}`}
          value={step.text}
          maxLength={maxStepCharacters}
          autocomplete="off"
          onInput={({ currentTarget }) => onChange({ ...step, text: currentTarget.value })}
        />
      )}
      {(kind === 'hold' || kind === 'wait') && (
        <label class="step-ms">
          <input
            class="text-input"
            type="number"
            aria-label={`Milliseconds of step ${number}`}
            min={1}
            max={maxStepMs}
            value={step.ms}
            onInput={({ currentTarget }) => onChange({ ...step, ms: currentTarget.valueAsNumber })}
          />
          <span class="aside">ms</span>
        </label>
      )}
      <button
        type="button"
        class="button step-remove"
        aria-label={`Remove step ${number}`}
        onClick={onRemove}
      >
        ×
      </button>
    </li>
  );
}
