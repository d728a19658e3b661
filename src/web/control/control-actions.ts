import type { LayoutName } from '../../control/hid/layouts/layout-names.ts';
import type { PressAnswer } from '../../control/power/power-status.ts';
import type { SerialActions } from './components/console-view.tsx';
import type { HostActions } from './components/host-card.tsx';
import type { PowerActions } from './components/power-card.tsx';
import type { Control } from './control.ts';
import type { ControlApi } from './control-api.ts';
import type { ControlPreferences } from './control-preferences.ts';
import { loadStyles } from './load-styles.ts';
import { ConsoleLink, openConsoleSocket } from './terminal/console-link.ts';

/** What a person can do with the host. */
export interface ControlActions {
  readonly host: HostActions;
  readonly power: PowerActions;
  readonly serial: SerialActions;
}

/** The actions of the page's buttons, by what they do at the device. */
export function controlActions({
  control,
  api,
  socketBase,
  backoff,
  layout,
  setPreferences,
}: {
  readonly control: Control;
  readonly api: ControlApi;
  readonly socketBase: string;
  readonly backoff: () => Iterator<number>;
  /** The one that texts are typed by. */
  readonly layout: () => LayoutName;
  readonly setPreferences: (change: Partial<ControlPreferences>) => void;
}): ControlActions {
  const { ask } = control;
  const shows: Control['received'] = (change) => control.received(change);
  /** The answer; undefined: it failed, which the page shows. */
  const answer = async <T>(place: 'host' | 'power', request: () => Promise<T>) => {
    let result: T | undefined;
    await ask(place, async () => {
      result = await request();
    });
    return result;
  };
  return {
    host: {
      enter: () => control.enter(),
      leave: () => control.leave(),
      setPointerMode: (pointerMode) => {
        control.setPointerMode(pointerMode);
        setPreferences({ pointerMode });
      },
      press: (keys) => void ask('host', async () => shows({ hid: await api.press(keys) })),
      setLayout: (chosen) => setPreferences({ layout: chosen }),
      check: (text) => answer('host', () => api.check(text, layout())),
      type: (text) => ask('host', () => api.type(text, layout())),
      stopTask: () => void ask('host', api.stopTask),
      macros: {
        list: () => void control.listMacros(),
        run: (name) => void ask('host', () => api.runMacro(name)),
        save: (macro) => ask('host', async () => shows({ macros: await api.saveMacro(macro) })),
        remove: (name) =>
          void ask('host', async () => shows({ macros: await api.removeMacro(name) })),
        stop: () => void ask('host', api.stopTask),
      },
      setJiggler: (change) =>
        void ask('host', async () => shows({ hid: await api.setJiggler(change) })),
      wake: () =>
        void ask('host', async () => {
          if (!(await api.wakeHost())) throw new Error('The host does not let itself be woken.');
        }),
      releaseAll: () => control.releaseAll(),
      forgetError: () => control.forgetError('host'),
    },
    power: {
      press: (press): Promise<PressAnswer | undefined> =>
        answer('power', () => api.pressPower(press)),
      wake: (name) => ask('power', () => api.wakeMachine(name)),
    },
    serial: {
      setLine: (line) =>
        ask('serial', async () => shows({ serial: await api.setSerialLine(line) })),
      forgetError: () => control.forgetError('serial'),
      open: async ({ element, onState, onLeave }) => {
        const { HostTerminal } = await loadTerminal();
        const terminal = new HostTerminal({
          element,
          onLeave,
          onInput: (bytes) => link.write(bytes),
        });
        const link: ConsoleLink = new ConsoleLink({
          openSocket: () => openConsoleSocket(socketBase),
          backoff,
          later: (delayMs, action) => {
            const timer = window.setTimeout(action, delayMs);
            return () => window.clearTimeout(timer);
          },
          onBytes: (bytes) => terminal.write(bytes),
          onReset: () => terminal.reset(),
          onNote: (words) => terminal.note(words),
          onState,
        });
        link.start();
        return {
          takeWriter: (takeover) => {
            link.takeWriter(takeover);
            terminal.focus();
          },
          releaseWriter: () => link.releaseWriter(),
          sendBreak: (ms) => link.sendBreak(ms),
          focus: () => terminal.focus(),
          close: () => {
            link.stop();
            terminal.close();
          },
        };
      },
    },
  };
}

let terminalStyles: Promise<void> | undefined;

async function loadTerminal(): Promise<typeof import('./terminal/terminal-entry.ts')> {
  try {
    terminalStyles ??= loadStyles('/assets/terminal.css');
    // It measures its characters as soon as it is opened.
    await terminalStyles;
    return await import('./terminal/terminal-entry.ts');
  } catch (cause) {
    throw new Error('The part of the page that is the terminal did not load.', { cause });
  }
}
