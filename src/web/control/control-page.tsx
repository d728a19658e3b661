import { render } from 'preact';
import { hidProtocol } from '../../control/hid/limits.ts';
import type { request } from '../api.ts';
import type { PageState } from '../page-state.ts';
import type { PreferenceStorage } from '../preferences.ts';
import type { Store } from '../store.ts';
import { ControlArea } from './components/control-area.tsx';
import { ControlBadge } from './components/control-badge.tsx';
import { Control } from './control.ts';
import { controlActions } from './control-actions.ts';
import { controlApi } from './control-api.ts';
import { listenToControl } from './control-events.ts';
import {
  type ControlPreferences,
  readControlPreferences,
  writeControlPreferences,
} from './control-preferences.ts';
import type { ControlState } from './control-state.ts';
import { keyboardPlatform } from './key-tracker.ts';
import { loadStyles } from './load-styles.ts';

/** What the page gives to the part that controls the host. */
export interface ControlHost {
  readonly store: Store<PageState>;
  readonly connection: () => RTCPeerConnection | undefined;
  /** What shows the picture; undefined without one. */
  readonly video: () => HTMLVideoElement | undefined;
  /** `ws://device/api/v1` */
  readonly socketBase: string;
  readonly backoff: () => Iterator<number>;
  readonly request: typeof request;
  /** The device's events under way. */
  readonly source: () => EventSource | undefined;
  readonly storage: PreferenceStorage;
  /** Where it has its place on the page. */
  readonly slot: Element;
}

/** A part of the page that is started and stopped with it. */
export interface ControlPart {
  readonly start: () => void;
  readonly stop: () => void;
  /** The device's events come from here from now on. */
  readonly setSource: (source: EventSource) => void;
  /** What is shown of it. */
  readonly state: () => ControlState;
}

/** Draws the host's control into its place and keeps it drawn; it is started already. */
export async function startControl(host: ControlHost): Promise<ControlPart> {
  await loadStyles('/assets/control.css');
  const { store, slot } = host;
  const api = controlApi(host.request);
  const platform = keyboardPlatform(navigator.userAgent);
  let preferences = readControlPreferences(host.storage);
  const badge = document.createElement('div');
  badge.className = 'control-badge-place';
  const pad: { current: HTMLElement | null } = { current: null };

  const control: Control = new Control({
    api,
    platform,
    backoff: host.backoff,
    openSocket: (session) =>
      new WebSocket(`${host.socketBase}/hid?session=${encodeURIComponent(session)}`, hidProtocol),
    onChange: () => draw(),
  });
  const setPreferences = (change: Partial<ControlPreferences>): void => {
    preferences = { ...preferences, ...change };
    writeControlPreferences(host.storage, preferences);
    draw();
  };
  const actions = controlActions({
    control,
    api,
    socketBase: host.socketBase,
    backoff: host.backoff,
    setPreferences,
    layout: () => preferences.layout ?? control.state.hid?.layout ?? 'us',
  });

  function draw(): void {
    const { state } = control;
    render(
      <ControlArea
        state={state}
        layout={preferences.layout ?? state.hid?.layout ?? 'us'}
        platform={platform}
        hasPicture={host.video() !== undefined}
        pad={pad}
        actions={actions}
        onLeft={(onLeft) => {
          control.onLeft = onLeft;
        }}
      />,
      slot,
    );
    render(<ControlBadge state={state} platform={platform} />, badge);
    place();
  }

  /** Keyboard and mouse are taken where the picture is, or where its place is. */
  function place(): void {
    const video = host.video();
    const frame = video?.parentElement ?? undefined;
    const hasHid = control.state.hid !== null && control.state.hid !== undefined;
    if (video !== undefined && hasHid) {
      video.tabIndex = -1;
      video.setAttribute('aria-label', 'The host’s picture: click to use its keyboard and mouse');
      if (badge.parentElement !== frame) frame?.append(badge);
      control.captureOn(video, () => ({ width: video.videoWidth, height: video.videoHeight }));
      return;
    }
    badge.remove();
    control.captureOn(hasHid ? (pad.current ?? undefined) : undefined, () => noPicture);
  }

  let wasLive = false;
  const follow = (): void => {
    const { session, live } = store.value;
    control.attach(host.connection(), session);
    if (live && !wasLive) control.refresh();
    wasLive = live;
    if (host.video() !== shown.video || host.video()?.parentElement !== shown.frame) {
      shown = { video: host.video(), frame: host.video()?.parentElement };
      draw();
    }
  };
  let shown: { video: HTMLElement | undefined; frame: HTMLElement | null | undefined } = {
    video: undefined,
    frame: undefined,
  };
  const setSource = (source: EventSource): void =>
    listenToControl(source, (news) => control.received(news));

  control.setPointerMode(preferences.pointerMode);
  const source = host.source();
  if (source !== undefined) setSource(source);
  store.subscribe(follow);
  control.start();
  control.refresh();
  follow();
  draw();
  return {
    start: () => control.start(),
    stop: () => control.stop(),
    setSource,
    state: () => control.state,
  };
}

const noPicture = { width: 0, height: 0 } as const;
