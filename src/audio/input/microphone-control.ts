import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import type { Applied, AudioChild } from '../audio-child.ts';
import {
  type AudioDevice,
  assertChoice,
  type DeviceChoice,
  deviceChoice,
} from '../device-choice.ts';
import { DurableChanges, type DurableSettings } from '../durable-changes.ts';
import type { MicrophoneSettings } from '../microphone-settings.ts';
import { microphonePresets, type PresetName } from '../presets.ts';
import { FrameWatch } from './frame-watch.ts';
import type { InputConfig } from './input-config.ts';
import { type InputDevice, InputDeviceCondition } from './input-device-condition.ts';
import { type InputStats, inputStatsSchema } from './input-stats.ts';

/** What of the settings concerns the microphone. */
export interface InputSettings {
  readonly quality: PresetName;
  /** ALSA PCM chosen by a person; absent means the configuration's. */
  readonly device?: string | undefined;
}

/** Who may speak: the media hub lets one session's packets through. */
export interface FloorGate {
  /** Opens for this session and no other; undefined: for none. False, and unchanged, when there is no such session. */
  openMicrophone(session: string | undefined): boolean;
}

export interface MicrophoneControlOptions {
  readonly board: {
    readonly device: string;
    readonly periodMs: number;
    readonly bufferMs: number;
  };
  readonly settings: DurableSettings<InputSettings>;
  readonly child: AudioChild & { restart(): Promise<void> };
  readonly floor: FloorGate;
  /** Lists playback devices without opening any; bounded in time. */
  readonly listDevices: () => Promise<readonly AudioDevice[]>;
  /** Shows a person at the device whether the microphone is live. */
  readonly indicator: { show(live: boolean): void };
  readonly log: Log;
  /** Monotonic clock in ms, the one of `noteFrame`; `performance.now()` by default. */
  readonly nowMs?: () => number;
  readonly unixMs?: () => number;
}

/** The answer of the API's GET /microphone. */
export interface MicrophoneState extends InputDevice {
  /** Null while nobody holds the microphone. */
  holder: { session: string; heldMs: number } | null;
  connected: boolean;
  live: boolean;
  muted: boolean;
  quality: PresetName;
  effective: MicrophoneSettings;
  device: string;
  peakDbfs: number;
  rmsDbfs: number;
}

export interface InputQuality {
  quality: PresetName;
  effective: MicrophoneSettings;
  presets: Record<PresetName, MicrophoneSettings>;
  applied: Applied;
}

export interface InputMetrics {
  stats: InputStats | null;
  connectionDrops: number;
  lastFrameUnixMs: number;
}

export interface MicrophoneControlEvents {
  /** The floor, mute, `connected`, the device or its condition changed. */
  state: [MicrophoneState];
  /** What browsers should be asked for from now on is in `effective`. */
  quality: [InputQuality];
  /** Once a second while the child runs. */
  metrics: [InputMetrics];
}

interface Holder {
  readonly session: string;
  readonly sinceMs: number;
}

const silenceDbfs = -120;

/**
 * The microphone as the API sees it: who has the floor, mute, quality and device. The floor and mute
 * change at once and are then applied to the child; quality and device are made durable first. Changes
 * reach the child one after another.
 *
 * INVARIANTS: the gate is open for the holder and nobody else; nobody holds it at start-up; a new
 * holder begins unmuted; the indicator shows `live`.
 */
export class MicrophoneControl extends EventEmitter<MicrophoneControlEvents> {
  readonly #options: MicrophoneControlOptions;
  readonly #nowMs: () => number;
  readonly #changes: DurableChanges<InputSettings>;
  readonly #frames: FrameWatch;
  readonly #condition = new InputDeviceCondition();
  #applied: Applied = 'pending';
  #holder: Holder | undefined;
  #muted = false;
  #shownLive = false;
  #stats: InputStats | undefined;

