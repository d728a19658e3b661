import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageActions } from '../page-actions.ts';
import type { PageState } from '../page-state.ts';
import { describeState } from '../state-text.ts';
import type { Store } from '../store.ts';
import type { Peaks } from '../stream-meter.ts';
import { Check } from './check.tsx';
import { DeviceCard } from './device-card.tsx';
import { LatencyCard } from './latency-card.tsx';
import { ListeningCard } from './listening-card.tsx';
import { LiveBadge } from './live-badge.tsx';
import { MeasurementsCard } from './measurements-card.tsx';
import { MicrophoneCard } from './microphone-card.tsx';
import { PlayPanel } from './play-panel.tsx';
import { QualityCard } from './quality-card.tsx';
import { StateStrip } from './state-strip.tsx';

/** The page. */
export function App({
  store,
  actions,
  video,
  peaks,
  microphonePeaks,
}: {
  readonly store: Store<PageState>;
  readonly actions: PageActions;
  /** What shows the picture. */
  readonly video: () => HTMLVideoElement | undefined;
  readonly peaks: () => Peaks | undefined;
  readonly microphonePeaks: () => Peaks | undefined;
}) {
  const state = useStore(store);
  const microphoneCard = useRef<HTMLElement>(null);
  const { connection, playback, lanes, audio, children } = state;
  const { offered, part, picture, trouble } = state.picture;
  const { lane, fastLane } = lanes;
  const element = video();
  const text = describeState({
    connection,
    playback,
    audio,
    audioOutput: children['audio-output'],
    byWebSocket: lane === 'fast' && fastLane.kind === 'running' && fastLane.via === 'websocket',
  });
  // Without a track to play, it is the fast lane that is held back.
  const isBlocked =
    playback.kind === 'blocked' || (connection.kind === 'failed' && fastLane.kind === 'blocked');
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
        <div class="front">
          {isBlocked && <PlayPanel onPlay={actions.play} />}
          {offered && trouble !== '' && (
            <p class="error" role="alert">
              {trouble}
            </p>
          )}
          {offered && part !== undefined && element !== undefined && picture !== undefined && (
            <part.PictureArea
              element={element}
              picture={picture}
              status={state.video}
              connection={connection.kind}
              size={state.preferences.pictureSize}
              onSize={(pictureSize) => actions.setPreferences({ pictureSize })}
            />
          )}
          <div class="control-slot" />
        </div>
        <ListeningCard state={state} actions={actions} peaks={peaks} />
        <QualityCard quality={state.quality} onChoose={actions.chooseQuality} />
        <LatencyCard
          latency={state.preferences.latency}
          lanes={lanes}
          last={state.history.at(-1)}
          onChoose={(latency) => actions.setPreferences({ latency })}
        />
        <MicrophoneCard
          state={state}
          actions={actions.microphone}
          peaks={microphonePeaks}
          card={microphoneCard}
        />
        <MeasurementsCard
          history={state.history}
          microphone={state.microphone}
          part={offered ? part : undefined}
        />
        <div class="device-side">
          {offered && part !== undefined && picture !== undefined && (
            <part.SyncCard
              picture={picture}
              canCheck={connection.kind === 'connected' && picture.shown}
              onCheck={actions.checkSync}
              inStep={state.preferences.sync}
              onInStep={(sync) => actions.setPreferences({ sync })}
            />
          )}
          <DeviceCard state={state} actions={actions} />
        </div>
      </main>
      <footer>
        <p>
          <kbd>M</kbd> mutes here. <kbd>Tab</kbd> moves between controls; <kbd>←</kbd> <kbd>→</kbd>{' '}
          choose quality and latency and set the volume.
        </p>
        <Check
          checked={state.preferences.shortcuts}
          onChange={(shortcuts) => actions.setPreferences({ shortcuts })}
        >
          Single-key shortcuts
        </Check>
        <p class="version">{state.version !== '' && `Earshot ${state.version}`}</p>
      </footer>
      <LiveBadge state={state} actions={actions.microphone} card={microphoneCard} />
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
