import type { SoundNumbers } from '../../audio/playout/sound-playout.ts';
import { backoff, reconnectBackoff } from '../backoff.ts';
import type { Peaks } from '../peak-meter.ts';
import type { FastLaneNumbers } from './fast-lane.ts';
import type { LaneVia, ReceptionNumbers, WorkerCommand, WorkerEvent } from './lane-messages.ts';
import { LaneOutput, type Volume } from './lane-output.ts';
import { LaneTransports } from './lane-transports.ts';
import { soundRingBytes } from './sound-ring.ts';

/** How long the browser may take to play before it counts as blocked: sound cards take a while to open. */
const blockedAfterMs = 500;

/** How long a worker may take to say good-bye to the device. */
const stopDeadlineMs = 500;

/** How long worker and worklet may take to load. */
const loadDeadlineMs = 10_000;

/** A delay beyond this comes of clocks that cannot be compared. */
const plausibleMs = 10_000;

export type RunState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'running'; readonly via: LaneVia; readonly isolated: boolean };

export interface LaneRunOptions {
  readonly urls: { readonly worker: string; readonly worklet: string };
  readonly socketUrl: (session: string) => string;
  readonly encoderDelayMs: () => number;
  readonly onState: (state: RunState) => void;
  readonly onNumbers: (numbers: FastLaneNumbers) => void;
  /** The run is over; `stop()` it. Once at most. */
  readonly onFailed: (reason: string) => void;
}

/** One try of the fast lane, from `start` until it fails or is stopped: a worker, an audio context, and links to the device. */
export class LaneRun {
  readonly #options: LaneRunOptions;
  readonly #ring = sharedRing();
  readonly #output: LaneOutput;
  readonly #worker: Worker;
  readonly #transports: LaneTransports;
  /** Nothing is reported any more. */
  #isOver = false;
  #isStopped = false;
  #isPlaying = false;
  /** The browser had the time it needs to begin. */
  #isOverdue = false;
  #timer: number | undefined;
  #isSounding = false;
  #reception: ReceptionNumbers | undefined;