  constructor(options: MicrophoneControlOptions) {
    super();
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#changes = new DurableChanges({
      settings: options.settings,
      apply: () => this.#apply(),
    });
    this.#frames = new FrameWatch({
      nowMs: this.#nowMs,
      unixMs: options.unixMs ?? Date.now,
      onChange: (arriving) => {
        options.log.debug({ arriving }, 'the sound of the microphone’s holder');
        this.#changed();
      },
    });
  }

  /** Frees the microphone for good; what is under way finishes. */
  async close(): Promise<void> {
    this.#release('the device stops');
    await this.#changes.settled();
  }

  status(): MicrophoneState {
    const held = this.#holder !== undefined;
    return {
      holder: this.#holderStatus() ?? null,
      connected: this.#connected(),
      live: this.#live(),
      muted: this.#muted,
      quality: this.#options.settings.current().quality,
      effective: this.#expected(),
      device: this.#device(),
      ...this.#condition.read({ held }),
      peakDbfs: held ? (this.#stats?.peakDbfs ?? silenceDbfs) : silenceDbfs,
      rmsDbfs: held ? (this.#stats?.rmsDbfs ?? silenceDbfs) : silenceDbfs,
    };
  }

  metrics(): InputMetrics {
    return {
      stats: this.#stats ?? null,
      connectionDrops: this.#frames.drops,
      lastFrameUnixMs: this.#frames.lastFrameUnixMs,
    };
  }

  /**
   * Gives the microphone to a viewer's session; does nothing when it holds it. Throws MICROPHONE_HELD
   * while another one does (unless `takeover`), and MICROPHONE_SESSION_UNKNOWN.
   */
  async start(request: {
    readonly session: string;
    readonly takeover: boolean;
  }): Promise<MicrophoneState> {
    const { session, takeover } = request;
    const before = this.#holderStatus();
    if (before?.session === session) return this.status();
    if (before !== undefined && !takeover) {
      throw new EarshotError(
        'MICROPHONE_HELD',
        `Viewer ${before.session} holds the microphone; "takeover" takes it.`,
        { details: { holder: before } },
      );
    }
    if (!this.#options.floor.openMicrophone(session)) {
      throw new EarshotError(
        'MICROPHONE_SESSION_UNKNOWN',
        `There is no viewer session "${session}"; it is the session_id of a WebSocket that is open.`,
        { details: { session } },
      );
    }
    const holder: Holder = { session, sinceMs: this.#nowMs() };
    this.#hold(holder);
    this.#options.log.info({ session, takenFrom: before?.session }, 'the microphone is on');
    try {
      await this.#changes.apply();
    } catch (error) {
      if (this.#holder === holder) this.#release('the child refused');
      throw error;
    }
    return this.status();
  }

  /** Frees the microphone; with a `session` that does not hold it, does nothing. */
  async stop({ session }: { readonly session?: string | undefined }): Promise<MicrophoneState> {
    if (session === undefined || session === this.#holder?.session) this.#release('was stopped');
    await this.#changes.settled();
    return this.status();
  }

  /** A viewer's session ended: what it held is free. */
  sessionClosed(session: string): void {
    if (session === this.#holder?.session) this.#release('its viewer left');
  }

  /** Mutes the holder, or lets it be heard again. Throws MICROPHONE_NOT_HELD. */
  async setMute({ muted }: { readonly muted: boolean }): Promise<MicrophoneState> {
    const holder = this.#holder;
    if (holder === undefined) {
      throw new EarshotError(
        'MICROPHONE_NOT_HELD',
        'Nobody holds the microphone, so there is nothing to mute.',
      );
    }
    if (muted !== this.#muted) {
      this.#muted = muted;
      this.#changed();
      await this.#changes.apply().catch((error: unknown) => {
        if (this.#holder === holder && this.#muted === muted) {
          this.#muted = !muted;
          this.#changed();
        }
        throw error;
      });
    }
    return this.status();
  }

  /** Starts the child anew; the holder keeps the microphone. Throws CHILD_NOT_RUNNING or CHILD_BUSY. */
  reset(): Promise<MicrophoneState> {
    return this.#changes.inTurn(async () => {
      await this.#options.child.restart();
      this.#changed();
      return this.status();
    });
  }

  quality(): InputQuality {
    return {
      quality: this.#options.settings.current().quality,
      effective: this.#expected(),
      presets: { ...microphonePresets },
      applied: this.#applied,
    };
  }

  /** Chooses a preset: what browsers are asked to send. Throws SETTINGS_WRITE_FAILED, state unchanged. */
  setQuality({ quality }: { readonly quality: PresetName }): Promise<InputQuality> {
    return this.#changes.inTurn(async () => {
      await this.#changes.change({ quality });
      const answer = this.quality();
      this.emit('quality', answer);
      this.#changed();
      return answer;
    });
  }

  devices(): Promise<DeviceChoice> {
    return deviceChoice({
      configured: this.#options.board.device,
      current: this.#device(),
      listDevices: this.#options.listDevices,
    });
  }

  /** Plays into another device. Throws AUDIO_DEVICE_UNKNOWN with the state unchanged. */
  setDevice(device: string): Promise<DeviceChoice> {
    return this.#changes.inTurn(async () => {
      const choice = await this.devices();
      assertChoice(device, choice);
      await this.#changes.change({ device });
      this.#changed();
      return { ...choice, current: device };
    });
  }

  /** The child's last numbers, for the metrics; undefined while it does not run. */
  stats(): InputStats | undefined {
    return this.#stats;
  }

  /** What the child starts with. */
  childConfig(): InputConfig {
    const { periodMs, bufferMs } = this.#options.board;
    return {
      device: this.#device(),
      periodMs,
      bufferMs,
      expected: this.#expected(),
      muted: this.#muted,
      active: this.#holder !== undefined,
    };
  }

  /** A packet of the holder is on its way to the child, at `nowMs`. */
  noteFrame(nowMs: number): void {
    if (this.#holder !== undefined) this.#frames.note(nowMs);
  }

  /** The child came up or went away. */
  handleChildRunning(running: boolean): void {
    if (!this.#condition.childRunning(running)) return;
    if (running) this.#takenAtStart();
    else this.#stats = undefined;
    this.#changed();
  }

  /** A `stats` message of the child; one that does not fit its schema is logged and left. */
  handleStats(stats: Readonly<Record<string, unknown>>): void {
    const result = v.safeParse(inputStatsSchema, stats);
    if (!result.success) {
      this.#options.log.warn({ issues: v.flatten(result.issues) }, 'odd stats from audio-input');
      return;
    }
    this.#stats = result.output;
    if (this.#condition.reported(result.output.deviceState)) this.#changed();
    this.emit('metrics', this.metrics());
  }

  /** An `event` message of the child. */
  handleEvent(event: {
    readonly name: string;
    readonly data: Readonly<Record<string, unknown>>;
  }): void {
    if (this.#condition.happened(event)) this.#changed();
  }

  /** A child that starts has what waited for it. */
  #takenAtStart(): void {
    if (this.#applied !== 'pending') return;
    this.#applied = 'live';
    this.emit('quality', this.quality());
  }

  #release(why: string): void {
    const holder = this.#holder;
    if (holder === undefined) return;
    this.#options.floor.openMicrophone(undefined);
    this.#hold(undefined);
    this.#options.log.info({ session: holder.session, why }, 'the microphone is off');
    this.#changes.apply().catch((error: unknown) => {
      this.#options.log.error({ error: messageOf(error) }, 'the device was not closed');
    });
  }

  #hold(holder: Holder | undefined): void {
    const handedOver = this.#holder !== undefined && holder !== undefined;
    this.#holder = holder;
    this.#muted = false;
    this.#frames.restart();
    if (!handedOver) this.#condition.closed();
    this.#changed();
  }

  #changed(): void {
    const live = this.#live();
    if (live !== this.#shownLive) {
      this.#shownLive = live;
      this.#options.indicator.show(live);
    }
    this.emit('state', this.status());
  }

  async #apply(): Promise<void> {
    const { applied } = await this.#options.child.configure(this.childConfig());
    this.#applied = applied;
  }

  #holderStatus(): { session: string; heldMs: number } | undefined {
    if (this.#holder === undefined) return undefined;
    const { session, sinceMs } = this.#holder;
    return { session, heldMs: Math.round(this.#nowMs() - sinceMs) };
  }

  #connected(): boolean {
    return this.#holder !== undefined && this.#frames.arriving;
  }

  #live(): boolean {
    return this.#connected() && !this.#muted;
  }

  #device(): string {
    return this.#options.settings.current().device ?? this.#options.board.device;
  }

  #expected(): MicrophoneSettings {
    return microphonePresets[this.#options.settings.current().quality];
  }
}
