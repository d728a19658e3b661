import { useEffect, useState } from 'preact/hooks';
import type { Peaks } from '../audio-graph.ts';
import type { PageActions } from '../page-actions.ts';
import type { PageState } from '../page-state.ts';
import { describeState } from '../state-text.ts';
import type { Store } from '../store.ts';
import { DeviceCard } from './device-card.tsx';
import { ListeningCard } from './listening-card.tsx';
import { MeasurementsCard } from './measurements-card.tsx';
import { PlayPanel } from './play-panel.tsx';
import { QualityCard } from './quality-card.tsx';
import { StateStrip } from './state-strip.tsx';

/** The page. */
export function App({
  store,
  actions,
  peaks,
}: {
  readonly store: Store<PageState>;
  readonly actions: PageActions;
  readonly peaks: () => Peaks | undefined;
}) {
  const state = useStore(store);
  const { connection, playback, audio, children } = state;
  const text = describeState({
    connection,
    playback,
    audio,
    audioOutput: children['audio-output'],
  });
  return (
    <>
      <header class="masthead">
        <h1>Earshot</h1>
        <StateStrip
          text={text}
          canReset={connection.kind === 'connected' || connection.kind === 'interrupted'}
          onRetry={actions.retryNow}
          onReset={actions.resetMedia}
        />
      </header>
      <main>
        {playback.kind === 'blocked' && <PlayPanel onPlay={actions.play} />}
        <ListeningCard state={state} actions={actions} peaks={peaks} />
        <QualityCard quality={state.quality} onChoose={actions.chooseQuality} />
        <MeasurementsCard history={state.history} />
        <DeviceCard state={state} />
      </main>
      <footer>
        <p>
          <kbd>M</kbd> mutes here. <kbd>Tab</kbd> moves between controls; <kbd>←</kbd> <kbd>→</kbd>{' '}
          choose the quality and set the volume.
        </p>
        <label class="check">
          <input
            type="checkbox"
            checked={state.preferences.shortcuts}
            onChange={({ currentTarget }) =>
              actions.setPreferences({ shortcuts: currentTarget.checked })
            }
          />
          Single-key shortcuts
        </label>
        <p class="version">{state.version !== '' && `Earshot ${state.version}`}</p>
      </footer>
    </>
  );
}

/** The store's value; the component is drawn again when it changes. */
function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    // The value may have changed between the first drawing and this subscription.
    setValue(() => store.value);
    return store.subscribe(() => setValue(() => store.value));
  }, [store]);
  return value;
}
