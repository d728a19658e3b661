import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import { type EncoderSettings, encoderSettingsSchema } from '../encoder-settings.ts';
import { outputPresets, type PresetName, presetNames } from '../presets.ts';
import { type FrameClocks, FrameDelay, type FrameDelayNumbers } from './frame-delay.ts';
import type { OutputConfig } from './output-config.ts';
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

/** Durable settings: `replace` resolves when the new ones would survive a power cut, or throws unchanged. */
export interface OutputSettingsStore {
  current(): OutputSettings;
  replace(settings: OutputSettings): Promise<void>;
}

/** The supervised child, as far as this controls it. */
export interface OutputChild {
  configure(config: Record<string, unknown>): Promise<{
    readonly applied: 'live' | 'restart' | 'pending';
    readonly effective: Readonly<Record<string, unknown>> | undefined;
  }>;
}

export interface AudioDevice {
  readonly id: string;
  readonly description: string;
}

export interface OutputControlOptions {
  readonly board: {
    readonly device: string;
    readonly periodMs: number;
    readonly bufferMs: number;
    readonly maxComplexity: number;
  };
  readonly settings: OutputSettingsStore;
  readonly child: OutputChild;
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
  readonly applied: 'live' | 'restart' | 'pending';
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
  #applied: 'live' | 'restart' | 'pending' = 'pending';
  #running = false;
  #active = false;
  #idleTimer: NodeJS.Timeout | undefined;
  #stats: OutputStats | undefined;
  #deviceState: 'opening' | 'open' = 'opening';
  #deviceError = waitingForChild;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(options: OutputControlOptions) {
    super();
    this.#options = options;
    this.#delay = new FrameDelay(options.clocks);
  }

  /** Ends the timers; what is under way finishes. */
  async stop(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await this.#lastChange.catch(() => undefined);
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
    return this.#inTurn(async () => {
      const custom = request.custom ?? this.#options.settings.current().custom;
      if (request.quality === 'custom' && custom === undefined) {
        throw new EarshotError(
          'QUALITY_INVALID',
          `The quality "custom" needs the encoder settings in "custom", since none were set before; or choose one of ${presetNames.join(', ')}.`,
          { details: { allowed: presetNames } },
        );
      }
      await this.#change({ quality: request.quality, ...(custom && { custom }) });
      const quality = this.quality();
      this.emit('quality', quality);
      return quality;
    });
  }

  mute(): { muted: boolean } {
    return { muted: this.#options.settings.current().muted };
  }

  setMute({ muted }: { readonly muted: boolean }): Promise<{ muted: boolean }> {
    return this.#inTurn(async () => {
      await this.#change({ muted });
      this.emit('mute', { muted });
      return { muted };
    });
  }

  async devices(): Promise<{ current: string; devices: AudioDevice[] }> {
    const current = this.#device();
    const found = await this.#options.listDevices();
    const known = new Map([this.#options.board.device, current].map((id) => [id, 'as configured']));
    for (const { id, description } of found) known.set(id, description);
    return {
      current,
      devices: [...known].map(([id, description]) => ({ id, description })),
    };
  }

  /** Captures from another device. Throws AUDIO_DEVICE_UNKNOWN with the state unchanged. */
  setDevice(device: string): Promise<{ current: string; devices: AudioDevice[] }> {
    return this.#inTurn(async () => {
      const { devices } = await this.devices();
      if (!devices.some(({ id }) => id === device)) {
        throw new EarshotError(
          'AUDIO_DEVICE_UNKNOWN',
          `There is no audio device "${device}"; there are: ${devices.map(({ id }) => id).join(', ')}.`,
          { details: { device, allowed: devices.map(({ id }) => id) } },
        );
      }
      await this.#change({ device });
      return { current: device, devices };
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
      muted: this.#options.settings.current().muted,
      active: this.#active,
    };
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
    if (running) return;
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

  #setDeviceState(state: 'opening' | 'open', error: string): void {
    this.#deviceState = state;
    this.#deviceError = error;
    this.emit('device', { device: this.#device(), state, error });
  }

  #setActive(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    this.#inTurn(() => this.#apply()).catch((error: unknown) => {
      this.#options.log.error({ error: messageOf(error), active }, 'the encoder did not follow');
    });
  }

  /** Makes `change` durable and applies it; when the child refuses it, the settings are put back. */
  async #change(change: Partial<OutputSettings>): Promise<void> {
    const { settings } = this.#options;
    const before = settings.current();
    await settings.replace({ ...before, ...change });
    try {
      await this.#apply();
    } catch (error) {
      await settings.replace(before);
      throw error;
    }
  }

  async #apply(): Promise<void> {
    const { applied, effective } = await this.#options.child.configure(this.childConfig());
    this.#applied = applied;
    const encoder = v.safeParse(encoderSettingsSchema, effective?.['encoder']);
    if (encoder.success && JSON.stringify(encoder.output) !== JSON.stringify(this.#encoder())) {
      this.#options.log.warn({ asked: this.#encoder(), effective }, 'the encoder runs otherwise');
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(action, action);
    this.#lastChange = result.catch(() => undefined);
    return result;
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
