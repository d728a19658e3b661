import { useState } from 'preact/hooks';
import type { HidStatus } from '../../../control/hid/hid-status.ts';
import { type LayoutName, layoutTitles } from '../../../control/hid/layouts/layout-names.ts';
import { maxTextCharacters } from '../../../control/hid/limits.ts';
import { Choice } from '../../components/choice.tsx';
import { characterWords } from '../control-words.ts';
import { Dialog } from './dialog.tsx';
import { TaskProgress } from './task-progress.tsx';

/** A text that the host is to get as keystrokes. */
export function PasteDialog({
  hid,
  layout,
  error,
  onLayout,
  onCheck,
  onType,
  onStop,
  onClose,
}: {
  readonly hid: HidStatus;
  readonly layout: LayoutName;
  readonly error: string;
  readonly onLayout: (layout: LayoutName) => void;
  /** What of the text cannot be typed; undefined: the device did not say, and `error` says why. */
  readonly onCheck: (text: string) => Promise<readonly string[] | undefined>;
  readonly onType: (text: string) => Promise<boolean>;
  readonly onStop: () => void;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState('');
  const [untypable, setUntypable] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  const isTyping = hid.task !== null;

  const type = async (): Promise<void> => {
    setBusy(true);
    const cannot = await onCheck(text);
    setUntypable(cannot ?? []);
    // What was typed is not kept: it may be a secret.
    if (cannot?.length === 0 && (await onType(text))) setText('');
    setBusy(false);
  };
  const change = (changed: string): void => {
    setText(changed);
    setUntypable([]);
  };

  return (
    <Dialog title="Type a text on the host" onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void type();
        }}
      >
        <label class="field">
          <span>Text</span>
          <textarea
            class="text-input"
            rows={6}
            maxLength={maxTextCharacters}
            value={text}
            spellcheck={false}
            autocomplete="off"
            onInput={({ currentTarget }) => change(currentTarget.value)}
          />
        </label>
        <Choice
          label="The host’s layout"
          value={layout}
          options={hid.layouts.map((value) => ({ value, text: layoutTitles[value] }))}
          onChoose={(chosen) => {
            onLayout(chosen);
            setUntypable([]);
          }}
        />
        {untypable.length > 0 && (
          <Untypable
            characters={untypable}
            layout={layout}
            onLeaveOut={() =>
              change(
                Array.from(text.normalize())
                  .filter((c) => !untypable.includes(c))
                  .join(''),
              )
            }
          />
        )}
        {error !== '' && (
          <p class="error" role="alert">
            {error}
          </p>
        )}
        <TaskProgress task={hid.task} onStop={onStop} />
        <div class="dialog-buttons">
          <button
            type="submit"
            class="button button-main"
            disabled={text === '' || isBusy || isTyping || hid.host !== 'attached'}
          >
            Type it
          </button>
          <p class="note">
            {hid.host === 'attached'
              ? 'Nothing is sent before all of it can be typed.'
              : 'No host takes keys at the moment.'}
          </p>
        </div>
      </form>
    </Dialog>
  );
}

function Untypable({
  characters,
  layout,
  onLeaveOut,
}: {
  readonly characters: readonly string[];
  readonly layout: LayoutName;
  readonly onLeaveOut: () => void;
}) {
  return (
    <div class="error" role="alert">
      <p>
        {layoutTitles[layout]} has no keys for: {characters.map(characterWords).join(', ')}. Nothing
        was sent.
      </p>
      <button type="button" class="button" onClick={onLeaveOut}>
        Leave them out
      </button>
    </div>
  );
}
