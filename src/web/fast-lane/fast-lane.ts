import type { FastLaneReport } from '../../media/fast-lane-packets.ts';
import { backoff } from '../backoff.ts';
import type { Peaks } from '../peak-meter.ts';
import type { LaneVia } from './lane-messages.ts';
import type { Volume } from './lane-output.ts';
import { LaneRun, type RunState } from './lane-run.ts';
import { fastLaneObstacle } from './obstacle.ts';

export { fastLaneObstacle };

export type FastLaneState =
  | { readonly kind: 'off' }
  | { readonly kind: 'starting' }
  /** Sound is asked for and played, if audible. `isolated`: worker and worklet share memory. */
  | { readonly kind: 'running'; readonly via: LaneVia; readonly isolated: boolean }
  /** The browser wants the viewer to do something first. */
  | { readonly kind: 'blocked' }
  /** It is tried again by itself after a while, unless this browser cannot do it at all. */
  | { readonly kind: 'failed'; readonly reason: string };

/** How the lane does; every 250 ms. Counts and `Ms` sums are since the lane last began. */
export interface FastLaneNumbers extends FastLaneReport {
  /** When this was so, ms of the Unix epoch. */
  readonly atMs: number;
  /** Sound buffered, comparable with `targetMs`. */
  readonly levelMs: number;
  /** The host is silent, and sends nothing by intent (DTX). */
  readonly isPaused: boolean;
  readonly redundancy: boolean;
  /** What redundancy costs, part of `bitrateKbps`. */
  readonly redundancyKbps: number;
  /** Of all messages with sound. */
  readonly bitrateKbps: number;
  /** From a packet's turn until its sound, −1: unknown. */
  readonly decodeMs: number;
  /** What the browser reports of its way to the sound card, −1: unknown. */
  readonly outputLatencyMs: number;
}

export interface FastLaneOptions {
  readonly onState: (state: FastLaneState) => void;
  readonly onNumbers: (numbers: FastLaneNumbers) => void;
  /** WebSocket address of a session's fast lane. */
  readonly socketUrl: (session: string) => string;
  /** Lookahead of the device's encoder: sound older than its packet's capture time says. */
  readonly encoderDelayMs?: () => number;
  /** The bundles of worker and worklet. */
  readonly urls?: { readonly worker: string; readonly worklet: string };
}

const defaultUrls = {
  worker: '/assets/fast-lane-worker.js',
  worklet: '/assets/fast-lane-worklet.js',
};

/** Lookahead of `restricted-lowdelay` in ms, the least of all (opus_encoder.c). */
const leastEncoderDelayMs = 2.5;

/** Delays between tries after a failure. */
const retryBackoff = { firstMs: 2_000, maxMs: 60_000, jitter: 0.25 } as const;

/** A lane that ran for so long has not the same fault as the last one. */
const soundMs = 10_000;

/**
 * The host's sound beside the browser's jitter buffer: packets of a data channel or a WebSocket, decoded
 * by WebCodecs in a worker and played by an AudioWorklet.
 *
 * INVARIANTS: one run (worker, audio context, links) at most, and none while off or failed.
 */
export class FastLane {
  readonly #options: FastLaneOptions;
  #state: FastLaneState = { kind: 'off' };
  #run: LaneRun | undefined;
  #numbers: FastLaneNumbers | undefined;
  #isWanted = false;
  #retryTimer: number | undefined;
  #retryDelays: Iterator<number> = retries();
  #startedMs = 0;
  #connection: RTCPeerConnection | undefined;
  #session: string | undefined;
  #audible = false;
  #volume: Volume = { gain: 1, muted: false };
  #sinkId = '';
  #reported = { delayMs: -1, isSounding: false };

  constructor(options: FastLaneOptions) {
    this.#options = options;
  }

  get state(): FastLaneState {
    return this.#state;
  }

