import {
  type ChildProcessContext,
  ChildProtocol,
  parseConfig,
} from '../../child/child-protocol.ts';
import type { Channel } from '../../ipc/channel.ts';
import type { ControlMessage, MediaMessage } from '../../ipc/messages.ts';
import type {
  OpenPlaybackOptions,
  Playback,
  PlaybackEvent,
  PlaybackSettings,
  PlaybackStats,
} from '../native/playback-binding.ts';
import { type InputConfig, inputConfigSchema } from './input-config.ts';
import {
  InputPlayer,
  type InputPlayerOptions,
  lowWaterMs,
  type PlayerNumbers,
} from './input-player.ts';
import type { InputEvent, InputStats } from './input-stats.ts';

/** A playback, as far as this drives one. */
export type InputPlayback = Pick<
  Playback,
  'write' | 'queued' | 'setDriftPpm' | 'configure' | 'stats' | 'close'
>;

export interface AudioInputOptions extends ChildProcessContext {
  readonly channel: Pick<Channel, 'send'>;
  readonly openPlayback: (options: OpenPlaybackOptions) => InputPlayback;
  readonly openDecoder: () => InputPlayerOptions['decoder'] & { close(): void };
  /** CLOCK_MONOTONIC in ms. */
  readonly nowMs: () => number;
}

/** What the first configuration opens. */
interface Opened {
  readonly playback: InputPlayback;
  readonly player: InputPlayer;
  readonly decoder: { close(): void };
}

/**
 * The audio-input child's part of the protocol: takes configurations and packets, runs one playback, and
 * sends its events and numbers to the main process. Call `tick()` once a second.
 */
export class AudioInput {
  readonly #options: AudioInputOptions;
  readonly #protocol: ChildProtocol<InputConfig>;
  #opened: Opened | undefined;
  #idle = false;
  #xruns = 0;
  #starvations = 0;

  constructor(options: AudioInputOptions) {
    this.#options = options;
    this.#protocol = new ChildProtocol({
      ...options,
      role: 'audio-input',
      library: 'ALSA',
      failure: 'AUDIO_DEVICE_FAILED',
      parse: (fields) => parseConfig(inputConfigSchema, fields),
      open: (config) => this.#open(config),
      configure: (config) => this.#configure(config),
      close: () => this.#close(),
    });
  }

  /** Says hello; from then on the main process drives. */
  start(): void {
    this.#protocol.start();
  }

  /** Ends the playback; idempotent. */
  stop(): void {
    this.#protocol.stop();
  }

  /** Takes a message of the main process. */
  receive(message: ControlMessage): void {
    this.#protocol.receive(message);
  }

  /** Takes a packet; before the first configuration there is nothing to play it. */
  receiveMedia(message: MediaMessage): void {
    this.#opened?.player.receive(message);
  }

  /** Sends what is reported once a second. */
  tick(): void {
    if (this.#opened === undefined) return;
    const { playback, player } = this.#opened;
    const device = playback.stats();
    const numbers = player.numbers();
    const blocked = this.#protocol.watch(device.busyMs);
    const before = this.#starvations;
    const stats = this.#inputStats(device, numbers, blocked);
    player.adapt({ starved: this.#starvations > before });
    this.#options.channel.send('stats', { stats: { ...stats } });
    if (this.#xruns === 0) return;
    const count = this.#xruns;
    this.#xruns = 0;
    this.#event({ name: 'xrun', data: { count } });
    this.#options.log.warn({ xruns: count }, 'the device ran dry');
  }

  #open(config: InputConfig): void {
    const { openDecoder, openPlayback, nowMs } = this.#options;
    const decoder = openDecoder();
    const playback = openPlayback({
      settings: playbackSettings(config),
      onNeed: () => this.#opened?.player.need(),
      onEvent: (event) => this.#report(event),
    });
    const player = new InputPlayer({ decoder, playback, nowMs });
    player.configure(config);
    this.#opened = { playback, player, decoder };
  }

  async #configure(config: InputConfig): Promise<void> {
    const { playback, player } = this.#opened ?? {};
    // A device that is closed says no more whether its host records.
    if (!config.active || config.device !== this.#protocol.config?.device) this.#idle = false;
    player?.configure(config);
    await playback?.configure(playbackSettings(config));
    // Nothing comes any more that would show the player that the device is closed.
    if (!config.active) player?.forgetStream();
  }

  #close(): boolean {
    const opened = this.#opened;
    this.#opened = undefined;
    const ended = opened?.playback.close() ?? true;
    opened?.decoder.close();
    return ended;
  }

  #report(event: PlaybackEvent): void {
    const { log } = this.#options;
    switch (event.name) {
      case 'opened': {
        const { name: _, ...data } = event;
        this.#idle = false;
        this.#opened?.player.forgetDrift();
        log.info(data, 'device opened');
        this.#event({ name: 'device-opened', data });
        break;
      }
      case 'lost': {
        const { name: _, ...data } = event;
        this.#idle = false;
        log.warn(data, 'device lost');
        this.#event({ name: 'device-lost', data });
        break;
      }
      case 'idle': {
        const { name: _, ...data } = event;
        this.#idle = data.idle;
        log.info(data, 'the host records, or rests');
        this.#event({ name: 'device-idle', data });
        break;
      }
      case 'xrun':
        this.#xruns += 1;
        this.#opened?.player.deviceInterrupted();
        break;
      case 'realtime-refused':
        log.warn({ error: event.error }, 'no real-time scheduling');
        this.#event({ name: 'realtime-refused', data: { error: event.error } });
        break;
    }
  }

  #inputStats(playback: PlaybackStats, numbers: PlayerNumbers, blocked: boolean): InputStats {
    const { busyMs: _, ...device } = playback;
    const { endings, ...player } = numbers;
    // The ring runs dry at the end of a stream too; only what was due and did not come is a starvation.
    this.#starvations = Math.max(this.#starvations, playback.starvations - endings);
    const open = playback.deviceRateHz > 0 && !blocked;
    return {
      deviceState: this.#deviceState(open),
      ...device,
      ...player,
      starvations: this.#starvations,
    };
  }

  #deviceState(open: boolean): InputStats['deviceState'] {
    if (this.#protocol.config?.active !== true) return 'closed';
    if (!open) return 'opening';
    return this.#idle ? 'idle' : 'open';
  }

  #event(event: InputEvent): void {
    this.#protocol.event(event);
  }
}

function playbackSettings(config: InputConfig): PlaybackSettings {
  const { device, periodMs, bufferMs, muted, active } = config;
  return { device, periodMs, bufferMs, muted, active, lowWaterMs: lowWaterMs(config) };
}
