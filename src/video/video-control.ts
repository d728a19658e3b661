import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { messageOf } from '../errors/earshot-error.ts';
import type { VideoCodec } from '../ipc/video-codec.ts';
import type { Log } from '../log/log.ts';
import { codecOf, type EncoderChoice, type VideoConfig, videoEncoders } from './video-config.ts';
import {
  type VideoSignal,
  type VideoStats,
  videoEventSchemas,
  videoStatsSchema,
} from './video-stats.ts';
import type { VideoStatus } from './video-status.ts';

/** The supervised video child, as far as this drives it. */
export interface VideoChildHandle {
  configure(config: Record<string, unknown>): Promise<unknown>;
}

/** The `video` section of the configuration file, with a device. */
export interface VideoBoard {
  readonly device: string;
  readonly encoder: EncoderChoice;
  readonly framesPerSecond: number;
  readonly maxWidth: number;
  readonly maxHeight: number;
  readonly minKbps: number;
  readonly maxKbps: number;
}

export interface VideoControlOptions {
  readonly board: VideoBoard;
  readonly child: VideoChildHandle;
  readonly log: Log;
  /** How long the capture goes on after the last viewer left, in ms. */
  readonly lingerMs?: number;
}

export interface VideoControlEvents {
  /** The signal, its reason, the codec or the size changed. */
  status: [VideoStatus];
  /** Once a second. */
  metrics: [VideoStatus];
  /** The codec is known, or another: offers carry it from now on. */
  codec: [VideoCodec];
}

const waitingForChild = 'the video process is not running';

/**
 * The host's picture as the media path and the API see it: wants it while somebody watches, asks for
 * keyframes and bitrates, and tells what comes of it. What changes at once reaches the child as one.
 */
export class VideoControl extends EventEmitter<VideoControlEvents> {
  readonly #options: VideoControlOptions;
  #bitrateKbps: number;
  #keyframes = 0;
  #active = false;
  #idleTimer: NodeJS.Timeout | undefined;
  #running = false;
  #codec: VideoCodec | undefined;
  #signal: VideoSignal = 'opening';
  #reason = waitingForChild;
  #size = { width: 0, height: 0 };
  #stats: VideoStats | undefined;
  /** What the child has is not what it should have. */
  #changed = false;
  #applying: Promise<void> | undefined;

  constructor(options: VideoControlOptions) {
    super();
    this.#options = options;
    this.#bitrateKbps = options.board.maxKbps;
    const chosen = videoEncoders.find((encoder) => encoder === options.board.encoder);
    this.#codec = chosen && codecOf(chosen);
  }

  /** Ends the timer; what is under way finishes. */
  async stop(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await this.#applying;
  }

  /** What pictures are encoded in; undefined until the child said what `auto` became. */
  get codec(): VideoCodec | undefined {
    return this.#codec;
  }

  /** What the child starts with. */
  childConfig(): VideoConfig {
    const { minKbps: _, maxKbps: __, ...board } = this.#options.board;
    return {
      ...board,
      bitrateKbps: this.#bitrateKbps,
      keyframes: this.#keyframes,
      active: this.#active,
    };
  }

  /** Captures while somebody watches, and for a while after the last viewer left. */
  setViewers(viewers: number): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (viewers > 0) {
      this.#setActive(true);
    } else if (this.#active) {
      this.#idleTimer = setTimeout(() => this.#setActive(false), this.#options.lingerMs ?? 10_000);
      this.#idleTimer.unref();
    }
  }

  /** What the slowest viewer's connection carries; kept within the configured bounds. */
  setBitrate(kbps: number): void {
    const { minKbps, maxKbps } = this.#options.board;
    const bounded = Math.round(Math.min(maxKbps, Math.max(minKbps, kbps)));
    if (bounded === this.#bitrateKbps || Number.isNaN(bounded)) return;
    this.#bitrateKbps = bounded;
    this.#apply();
  }

  /** A viewer lacks a picture to begin with. Who asks keeps the requests apart (`src/media/keyframe-requests.ts`). */
  requestKeyframe(): void {
    this.#keyframes += 1;
    this.#apply();
  }

  /** The child came up or went away. */
  handleChildRunning(running: boolean): void {
    if (running === this.#running) return;
    this.#running = running;
    if (running) {
      // What it said of its device came before.
      if (this.#reason === waitingForChild) this.#reason = '';
    } else {
      this.#stats = undefined;
      this.#signal = 'opening';
      this.#reason = waitingForChild;
      this.#size = { width: 0, height: 0 };
    }
    this.#statusChanged();
  }

  /** A `stats` message of the child; one that does not fit its schema is logged and left. */
  handleStats(stats: Readonly<Record<string, unknown>>): void {
    const result = v.safeParse(videoStatsSchema, stats);
    if (!result.success) {
      this.#options.log.warn({ issues: v.flatten(result.issues) }, 'odd stats from video');
      return;
    }
    this.#stats = result.output;
    this.emit('metrics', this.status());
  }

  /** An `event` message of the child; what is odd is logged and left. */
  handleEvent({ name, data }: { name: string; data: Readonly<Record<string, unknown>> }): void {
    if (name !== 'encoder' && name !== 'format' && name !== 'signal') return;
    const event = v.safeParse(videoEventSchemas[name], data);
    if (!event.success) {
      this.#options.log.warn({ name, data }, 'odd event from video');
      return;
    }
    if ('encoder' in event.output) this.#setCodec(event.output.codec);
    else if ('signal' in event.output) this.#setSignal(event.output);
    else this.#setSize(event.output);
  }

  status(): VideoStatus {
    const stats = this.#stats;
    return {
      signal: this.#signal,
      reason: this.#reason,
      device: this.#options.board.device,
      codec: this.#codec ?? null,
      ...this.#size,
      framesPerSecond: stats?.framesPerSecond ?? 0,
      bitrateKbps: this.#bitrateKbps,
      measuredKbps: stats?.measuredKbps ?? 0,
      keyframes: stats?.keyframes ?? 0,
      framesEncoded: stats?.framesEncoded ?? 0,
      framesDropped: stats?.framesDropped ?? 0,
      encodeMeanMs: stats?.encodeMeanMs ?? 0,
      encodeMaxMs: stats?.encodeMaxMs ?? 0,
      captureToEncodedMs: stats?.captureToEncodedMs ?? 0,
    };
  }

  /** The child's last numbers, for the metrics; undefined while it does not run. */
  stats(): VideoStats | undefined {
    return this.#stats;
  }

  #setCodec(codec: VideoCodec): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    this.emit('codec', codec);
    this.#statusChanged();
  }

  #setSignal({ signal, reason }: Pick<VideoStatus, 'signal' | 'reason'>): void {
    this.#signal = signal;
    this.#reason = reason;
    this.#statusChanged();
  }

  #setSize({ width, height }: Pick<VideoStatus, 'width' | 'height'>): void {
    this.#size = { width, height };
    this.#statusChanged();
  }

  #statusChanged(): void {
    this.emit('status', this.status());
  }

  #setActive(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    this.#apply();
  }

  /** Sends the newest configuration; while one is under way, what changes waits and goes as one. */
  #apply(): void {
    this.#changed = true;
    this.#applying ??= this.#applyAll();
  }

  async #applyAll(): Promise<void> {
    while (this.#changed) {
      this.#changed = false;
      try {
        await this.#options.child.configure(this.childConfig());
      } catch (error) {
        this.#options.log.error({ error: messageOf(error) }, 'the video child did not follow');
      }
    }
    this.#applying = undefined;
  }
}
