import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { HidStatus, JigglerSettings } from '../../../control/hid/hid-status.ts';
import type { LayoutName } from '../../../control/hid/layouts/layout-names.ts';
import { Choice } from '../../components/choice.tsx';
import type { ControlState } from '../control-state.ts';
import { captureWords, hostWords } from '../control-words.ts';
import type { KeyboardPlatform } from '../key-tracker.ts';
import { JigglerSwitch } from './jiggler-switch.tsx';
import { KeysDialog } from './keys-dialog.tsx';
import { LatencyLine } from './latency-line.tsx';
import { type MacroActions, MacrosDialog } from './macros-dialog.tsx';
import { PasteDialog } from './paste-dialog.tsx';
import { TaskProgress } from './task-progress.tsx';

/** What a person can do with the host's keyboard and mouse beside using them. */
export interface HostActions {
  readonly enter: () => void;
  readonly leave: () => void;
  readonly setPointerMode: (mode: ControlState['pointerMode']) => void;
  readonly press: (keys: string) => void;
  readonly setLayout: (layout: LayoutName) => void;
  readonly check: (text: string) => Promise<readonly string[] | undefined>;
  readonly type: (text: string) => Promise<boolean>;
  readonly stopTask: () => void;
  readonly macros: MacroActions;
  readonly setJiggler: (change: Partial<JigglerSettings>) => void;
  readonly wake: () => void;
  readonly releaseAll: () => void;
  /** What failed before is of no interest any more. */
  readonly forgetError: () => void;
}

const pointerModes: readonly {
  readonly value: ControlState['pointerMode'];
  readonly text: string;
}[] = [
  { value: 'absolute', text: 'Where you point' },
  { value: 'relative', text: 'Locked, by movement' },
];

/** Keyboard and mouse of the host: how they stand, and what the browser cannot press. */
export function HostCard({
  state,
  hid,
  layout,
  platform,
  actions,
  enterButton,
}: {
  readonly state: ControlState;
  readonly hid: HidStatus;
  readonly layout: LayoutName;
  readonly platform: KeyboardPlatform;
  readonly actions: HostActions;
  /** Where the focus goes when the keyboard is given back. */
  readonly enterButton: RefObject<HTMLButtonElement | null>;
}) {
  const [open, setOpen] = useState<'keys' | 'paste' | 'macros'>();
  const { captured } = state.capture;
  const canPress = hid.host === 'attached';
  /** A press of the mouse would take the focus from the picture, and so the keyboard from the host. */
  const keepFocus = (event: MouseEvent): void => {
    if (captured) event.preventDefault();
  };
  const show = (dialog: typeof open): void => {
    actions.forgetError();
    setOpen(dialog);
  };
  return (
    <section class="card host" aria-labelledby="host-title">
      <div class="host-head">
        <h2 id="host-title">Keyboard and mouse</h2>
        <HostState hid={hid} via={state.via} />
        <Leds leds={hid.leds} />
      </div>
      <div class="host-row">
        <button
          type="button"
          class="button button-main"
          ref={enterButton}
          disabled={state.via === undefined}
          aria-describedby="host-capture"
          onMouseDown={keepFocus}
          onClick={captured ? actions.leave : actions.enter}
        >
          {captured ? 'Give the keyboard back' : 'Use keyboard and mouse'}
        </button>
        <p class="note host-capture" id="host-capture" role="status">
          {captureWords(state.capture, state.pointerMode, platform)}
        </p>
      </div>
      <div class="host-row">
        <button
          type="button"
          class="button"
          disabled={!canPress}
          onMouseDown={keepFocus}
          onClick={() => actions.press('ctrl+alt+del')}
        >
          Ctrl+Alt+Del
        </button>
        <button type="button" class="button" disabled={!canPress} onClick={() => show('keys')}>
          More keys…
        </button>
        <button type="button" class="button" onClick={() => show('paste')}>
          Type a text…
        </button>
        <button type="button" class="button" onClick={() => show('macros')}>
          Macros…
        </button>
        {hid.host === 'suspended' && (
          <button type="button" class="button" onClick={actions.wake}>
            Wake
          </button>
        )}
        <button
          type="button"
          class="button"
          title="Lets go of every key and button on the host, whoever holds it"
          onClick={actions.releaseAll}
        >
          Release all
        </button>
      </div>
      <div class="host-row">
        <Choice
          label="Mouse"
          value={state.pointerMode}
          options={pointerModes}
          onChoose={actions.setPointerMode}
        />
        <JigglerSwitch jiggler={hid.jiggler} onChange={actions.setJiggler} />
      </div>
      {open === undefined && <TaskProgress task={hid.task} onStop={actions.stopTask} />}
      {state.notice !== '' && (
        <p class="note" role="status">
          {state.notice}
        </p>
      )}
      {open === undefined && state.errors.host !== '' && (
        <p class="error" role="alert">
          {state.errors.host}
        </p>
      )}
      <LatencyLine latency={state.latency} nowMs={state.nowMs} />
      {open === 'keys' && (
        <KeysDialog
          error={state.errors.host}
          onPress={actions.press}
          onClose={() => show(undefined)}
        />
      )}
      {open === 'paste' && (
        <PasteDialog
          hid={hid}
          layout={layout}
          error={state.errors.host}
          onLayout={actions.setLayout}
          onCheck={actions.check}
          onType={actions.type}
          onStop={actions.stopTask}
          onClose={() => show(undefined)}
        />
      )}
      {open === 'macros' && (
        <MacrosDialog
          hid={hid}
          macros={state.macros}
          error={state.errors.host}
          actions={actions.macros}
          onClose={() => show(undefined)}
        />
      )}
    </section>
  );
}

function HostState({ hid, via }: { readonly hid: HidStatus; readonly via: ControlState['via'] }) {
  const { tone, title, detail } = hostWords(hid, via);
  return (
    <p class={`host-state state-${tone}`} role="status">
      <span class="state-lamp" aria-hidden="true" /> <strong>{title}</strong>{' '}
      <span class="state-detail">{detail}</span>
    </p>
  );
}

function Leds({ leds }: { readonly leds: HidStatus['leds'] }) {
  const lights = [
    ['Num', leds.num],
    ['Caps', leds.caps],
    ['Scroll', leds.scroll],
  ] as const;
  return (
    <ul class="leds" aria-label="Lights of the host’s keyboard">
      {lights.map(([name, isOn]) => (
        <li key={name} class={isOn ? 'led led-on' : 'led'}>
          {name} <span class="unseen">{isOn ? 'on' : 'off'}</span>
        </li>
      ))}
    </ul>
  );
}