  /** Throws where the browser refuses an audio context or a worker. */
  constructor(options: LaneRunOptions) {
    this.#options = options;
    this.#worker = new Worker(options.urls.worker);
    try {
      this.#output = new LaneOutput({
        workletUrl: options.urls.worklet,
        ring: this.#ring,
        onRunning: (running) => this.#setPlaying(running),
        onFailed: (reason) => this.#fail(reason),
      });
    } catch (error) {
      this.#worker.terminate();
      throw error;
    }
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerEvent>) => this.#received(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`The fast lane broke down: ${event.message || 'its worker did not load'}.`);
    };
    this.#worker.onmessageerror = () =>
      this.#fail('The fast lane broke down: an unreadable message.');
    this.#transports = new LaneTransports({
      send: (command, transfer) => this.#send(command, transfer),
      socketUrl: options.socketUrl,
      backoff: () => backoff({ ...reconnectBackoff, random: Math.random }),
    });
  }

  get diagnostics(): object {
    return {
      clocks: this.#output.clocks,
      context: this.#output.state,
      via: this.#transports.via,
      isolated: this.#ring !== undefined,
      reception: this.#reception,
    };
  }

  async start(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#send({ type: 'begin', playout: port1, ring: this.#ring }, [port1]);
    this.#transports.start();
    this.#timer = window.setTimeout(
      () => this.#fail('The fast lane did not load in time.'),
      loadDeadlineMs,
    );
    try {
      await this.#output.start(port2);
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      this.#fail(`The player of the fast lane did not load: ${message}`);
    }
    if (this.#isOver) return;
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#isOverdue = true;
      this.#reportState();
    }, blockedAfterMs);
  }

  /** Idempotent: nothing is reported afterwards. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#isOver = true;
    window.clearTimeout(this.#timer);
    this.#transports.stop();
    this.#output.stop();
    const worker = this.#worker;
    const timer = window.setTimeout(() => worker.terminate(), stopDeadlineMs);
    worker.onerror = null;
    worker.onmessageerror = null;
    worker.onmessage = ({ data }: MessageEvent<WorkerEvent>) => {
      if (data.type !== 'stopped') return;
      window.clearTimeout(timer);
      worker.terminate();
    };
    this.#send({ type: 'stop' });
  }

  attach(connection: RTCPeerConnection | undefined): void {
    this.#transports.attach(connection);
  }

  setSession(id: string | undefined): void {
    this.#transports.setSession(id);
  }

  setAudible(audible: boolean): void {
    this.#isSounding = audible;
    this.#output.setAudible(audible);
  }

  setVolume(volume: Volume): void {
    this.#output.setVolume(volume);
  }

  async setSink(deviceId: string): Promise<void> {
    await this.#output.setSink(deviceId);
  }

  resume(): void {
    this.#output.resume();
  }

  reportDelay(delayMs: number, isSounding: boolean): void {
    this.#send({ type: 'delay', delayMs, isSounding });
  }

  peaks(): Peaks | undefined {
    return this.#output.peaks();
  }

  /** As `LaneOutput.sound`. */
  get sound(): AudioNode | undefined {
    return this.#output.sound;
  }

  #send(command: WorkerCommand, transfer: Transferable[] = []): void {
    this.#worker.postMessage(command, transfer);
  }

  #setPlaying(playing: boolean): void {
    if (this.#isOver || playing === this.#isPlaying) return;
    this.#isPlaying = playing;
    // What runs and is stopped was stopped by the browser: only a gesture helps.
    if (!playing) this.#isOverdue = true;
    this.#send({ type: 'audio', running: playing });
    this.#reportState();
  }

  #received(event: WorkerEvent): void {
    switch (event.type) {
      case 'opened':
        this.#transports.opened(event.via);
        this.#reportState();
        break;
      case 'closed':
        this.#transports.closed(event.via);
        this.#reportState();
        break;
      case 'relay':
        this.#transports.relay(event.bytes);
        break;
      case 'numbers':
        this.#reception = event.numbers;
        this.#options.onNumbers(this.#numbersOf(event.numbers));
        break;
      case 'failed':
        this.#fail(event.reason);
        break;
      case 'stopped':
        break;
    }
  }

  #reportState(): void {
    if (this.#isOver) return;
    const { via } = this.#transports;
    if (!this.#isPlaying) this.#options.onState({ kind: this.#isOverdue ? 'blocked' : 'starting' });
    else if (via === undefined) this.#options.onState({ kind: 'starting' });
    else this.#options.onState({ kind: 'running', via, isolated: this.#ring !== undefined });
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onFailed(reason);
  }

  #numbersOf(reception: ReceptionNumbers): FastLaneNumbers {
    const { playout, offsetMs, ...counted } = reception;
    return {
      atMs: Date.now(),
      isSounding: this.#isSounding && this.#isPlaying && playout.playing,
      delayMs: offsetMs === undefined ? -1 : this.#delayMs(playout, offsetMs),
      targetMs: playout.targetMs,
      levelMs: playout.levelMs,
      jitterMs: playout.jitterMs,
      driftPpm: playout.driftPpm,
      concealedMs: playout.concealedSamples / 48,
      underrunMs: playout.underrunSamples / 48,
      outputLatencyMs: this.#output.outputLatencyMs,
      roundTripMs: counted.roundTripMs,
      received: counted.received,
      recovered: counted.recovered,
      lost: counted.lost,
      late: counted.late,
      malformed: counted.malformed,
      isPaused: counted.isPaused,
      redundancy: counted.redundancy,
      redundancyKbps: counted.redundancyKbps,
      bitrateKbps: counted.bitrateKbps,
      decodeMs: counted.decodeMs,
    };
  }

  /** From the host's sound card to this one. */
  #delayMs({ playing, frame, captureTimeUs }: SoundNumbers, offsetMs: number): number {
    const playedMs = this.#output.playedAtMs(frame);
    if (!playing || captureTimeUs < 0 || playedMs === undefined) return -1;
    const delayMs = playedMs + offsetMs - captureTimeUs / 1_000 + this.#options.encoderDelayMs();
    return delayMs >= 0 && delayMs < plausibleMs ? delayMs : -1;
  }
}

/** Memory that worker and worklet share; undefined where the page is not cross-origin isolated. */
function sharedRing(): SharedArrayBuffer | undefined {
  return globalThis.crossOriginIsolated === true
    ? new SharedArrayBuffer(soundRingBytes)
    : undefined;
}
