import { render } from 'preact';
import { request } from './api.ts';
import { AudioGraph } from './audio-graph.ts';
import { backoff, reconnectBackoff } from './backoff.ts';
import { App } from './components/app.tsx';
import type { ControlPart } from './control/control-page.tsx';
import { encoderLookaheadMs } from './delay.ts';
import { DeviceLink } from './device-link.ts';
import { exposeDiagnostics } from './diagnostics.ts';
import { FastLane, fastLaneObstacle } from './fast-lane/fast-lane.ts';
import { remember } from './history.ts';
import { Measurements } from './measurements.ts';
import { type NetworkInformation, watchNetwork } from './network-watch.ts';
import { OutputDevices } from './output-devices.ts';
import { PageLanes } from './page-lanes.ts';
import { PageMicrophone } from './page-microphone.ts';
import { PagePicture } from './page-picture.ts';
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

const socketBase = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1`;

const fastLane = new FastLane({
  onState: (state) => lanes.stateChanged(state),
  onNumbers: (numbers) => lanes.received(numbers),
  socketUrl: (id) => `${socketBase}/fast-lane?session=${encodeURIComponent(id)}`,
  encoderDelayMs: () => {
    const { application } = device.quality.state.known?.effective ?? {};
    return encoderLookaheadMs[application ?? 'restricted-lowdelay'];
  },
});

const graph = new AudioGraph({
  fast: fastLane,
  onPlayback: (playback) => {
    set({ playback });
    reportSound();
  },
});

const lanes: PageLanes = new PageLanes({
  fastLane,
  obstacle: fastLaneObstacle,
  setLane: (lane) => graph.setLane(lane),
  onChange: (state) => {
    set({ lanes: state });
    reportSound();
  },
  nowMs: () => performance.now(),
  later: (delayMs, action) => {
    const timer = window.setTimeout(action, delayMs);
    return () => window.clearTimeout(timer);
  },
});

const outputs = new OutputDevices({
  isSupported: 'setSinkId' in HTMLMediaElement.prototype,
  list: () => navigator.mediaDevices.enumerateDevices(),
  setTrackSink: (id) => graph.setTrackSink(id),
  setFastSink: async (id) => {
    if (!('setSinkId' in AudioContext.prototype)) throw new Error('no choice of outputs');
    await fastLane.setSink(id);
  },
  onChange: (state) => set({ outputs: state }),
  onFastObstacle: (obstacle) => lanes.setSinkObstacle(obstacle),
});

const microphone = new PageMicrophone({
  preferences: store.value.preferences.microphone,
  onChange: (change) => {
    set({ microphone: { ...store.value.microphone, ...change } });
    // The browser names its outputs as soon as it does its microphones.
    if (change.inputs !== undefined) void outputs.refresh();
    showPresence(store.value);
  },
  talkKey: () => {
    const { shortcuts, microphone } = store.value.preferences;
    const isOn = store.value.microphone.phase === 'on';
    return shortcuts && microphone.pushToTalk && isOn ? microphone.talkKey : undefined;
  },
});

const session = new Session({
  url: () => `${socketBase}/session${store.value.preferences.sync ? '?sync=1' : ''}`,
  backoff: delays,
  onState: (connection) => {
    set({ connection });
    lanes.setTrackConnected(connection.kind === 'connected');
    reportSound();
  },
  onAudio: (stream) => graph.attach(stream),
  onVideo: (stream) => picture.attach(stream),
  onNegotiation: (offer) => {
    lanes.negotiated(offer);
    picture.negotiated(offer?.hasVideo);
  },
  onSync: (notice) => picture.notice(notice),
  onMicrophone: (sender) => microphone.sender.attach(sender),
  onSession: (id) => {
    set({ session: id });
    lanes.setSession(id);
    microphone.controller.sessionChanged(id);
  },
});

const picture: PagePicture = new PagePicture({
  load: async () => (await import('./picture/picture-entry.ts')).picturePart,
  connection: () => session.connection,
  sounding: () => {
    const { lane } = lanes.state;
    const fastLevelMs = lanes.numbers?.levelMs ?? -1;
    const { sound: node } = fastLane;
    if (lane === 'fast') {
      return { lane, fastLevelMs, sound: node && { kind: 'node', node } };
    }
    const { stream } = graph;
    const { sinkId } = store.value.preferences;
    return { lane, fastLevelMs, sound: stream && { kind: 'stream', stream, sinkId } };
  },
  report: (report) => session.report(report),
  onPoisoned: () => session.resetMedia('picture and sound went apart'),
  onPageChange: (state) => set({ picture: state }),
});

const device = new DeviceLink({
  store,
  backoff: delays,
  onMicrophone: (status) => microphone.received(status),
  onMicrophoneQuality: (quality) =>
    microphone.applyQuality(quality, (settings) => session.configureMicrophone(settings)),
  onSource: (source) => {
    events = source;
    control?.setSource(source);
  },
});

/** The device's events, and what controls the host once it is loaded. */
let events: EventSource | undefined;
let control: ControlPart | undefined;

const measurements = new Measurements({
  connection: () => session.connection,
  receiver: () => session.receiver,
  encoding: () => device.quality.state.known?.effective,
  onReport: (report) => {
    microphone.receivedStats(report);
    picture.received(report);
  },
  fastSecond: () => lanes.second(),
  onMeasurement: (measurement) => {
    lanes.reportDelay(measurement.delay);
    const video = store.value.picture.picture?.numbers;
    set({ history: remember(store.value.history, { ...measurement, video }) });
  },
});

/** A browser says that it plays as soon as there is a track; there is sound once packets come too. */
function reportSound(): void {
  const { connection, playback, lanes } = store.value;
  const trackSounds = connection.kind === 'connected' && playback.kind === 'playing';
  if (trackSounds || lanes.lane === 'fast') session.reportPlaying();
}

function setPreferences(change: Partial<Preferences>): void {
  const before = store.value.preferences;
  const preferences = { ...before, ...change };
  set({ preferences });
  writePreferences(storage, preferences);
  applyPreferences(preferences);
  if (preferences.sync === before.sync) return;
  // Agreed upon when a session begins.
  session.stop();
  session.start();
}

function applyPreferences(preferences: Preferences): void {
  const { volumePercent, muted, latency, sinkId, sync } = preferences;
  graph.setVolume({ gain: gainOf(volumePercent), muted });
  lanes.setLatency(latency);
  lanes.setInStep(sync);
  void outputs.choose(sinkId);
  microphone.setPreferences(preferences.microphone);
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
  get lane() {
    return lanes.state.lane;
  },
  get laneReason() {
    return lanes.state.reason;
  },
  get fastLane() {
    return {
      state: lanes.state.fastLane,
      numbers: lanes.numbers,
      engine: fastLane.diagnostics,
    };
  },
  get stream() {
    return graph.stream;
  },
  get video() {
    const { picture: shown } = picture;
    return shown && { ...shown.state, element: shown.element };
  },
  get measurement() {
    return store.value.history.at(-1);
  },
  get microphone() {
    return microphone.diagnostics;
  },
  get control() {
    return control?.state();
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

microphone.start();
const network = {
  unwatch: () => {},
  start: () => {
    network.unwatch();
    const information: NetworkInformation | undefined = Reflect.get(navigator, 'connection');
    network.unwatch = watchNetwork(window, information, () => session.networkChanged());
  },
  stop: () => network.unwatch(),
};
const shownPicture = { start: () => {}, stop: () => picture.stop() };
const shownControl = { start: () => control?.start(), stop: () => control?.stop() };
const parts = [lanes, session, device, measurements, shownPicture, network, shownControl];
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
    video={() => picture.picture?.element}
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
      checkSync: () => picture.checkSync(),
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

/** Loads what controls the host; the page is whole without it. */
async function loadControl(slot: Element): Promise<void> {
  try {
    const { startControl } = await import('./control/control-entry.ts');
    control = await startControl({
      ...{ store, socketBase, request, storage, slot },
      backoff: delays,
      connection: () => session.connection,
      video: () => (store.value.picture.offered ? picture.picture?.element : undefined),
      source: () => events,
    });
  } catch {
    slot.textContent = 'The part of the page that controls the host did not load.';
  }
}

const slot = root.querySelector('.control-slot');
if (slot !== null) void loadControl(slot);
