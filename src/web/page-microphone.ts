import type { MicrophoneQuality, MicrophoneStatus } from '../api/schema.ts';
import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import { api } from './api.ts';
import { type CaptureChoice, MicrophoneCapture } from './microphone-capture.ts';
import { MicrophoneController } from './microphone-controller.ts';
import { MicrophoneSender } from './microphone-sender.ts';
import type { MicrophoneActions } from './page-actions.ts';
import type { PageMicrophoneState } from './page-state.ts';
import type { MicrophonePreferences } from './preferences.ts';
import { PushToTalk, type TalkKey } from './push-to-talk.ts';
import { readSentStats, type SentSnapshot, sentBetween, silentAfterMs } from './sent-stats.ts';
import type { StatsReport } from './stats.ts';
import { type Peaks, StreamMeter } from './stream-meter.ts';

export interface PageMicrophoneOptions {
  readonly preferences: MicrophonePreferences;
  readonly onChange: (change: Partial<PageMicrophoneState>) => void;
  /** The push-to-talk key in force; undefined while there is none. */
  readonly talkKey: () => TalkKey | undefined;
}

/** The microphone's parts tied together: capture, floor, sender, meter, push-to-talk, measurements. */
export class PageMicrophone {
  readonly controller: MicrophoneController<MediaStreamTrack>;
  readonly sender = new MicrophoneSender();
  readonly #options: PageMicrophoneOptions;
  readonly #capture = new MicrophoneCapture();
  readonly #meter = new StreamMeter();
  readonly #pushToTalk: PushToTalk;
  #preferences: MicrophonePreferences;
  #channels: 1 | 2 = 1;
  #measured: MediaStreamTrack | undefined;
  #last: SentSnapshot | undefined;
  #silentSinceMs: number | undefined;

  constructor(options: PageMicrophoneOptions) {
    this.#options = options;
    this.#preferences = options.preferences;
    this.controller = new MicrophoneController(
      {
        api: {
          start: api.startMicrophone,
          stop: api.stopMicrophone,
          setMute: api.setMicrophoneMute,
          status: api.microphone,
        },
        capture: async (choice, listener) => {
          const track = await this.#capture.open(choice, listener);
          // Only now do devices have names.
          void this.#listInputs();
          return track;
        },
        send: (track) => this.sender.setTrack(track),
        onChange: (state) => {
          this.#measureLevel();
          if (!state.open) this.#silentSinceMs = undefined;
          options.onChange(state.open ? state : { ...state, silent: false });
        },
        later: (delayMs, action) => {
          const timer = window.setTimeout(action, delayMs);
          return () => window.clearTimeout(timer);
        },
        nowMs: () => performance.now(),
      },
      this.#choice(),
    );
    this.#pushToTalk = new PushToTalk({
      key: options.talkKey,
      onTalk: (talking) => this.controller.talk(talking),
    });
  }

  /** Watches keys, devices and the permission for as long as the page lives; captures nothing. */
  start(): void {
    this.#options.onChange({ unavailable: this.#capture.trouble });
    this.controller.setPushToTalk(this.#preferences.pushToTalk);
    this.#pushToTalk.start();
    this.#capture.watch({
      onDevices: () => {
        this.controller.troubleMayBeOver(['no-device', 'busy', 'unknown']);
        void this.#listInputs();
      },
      onPermission: (permission) => {
        if (permission !== 'denied') this.controller.troubleMayBeOver(['denied', 'dismissed']);
        void this.#listInputs();
      },
    });
    void this.#listInputs();
  }

  /** What the person prefers from now on; while speaking, too. */
  setPreferences(preferences: MicrophonePreferences): void {
    const pushToTalkChanged = preferences.pushToTalk !== this.#preferences.pushToTalk;
    this.#preferences = preferences;
    if (pushToTalkChanged) this.controller.setPushToTalk(preferences.pushToTalk);
    this.controller.setChoice(this.#choice());
  }

  /** The device says how its microphone stands. */
  received(status: MicrophoneStatus): void {
    this.controller.received(status);
  }

  /** The quality in force, whoever chose it. `configure` reaches what a sender's parameters do not. */
  applyQuality(
    { effective }: MicrophoneQuality,
    configure: (settings: MicrophoneSettings) => void,
  ): void {
    this.sender.setMaxBitrate(effective.maxBitrateBps);
    configure(effective);
    this.#channels = effective.channels;
    this.controller.setChoice(this.#choice());
  }

  /** Level of what is captured, at each frame of the display. */
  peaks(): Peaks | undefined {
    return this.#meter.peaks();
  }

  /** A look inside, for tests and the console. */
  get diagnostics() {
    const { state, track } = this.controller;
    return { state, track, settings: track?.getSettings(), parameters: this.sender.parameters };
  }

  /** The connection's statistics, once a second. */
  receivedStats(report: StatsReport): void {
    const snapshot = readSentStats(report);
    const last = this.#last;
    this.#last = snapshot;
    if (snapshot === undefined || last === undefined || this.controller.state.phase !== 'on') {
      this.#options.onChange({ sent: undefined });
      return;
    }
    const sent = sentBetween(last, snapshot);
    const watched = this.controller.state.open && sent.heard === false;
    this.#silentSinceMs = watched ? (this.#silentSinceMs ?? last.timestampMs) : undefined;
    const silent =
      this.#silentSinceMs !== undefined &&
      snapshot.timestampMs - this.#silentSinceMs >= silentAfterMs;
    this.#options.onChange({ sent, silent });
  }

  actions(
    settings: Pick<MicrophoneActions, 'chooseQuality' | 'chooseDevice' | 'setPreferences'>,
  ): MicrophoneActions {
    return {
      ...settings,
      turnOn: () => this.controller.press(),
      takeOver: () => this.controller.press({ takeover: true }),
      turnOff: () => this.controller.stop(),
      setMuted: (muted) => void this.controller.setMuted(muted),
      talk: (talking) => this.controller.talk(talking),
    };
  }

  #choice(): CaptureChoice {
    const { deviceId, raw, echoCancellation, noiseSuppression, autoGainControl } =
      this.#preferences;
    const processed = !raw && (echoCancellation || noiseSuppression || autoGainControl);
    return {
      deviceId,
      echoCancellation: echoCancellation && !raw,
      noiseSuppression: noiseSuppression && !raw,
      autoGainControl: autoGainControl && !raw,
      // Browsers process one channel only; asking for two would open the device anew for nothing.
      channels: processed ? 1 : this.#channels,
    };
  }

  async #listInputs(): Promise<void> {
    const devices = await this.#capture.devices();
    this.#options.onChange({
      inputs: devices.map(({ deviceId, label }) => ({ deviceId, label })),
    });
  }

  #measureLevel(): void {
    const { track } = this.controller;
    if (track === this.#measured) return;
    this.#measured = track;
    this.#meter.attach(track === undefined ? undefined : new MediaStream([track]));
  }
}
