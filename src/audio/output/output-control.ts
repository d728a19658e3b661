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
import { type EncoderSettings, encoderSettingsSchema } from '../encoder-settings.ts';
import { outputPresets, type PresetName, presetNames } from '../presets.ts';
import { type FrameClocks, FrameDelay, type FrameDelayNumbers } from './frame-delay.ts';
import { maxDelayMs, type OutputConfig } from './output-config.ts';
import { type OutputStats, outputStatsSchema } from './output-stats.ts';

/** The names a quality can have; `custom` takes each field within Opus's own ranges. */
export type OutputQualityName = PresetName | 'custom';

/** What of the settings concerns the host's sound. */
export interface OutputSettings {
  readonly quality: OutputQualityName;
  readonly custom?: EncoderSettings | undefined;
  readonly muted: boolean;
  /** ALSA PCM chosen by a person; absent means the configuration's. */
  readonly device?: string | undefined;
}

export interface OutputControlOptions {
  readonly board: {
    readonly device: string;
    readonly periodMs: number;
    readonly bufferMs: number;
    readonly maxComplexity: number;
  };
  readonly settings: DurableSettings<OutputSettings>;
  readonly child: AudioChild;
  /** Lists capture devices without opening any; bounded in time. */
  readonly listDevices: () => Promise<readonly AudioDevice[]>;
  readonly log: Log;
  /** How long the encoder goes on after the last viewer left, in ms. */
  readonly lingerMs?: number;
  readonly clocks?: FrameClocks;
}

export interface OutputQuality {
  readonly quality: OutputQualityName;
  readonly effective: EncoderSettings;
  readonly presets: Record<PresetName, EncoderSettings>;
  readonly applied: Applied;
}

interface DeviceCondition {
  readonly device: string;
  readonly state: 'opening' | 'open';
  readonly error: string;
}

export interface OutputControlEvents {
  quality: [OutputQuality];
  mute: [{ muted: boolean }];
  device: [DeviceCondition];
  metrics: [ReturnType<OutputControl['status']>];
}

const waitingForChild = 'the audio-output process is not running';

/**
 * The host's sound as the API sees it: holds quality, mute and device, makes each change durable,
 * then sends it to the running child. Changes are applied one after another.
 */
export class OutputControl extends EventEmitter<OutputControlEvents> {
  readonly #options: OutputControlOptions;
  readonly #delay: FrameDelay;
  readonly #changes: DurableChanges<OutputSettings>;
  #applied: Applied = 'pending';
  #running = false;
  #active = false;
  #delayMs = 0;
  #trace = false;
  #idleTimer: NodeJS.Timeout | undefined;
  #stats: OutputStats | undefined;
  #deviceState: 'opening' | 'open' = 'opening';
  #deviceError = waitingForChild;