  /** The state, the last numbers, and what the run knows of its clocks. */
  get diagnostics(): {
    readonly state: FastLaneState;
    readonly numbers: FastLaneNumbers | undefined;
    readonly run: object | undefined;
  } {
    return { state: this.#state, numbers: this.#numbers, run: this.#run?.diagnostics };
  }

  /** The peer connection that the data channel is made on; undefined: there is none. */
  attach(connection: RTCPeerConnection | undefined): void {
    this.#connection = connection;
    this.#run?.attach(connection);
  }

  /** The device's name for this session, which the WebSocket needs; undefined: there is none. */
  setSession(id: string | undefined): void {
    this.#session = id;
    this.#run?.setSession(id);
  }

  /** Asks the device for sound until `stop()`. Resolves when the first try is under way or has failed; the state says the rest. */
  async start(): Promise<void> {
    if (this.#isWanted) return;
    this.#isWanted = true;
    await this.#begin();
  }

  /** Idempotent: the device sends no more sound, and no worker, context or link is left. */
  stop(): void {
    this.#isWanted = false;
    this.#end();
    this.#retryDelays = retries();
    this.#setState({ kind: 'off' });
  }

  /** Cross-fades within 10 ms. */
  setAudible(audible: boolean): void {
    this.#audible = audible;
    this.#run?.setAudible(audible);
  }

  setVolume({ gain, muted }: Volume): void {
    this.#volume = { gain, muted };
    this.#run?.setVolume(this.#volume);
  }

  /** Empty: the browser's default. Rejects when the browser cannot choose, or the device is not there. */
  async setSink(deviceId: string): Promise<void> {
    this.#sinkId = deviceId;
    await this.#run?.setSink(deviceId);
  }

  /** Starts what the browser held back; call it from a click or a key press. */
  resume(): void {
    this.#run?.resume();
  }

  /** What the device is told of the lane that sounds. */
  reportDelay(delayMs: number, isSounding: boolean): void {
    this.#reported = { delayMs, isSounding };
    this.#run?.reportDelay(delayMs, isSounding);
  }

  /** What was heard in the last 21 ms, before volume and mute; undefined while nothing is played. */
  peaks(): Peaks | undefined {
    return this.#run?.peaks();
  }

  /** What is played, before fades and volume, for a listener to connect to; undefined while nothing is. */
  get sound(): AudioNode | undefined {
    return this.#run?.sound;
  }

  async #begin(): Promise<void> {
    this.#setState({ kind: 'starting' });
    const obstacle = await fastLaneObstacle();
    // Stopped, or stopped and started again, meanwhile.
    if (!this.#isWanted || this.#run !== undefined) return;
    if (obstacle !== '') {
      this.#setState({ kind: 'failed', reason: obstacle });
      return;
    }
    this.#startedMs = performance.now();
    let run: LaneRun | undefined;
    try {
      run = new LaneRun({
        urls: this.#options.urls ?? defaultUrls,
        socketUrl: this.#options.socketUrl,
        encoderDelayMs: this.#options.encoderDelayMs ?? (() => leastEncoderDelayMs),
        onState: (state) => this.#setState(state),
        onNumbers: (numbers) => {
          this.#numbers = numbers;
          this.#options.onNumbers(numbers);
        },
        onFailed: (reason) => {
          if (run === undefined || this.#run === run) this.#fail(reason);
        },
      });
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#run = run;
    run.setAudible(this.#audible);
    run.setVolume(this.#volume);
    run.reportDelay(this.#reported.delayMs, this.#reported.isSounding);
    run.setSession(this.#session);
    run.attach(this.#connection);
    // A device that is gone: the default one then, as on the track.
    void run.setSink(this.#sinkId).catch(() => undefined);
    await run.start();
  }

  #fail(reason: string): void {
    this.#end();
    if (performance.now() - this.#startedMs > soundMs) this.#retryDelays = retries();
    this.#retryTimer = window.setTimeout(
      () => void this.#begin(),
      this.#retryDelays.next().value ?? retryBackoff.maxMs,
    );
    this.#setState({ kind: 'failed', reason });
  }

  #end(): void {
    window.clearTimeout(this.#retryTimer);
    this.#run?.stop();
    this.#run = undefined;
    this.#numbers = undefined;
  }

  #setState(state: FastLaneState | RunState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

function retries(): Iterator<number> {
  return backoff({ ...retryBackoff, random: Math.random });
}
