import { render } from 'preact';
import type { Mute, Quality, Status } from '../api/schema.ts';
import type { PresetName } from '../audio/presets.ts';
import { api } from './api.ts';
import { AudioGraph } from './audio-graph.ts';
import { backoff, reconnectBackoff } from './backoff.ts';
import { App } from './components/app.tsx';
import { exposeDiagnostics } from './diagnostics.ts';
import { EventStream } from './events.ts';
import { remember } from './history.ts';
import { Measurements } from './measurements.ts';
import { OptimisticSetting } from './optimistic-setting.ts';
import type { PageState } from './page-state.ts';
import { gainOf, type Preferences, readPreferences, writePreferences } from './preferences.ts';
import { Session } from './session.ts';
import { Store } from './store.ts';

/** The page's composition root: builds its parts, ties them together and starts them in order. */

const storage: Pick<Storage, 'getItem' | 'setItem'> = {
  // Reading `localStorage` itself throws where the browser blocks it, so it is read in the calls.
  getItem: (key) => window.localStorage.getItem(key),
  setItem: (key, value) => window.localStorage.setItem(key, value),
};

const store = new Store<PageState>({
  connection: { kind: 'connecting', step: 'signaling' },
  playback: { kind: 'idle' },
  live: false,
  audio: undefined,
  devices: undefined,
  children: {},
  version: '',
  quality: { known: undefined, wanted: undefined, error: '' },
  deviceMute: { known: undefined, wanted: undefined, error: '' },
  preferences: readPreferences(storage),
  history: [],
});

function set(change: Partial<PageState>): void {
  store.update((state) => ({ ...state, ...change }));
}

const delays = () => backoff({ ...reconnectBackoff, random: Math.random });

const quality = new OptimisticSetting<PresetName, Quality>({
  request: api.setQuality,
  onChange: (state) => set({ quality: state }),
});

const deviceMute = new OptimisticSetting<boolean, Mute>({
  request: api.setMute,
  onChange: (state) => set({ deviceMute: state }),
});

const graph = new AudioGraph({
  onPlayback: (playback) => {
    set({ playback });
    reportSound();
  },
});

const session = new Session({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/session`,
  backoff: delays,
  onState: (connection) => {
    set({ connection });
    reportSound();
  },
  onAudio: (stream) => graph.attach(stream),
});

const measurements = new Measurements({
  connection: () => session.connection,
  receiver: () => session.receiver,
  encoding: () => quality.state.known?.effective,
  onMeasurement: (measurement) => set({ history: remember(store.value.history, measurement) }),
});

const events = new EventStream({
  url: '/api/v1/events',
  backoff: delays,
  onOpen: () => {
    set({ live: true });
    void refresh();
  },
  onLost: () => set({ live: false }),
  handlers: {
    'audio-quality-changed': (known) => quality.received(known),
    'audio-mute-changed': (known) => {
      deviceMute.received(known);
      const { audio } = store.value;
      if (audio !== undefined) set({ audio: { ...audio, ...known } });
    },
    'audio-device-changed': ({ device, state, error }) => {
      if (store.value.audio === undefined) return;
      set({ audio: { ...store.value.audio, device, deviceState: state, deviceError: error } });
      void refreshDevices();
    },
    'audio-metrics-update': (audio) => set({ audio }),
    'audio-process-metrics': receivedChild,
  },
});

/** A browser says that it plays as soon as there is a track; there is sound once packets come too. */
function reportSound(): void {
  const { connection, playback } = store.value;
  if (connection.kind === 'connected' && playback.kind === 'playing') session.reportPlaying();
}

function receivedChild(child: Status['children'][number]): void {
  set({ children: { ...store.value.children, [child.name]: child } });
}

/** Asks for everything the page shows; what changed while no events came is found here. */
async function refresh(): Promise<void> {
  await Promise.all([
    ask(api.status, ({ audio, children, version }) => {
      set({ audio, version });
      for (const child of children) receivedChild(child);
      deviceMute.received({ muted: audio.muted });
    }),
    ask(api.quality, (known) => quality.received(known)),
    refreshDevices(),
  ]);
}

function refreshDevices(): Promise<void> {
  return ask(api.devices, (devices) => set({ devices }));
}

/** Events that come later say the same again, so an answer that fails costs nothing but time. */
async function ask<T>(request: () => Promise<T>, received: (answer: T) => void): Promise<void> {
  try {
    received(await request());
  } catch {
    // The state strip says what is wrong with the connection; the next opening of the events asks again.
  }
}

function setPreferences(change: Partial<Preferences>): void {
  const preferences = { ...store.value.preferences, ...change };
  set({ preferences });
  writePreferences(storage, preferences);
  applyPreferences(preferences);
}

function applyPreferences({ volumePercent, muted }: Preferences): void {
  graph.setVolume({ gain: gainOf(volumePercent), muted });
}

function toggleMuteByKey(event: KeyboardEvent): void {
  const { shortcuts, muted } = store.value.preferences;
  const withModifier = event.ctrlKey || event.altKey || event.metaKey;
  if (!shortcuts || withModifier || event.repeat || event.key.toLowerCase() !== 'm') return;
  setPreferences({ muted: !muted });
}

applyPreferences(store.value.preferences);
exposeDiagnostics({
  get state() {
    return store.value.connection.kind;
  },
  get playback() {
    return store.value.playback.kind;
  },
  get output() {
    return graph.output;
  },
  get stream() {
    return graph.stream;
  },
  get measurement() {
    return store.value.history.at(-1);
  },
  getStats: async () => session.connection?.getStats(),
});

// Any click or key press is what a browser that blocks sound is waiting for.
for (const gesture of ['click', 'keydown'] as const) {
  document.addEventListener(gesture, () => void graph.play());
}
document.addEventListener('keydown', toggleMuteByKey);
window.addEventListener('online', () => session.retryNow());

const parts = [session, events, measurements];
// A page kept for the back button must not hold its place at the device meanwhile.
window.addEventListener('pagehide', () => {
  for (const part of [...parts].reverse()) part.stop();
});
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) for (const part of parts) part.start();
});
for (const part of parts) part.start();

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no element with the id "page"');
render(
  <App
    store={store}
    peaks={() => graph.peaks()}
    actions={{
      play: () => void graph.play(),
      chooseQuality: (preset) => void quality.ask(preset),
      setDeviceMute: (muted) => void deviceMute.ask(muted),
      setPreferences,
      resetMedia: () => session.resetMedia('viewer asked'),
      retryNow: () => session.retryNow(),
    }}
  />,
  root,
);
