import { useEffect, useState } from 'preact/hooks';
import type { HidStatus } from '../../../control/hid/hid-status.ts';
import type { Macro } from '../../../control/hid/macro.ts';
import { stepWords } from '../control-words.ts';
import { draftOf, type MacroDraft, newStep } from '../macro-draft.ts';
import { Dialog } from './dialog.tsx';
import { MacroEditor } from './macro-editor.tsx';
import { TaskProgress } from './task-progress.tsx';

/** What can be done with macros. The promises say whether it was done. */
export interface MacroActions {
  /** Asks for those there are. */
  readonly list: () => void;
  readonly run: (name: string) => void;
  readonly save: (macro: Macro) => Promise<boolean>;
  readonly remove: (name: string) => void;
  readonly stop: () => void;
}

/** The device's macros: run one, change one, write one. */
export function MacrosDialog({
  hid,
  macros,
  error,
  actions,
  onClose,
}: {
  readonly hid: HidStatus;
  readonly macros: readonly Macro[];
  readonly error: string;
  readonly actions: MacroActions;
  readonly onClose: () => void;
}) {
  const [draft, setDraft] = useState<MacroDraft>();
  useEffect(actions.list, [actions]);
  const canRun = hid.host === 'attached' && hid.task === null;
  return (
    <Dialog title="Macros" onClose={onClose}>
      {draft === undefined ? (
        <>
          {macros.length === 0 && <p class="note">There are none yet.</p>}
          <ul class="macros">
            {macros.map((macro) => (
              <MacroLine
                key={macro.name}
                macro={macro}
                canRun={canRun}
                actions={actions}
                onEdit={() => setDraft(draftOf(macro))}
              />
            ))}
          </ul>
          <TaskProgress task={hid.task} onStop={actions.stop} />
          <div class="dialog-buttons">
            <button
              type="button"
              class="button"
              onClick={() => setDraft({ name: '', steps: [newStep] })}
            >
              New macro
            </button>
          </div>
        </>
      ) : (
        <MacroEditor
          draft={draft}
          onChange={setDraft}
          onSave={async (macro) => {
            if (await actions.save(macro)) setDraft(undefined);
          }}
          onCancel={() => setDraft(undefined)}
        />
      )}
      {error !== '' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </Dialog>
  );
}

function MacroLine({
  macro,
  canRun,
  actions,
  onEdit,
}: {
  readonly macro: Macro;
  readonly canRun: boolean;
  readonly actions: MacroActions;
  readonly onEdit: () => void;
}) {
  const { name, steps } = macro;
  return (
    <li class="macro">
      <p class="macro-words">
        <strong>{name}</strong> <span class="state-detail">{steps.map(stepWords).join(' · ')}</span>
      </p>
      <button
        type="button"
        class="button"
        aria-label={`Run ${name}`}
        disabled={!canRun}
        onClick={() => actions.run(name)}
      >
        Run
      </button>
      <button type="button" class="button" aria-label={`Edit ${name}`} onClick={onEdit}>
        Edit
      </button>
      <button
        type="button"
        class="button"
        aria-label={`Remove ${name}`}
        onClick={() => actions.remove(name)}
      >
        Remove
      </button>
    </li>
  );
}
