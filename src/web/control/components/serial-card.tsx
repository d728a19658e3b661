import { useState } from 'preact/hooks';
import { lineText } from '../../../control/serial/serial-line.ts';
import type { SerialStatus } from '../../../control/serial/serial-status.ts';
import { portWords } from '../serial-words.ts';
import { ConsoleView, type SerialActions } from './console-view.tsx';
import { LineDialog } from './line-dialog.tsx';

/** The host's serial console. */
export function SerialCard({
  serial,
  error,
  leaveKeys,
  actions,
}: {
  readonly serial: SerialStatus;
  readonly error: string;
  readonly leaveKeys: string;
  readonly actions: SerialActions;
}) {
  const [isOpen, setOpen] = useState(false);
  const [showsLine, setShowsLine] = useState(false);
  return (
    <section class="card serial" aria-labelledby="serial-title">
      <div class="host-head">
        <h2 id="serial-title">Serial console</h2>
        <p class={`host-state state-${serial.state === 'open' ? 'good' : 'busy'}`} role="status">
          <span class="state-lamp" aria-hidden="true" /> <strong>{portWords(serial)}</strong>{' '}
          <span class="state-detail">{serial.reason}</span>
        </p>
      </div>
      <div class="host-row">
        <button
          type="button"
          class={isOpen ? 'button' : 'button button-main'}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Close the console' : 'Open the console'}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            actions.forgetError();
            setShowsLine(true);
          }}
        >
          Line: {lineText(serial.line)}…
        </button>
        <a class="button" href="/api/v1/serial/scrollback" download="console.log">
          Save what was said
        </a>
      </div>
      {isOpen && (
        <ConsoleView actions={actions} leaveKeys={leaveKeys} onClose={() => setOpen(false)} />
      )}
      {showsLine && (
        <LineDialog
          serial={serial}
          error={error}
          onSet={actions.setLine}
          onClose={() => setShowsLine(false)}
        />
      )}
    </section>
  );
}
