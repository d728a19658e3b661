import { useEffect, useRef, useState } from 'preact/hooks';
import type { SetSerialLine } from '../../../control/serial/serial-line.ts';
import { consoleWords } from '../serial-words.ts';
import type { ConsoleState } from '../terminal/console-link.ts';

/** A console that is open on the page. */
export interface OpenConsole {
  takeWriter(takeover: boolean): void;
  releaseWriter(): void;
  sendBreak(ms: number): void;
  focus(): void;
  close(): void;
}

export interface SerialActions {
  /** Loads the terminal and opens it in `element`. Rejects with an Error in words. */
  readonly open: (options: {
    readonly element: HTMLElement;
    readonly onState: (state: ConsoleState) => void;
    readonly onLeave: () => void;
  }) => Promise<OpenConsole>;
  /** True: the line is set so. */
  readonly setLine: (line: SetSerialLine) => Promise<boolean>;
  /** What failed before is of no interest any more. */
  readonly forgetError: () => void;
}

/** How long a break is: what a Linux console takes for SysRq. */
const breakMs = 250;

/** A console with its terminal, and who writes there. */
export function ConsoleView({
  actions,
  leaveKeys,
  onClose,
}: {
  readonly actions: SerialActions;
  readonly leaveKeys: string;
  readonly onClose: () => void;
}) {
  const screen = useRef<HTMLDivElement>(null);
  const after = useRef<HTMLButtonElement>(null);
  const [state, setState] = useState<ConsoleState>();
  const [open, setOpen] = useState<OpenConsole>();
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    const element = screen.current;
    if (element === null) return undefined;
    let isGone = false;
    let opened: OpenConsole | undefined;
    actions.open({ element, onState: setState, onLeave: () => after.current?.focus() }).then(
      (console) => {
        opened = console;
        if (isGone) console.close();
        else {
          setOpen(console);
          console.focus();
          // It opened below what was pressed, and draws nothing while it is out of sight.
          element.scrollIntoView({ block: 'nearest' });
        }
      },
      (error: unknown) => setTrouble(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      isGone = true;
      opened?.close();
    };
    // The actions are the page's own, and never others.
  }, [actions]);

  const isWriter = state?.isWriter === true;
  const canAsk = open !== undefined && state?.connection === 'open';
  const takes = state?.status?.writer !== null && state?.status?.writer !== undefined;
  return (
    <>
      <div class="console-screen" ref={screen} />
      {trouble !== '' && (
        <p class="error" role="alert">
          {trouble}
        </p>
      )}
      <div class="host-row">
        <button
          type="button"
          class="button"
          ref={after}
          disabled={!canAsk}
          onClick={() => (isWriter ? open?.releaseWriter() : open?.takeWriter(takes))}
        >
          {isWriter ? 'Only read' : takes ? 'Take over' : 'Write'}
        </button>
        <button
          type="button"
          class="button"
          disabled={!canAsk || !isWriter}
          onClick={() => open?.sendBreak(breakMs)}
        >
          Send a break
        </button>
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
        <p class="note host-capture" role="status">
          {state === undefined ? 'The terminal is loading.' : consoleWords(state, leaveKeys)}
        </p>
      </div>
    </>
  );
}