  constructor(options: OutputControlOptions) {
    super();
    this.#options = options;
    this.#delay = new FrameDelay(options.clocks);
    this.#changes = new DurableChanges({
      settings: options.settings,
      apply: () => this.#apply(),
    });
  }

  /** Ends the timers; what is under way finishes. */
  async stop(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await this.#changes.settled();
  }

  quality(): OutputQuality {
    const { quality } = this.#options.settings.current();
    const presets = {
      low: this.#asBoardRuns(outputPresets.low),
      medium: this.#asBoardRuns(outputPresets.medium),
      high: this.#asBoardRuns(outputPresets.high),
      ultra: this.#asBoardRuns(outputPresets.ultra),
    };
    return { quality, effective: this.#encoder(), presets, applied: this.#applied };
  }

  /** Chooses a preset, or `custom` with its settings. Throws QUALITY_INVALID with the state unchanged. */
  setQuality(request: {
    readonly quality: OutputQualityName;
    readonly custom?: EncoderSettings | undefined;
  }): Promise<OutputQuality> {
    return this.#changes.inTurn(async () => {
      const custom = request.custom ?? this.#options.settings.current().custom;
      if (request.quality === 'custom' && custom === undefined) {
        throw new EarshotError(
          'QUALITY_INVALID',
          `The quality "custom" needs the encoder settings in "custom", since none were set before; or choose one of ${presetNames.join(', ')}.`,
          { details: { allowed: presetNames } },
        );
      }
      await this.#changes.change({ quality: request.quality, ...(custom && { custom }) });
      const quality = this.quality();
      this.emit('quality', quality);
      return quality;
    });
  }

  mute(): { muted: boolean } {
    return { muted: this.#options.settings.current().muted };
  }

  setMute({ muted }: { readonly muted: boolean }): Promise<{ muted: boolean }> {
    return this.#changes.inTurn(async () => {
      await this.#changes.change({ muted });
      this.emit('mute', { muted });
      return { muted };
    });
  }

  devices(): Promise<DeviceChoice> {
    return deviceChoice({
      configured: this.#options.board.device,
      current: this.#device(),
      listDevices: this.#options.listDevices,
    });
  }

  /** Captures from another device. Throws AUDIO_DEVICE_UNKNOWN with the state unchanged. */
  setDevice(device: string): Promise<DeviceChoice> {
    return this.#changes.inTurn(async () => {
      const choice = await this.devices();
      assertChoice(device, choice);
      await this.#changes.change({ device });
      // Said by itself: a child that takes one device after another without a fault reports nothing.
      this.#setDeviceState(this.#deviceState, this.#deviceError);
      return { ...choice, current: device };
    });
  }

  status() {
    return {
      quality: this.#options.settings.current().quality,
      effective: this.#encoder(),
      muted: this.#options.settings.current().muted,
      device: this.#device(),
      deviceState: this.#deviceState,
      deviceError: this.#deviceError,
      peakDbfs: this.#stats?.peakDbfs ?? -120,
      rmsDbfs: this.#stats?.rmsDbfs ?? -120,
      xruns: this.#stats?.xruns ?? 0,
      reopens: this.#stats?.reopens ?? 0,
      droppedFrames: this.#stats?.droppedFrames ?? 0,
      encodedFrames: this.#stats?.encodedFrames ?? 0,
      encodedBytes: this.#stats?.encodedBytes ?? 0,
      encodeMeanUs: this.#stats?.encodeMeanUs ?? 0,
      encodeMaxUs: this.#stats?.encodeMaxUs ?? 0,
      ...this.#delay.read(),
    };
  }

  /** How the packets passed through lately, for the metrics. */
  delay(): FrameDelayNumbers {
    return this.#delay.read();
  }

  /** A packet of the child is on its way to the viewers. */
  noteFrame(captureTimeNs: bigint): void {
    this.#delay.note(captureTimeNs);
  }

  /** The child's last numbers, for the metrics; undefined while it does not run. */
  stats(): OutputStats | undefined {
    return this.#stats;
  }

  /** What the child starts with. */
  childConfig(): OutputConfig {
    const { device: _, maxComplexity: __, ...buffering } = this.#options.board;
    return {
      device: this.#device(),
      ...buffering,
      encoder: this.#encoder(),
      delayMs: this.#delayMs,
      muted: this.#options.settings.current().muted,
      active: this.#active,
      trace: this.#trace,
    };
  }

  /** What the sound is held back by, in ms. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /**
   * Holds the sound back by `delayMs` from now on, 0–800 (beyond that 800); the child moves there without a
   * click. It is no setting of a person's, and not kept over a restart. What is no number is ignored.
   */
  setDelay(delayMs: number): void {
    const bounded = Math.min(Math.max(delayMs, 0), maxDelayMs);
    if (Number.isNaN(bounded) || bounded === this.#delayMs) return;
    this.#delayMs = bounded;
    this.#changes.apply().catch((error: unknown) => {
      this.#options.log.error({ error: messageOf(error), delayMs }, 'the delay did not follow');
    });
  }

  /** Whether the child tells when each packet passed it; off unless somebody asks. */
  setTrace(trace: boolean): void {
    if (trace === this.#trace) return;
    this.#trace = trace;
    this.#changes.apply().catch((error: unknown) => {
      this.#options.log.error({ error: messageOf(error), trace }, 'the trace did not follow');
    });
  }

  /** Encodes while somebody listens, and for a while after the last viewer left. */
  setViewers(count: number): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (count > 0) {
      this.#setActive(true);
    } else if (this.#active) {
      this.#idleTimer = setTimeout(() => this.#setActive(false), this.#options.lingerMs ?? 10_000);
      this.#idleTimer.unref();
    }
  }

  /** The child came up or went away. */
  handleChildRunning(running: boolean): void {
    if (running === this.#running) return;
    this.#running = running;
    if (running) {
      this.#takenAtStart();
      return;
    }
    this.#stats = undefined;
    this.#setDeviceState('opening', waitingForChild);
  }

  /** A `stats` message of the child; one that does not fit its schema is logged and left. */
  handleStats(stats: Readonly<Record<string, unknown>>): void {
    const result = v.safeParse(outputStatsSchema, stats);
    if (!result.success) {
      this.#options.log.warn({ issues: v.flatten(result.issues) }, 'odd stats from audio-output');
      return;
    }
    this.#stats = result.output;
    this.emit('metrics', this.status());
  }

  /** An `event` message of the child. */
  handleEvent({ name, data }: { name: string; data: Readonly<Record<string, unknown>> }): void {
    if (name === 'device-opened') this.#setDeviceState('open', '');
    if (name === 'device-lost') this.#setDeviceState('opening', String(data['error'] ?? ''));
  }

  /** A child that starts has what waited for it. */
  #takenAtStart(): void {
    if (this.#applied !== 'pending') return;
    this.#applied = 'live';
    this.emit('quality', this.quality());
  }

  #setDeviceState(state: 'opening' | 'open', error: string): void {
    this.#deviceState = state;
    this.#deviceError = error;
    this.emit('device', { device: this.#device(), state, error });
  }

  #setActive(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    this.#changes.apply().catch((error: unknown) => {
      this.#options.log.error({ error: messageOf(error), active }, 'the encoder did not follow');
    });
  }

  async #apply(): Promise<void> {
    const { applied, effective } = await this.#options.child.configure(this.childConfig());
    this.#applied = applied;
    const encoder = v.safeParse(encoderSettingsSchema, effective?.['encoder']);
    if (encoder.success && JSON.stringify(encoder.output) !== JSON.stringify(this.#encoder())) {
      this.#options.log.warn({ asked: this.#encoder(), effective }, 'the encoder runs otherwise');
    }
  }

  #device(): string {
    return this.#options.settings.current().device ?? this.#options.board.device;
  }

  #encoder(): EncoderSettings {
    const { quality, custom } = this.#options.settings.current();
    const chosen = quality === 'custom' ? custom : outputPresets[quality];
    return this.#asBoardRuns(chosen ?? outputPresets.medium);
  }

  #asBoardRuns(settings: EncoderSettings): EncoderSettings {
    const { maxComplexity } = this.#options.board;
    return { ...settings, complexity: Math.min(settings.complexity, maxComplexity) };
  }
}
