import { render } from 'preact';
import { AudioGraph } from './audio-graph.ts';
import { backoff, reconnectBackoff } from './backoff.ts';
import { App } from './components/app.tsx';
import { DeviceLink } from './device-link.ts';
import { exposeDiagnostics } from './diagnostics.ts';
import { remember } from './history.ts';
import { Measurements } from './measurements.ts';
import { PageMicrophone } from './page-microphone.ts';
import { showPresence } from './page-presence.ts';
import { initialState, type PageState } from './page-state.ts';
import { gainOf, type Preferences, readPreferences, writePreferences } from './preferences.ts';
import { Session } from './session.ts';
import { Store } from './store.ts';

/** The page's composition root: builds its parts, ties them together and starts them in order. */

const storage: Pick<Storage, 'getItem' | 'setItem'> = {
  // Reading `localStorage` itself throws where the browser blocks it, so it is read in the calls.
  getItem: (key) => window.localStorage.getItem(key),
  setItem: (key, value) => window.localStorage.setItem(key, value),
};

const store = new Store<PageState>(initialState(readPreferences(storage)));

function set(change: Partial<PageState>): void {
  store.update((state) => ({ ...state, ...change }));
}

const delays = () => backoff({ ...reconnectBackoff, random: Math.random });

const graph = new AudioGraph({
  onPlayback: (playback) => {
    set({ playback });
    reportSound();
  },
});

const microphone = new PageMicrophone({
  preferences: store.value.preferences.microphone,
  onChange: (change) => {
    set({ microphone: { ...store.value.microphone, ...change } });
    showPresence(store.value);
  },
  talkKey: () => {
    const { shortcuts, microphone } = store.value.preferences;
    const isOn = store.value.microphone.phase === 'on';
    return shortcuts && microphone.pushToTalk && isOn ? microphone.talkKey : undefined;
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
  onMicrophone: (sender) => microphone.sender.attach(sender),
  onSession: (id) => {
    set({ session: id });
    microphone.controller.sessionChanged(id);
  },
});

const device = new DeviceLink({
  store,
  backoff: delays,
  onMicrophone: (status) => microphone.received(status),
  onMicrophoneQuality: (quality) =>
    microphone.applyQuality(quality, (settings) => session.configureMicrophone(settings)),
});

const measurements = new Measurements({
  connection: () => session.connection,
  receiver: () => session.receiver,
  encoding: () => device.quality.state.known?.effective,
  onReport: (report) => microphone.receivedStats(report),
  onMeasurement: (measurement) => set({ history: remember(store.value.history, measurement) }),
});

/** A browser says that it plays as soon as there is a track; there is sound once packets come too. */
function reportSound(): void {
  const { connection, playback } = store.value;
  if (connection.kind === 'connected' && playback.kind === 'playing') session.reportPlaying();
}

function setPreferences(change: Partial<Preferences>): void {
  const preferences = { ...store.value.preferences, ...change };
  set({ preferences });
  writePreferences(storage, preferences);
  applyPreferences(preferences);
}

function applyPreferences({ volumePercent, muted, microphone: preferred }: Preferences): void {
  graph.setVolume({ gain: gainOf(volumePercent), muted });
  microphone.setPreferences(preferred);
}

function toggleMuteByKey(event: KeyboardEvent): void {
  const { shortcuts, muted } = store.value.preferences;
  const withModifier = event.ctrlKey || event.altKey || event.metaKey;
  // A list takes letters for itself.
  if (event.target instanceof HTMLSelectElement) return;
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
  get microphone() {
    return microphone.diagnostics;
  },
  get connection() {
    return session.connection;
  },
  getStats: async () => session.connection?.getStats(),
});

// Any click or key press is what a browser that blocks sound is waiting for.
for (const gesture of ['click', 'keydown'] as const) {
  document.addEventListener(gesture, () => void graph.play());
}
document.addEventListener('keydown', toggleMuteByKey);
window.addEventListener('online', () => session.retryNow());

microphone.start();
const parts = [session, device, measurements];
// A page kept for the back button must not hold its place, or a microphone, meanwhile.
window.addEventListener('pagehide', () => {
  microphone.controller.stop();
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
    microphonePeaks={() => microphone.peaks()}
    actions={{
      play: () => void graph.play(),
      chooseQuality: (preset) => void device.quality.ask(preset),
      chooseDevice: (id) => void device.captureDevice.ask(id),
      setDeviceMute: (muted) => void device.mute.ask(muted),
      setPreferences,
      resetMedia: () => session.resetMedia('viewer asked'),
      retryNow: () => session.retryNow(),
      microphone: microphone.actions({
        chooseQuality: (preset) => void device.microphoneQuality.ask(preset),
        chooseDevice: (id) => void device.microphoneDevice.ask(id),
        setPreferences: (change) =>
          setPreferences({ microphone: { ...store.value.preferences.microphone, ...change } }),
      }),
    }}
  />,
  root,
);
