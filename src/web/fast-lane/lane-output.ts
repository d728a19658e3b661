import { playedAtMs } from '../output-time.ts';
import { PeakMeter, type Peaks } from '../peak-meter.ts';
import { playoutProcessor, type WorkletCommand, type WorkletOptions } from './lane-messages.ts';

/** The rate of Opus, and of the worklet's clock. */
const sampleRate = 48_000;

/** How long the change from one lane to the other takes. */
const crossFadeS = 0.01;

/** How long a change of volume or mute takes: as quick as it can be without a click. */
const volumeFadeS = 0.005;

/** From the end of the last fade until the context is closed, in ms. */
const closeAfterMs = 50;

export interface Volume {
  /** 0–1. */
  readonly gain: number;
  readonly muted: boolean;
}

export interface LaneOutputOptions {
  readonly workletUrl: string;
  /** Shared memory to the worker, where there is. */
  readonly ring: SharedArrayBuffer | undefined;
  /** Sound is played, or the browser (no longer) lets it. */
  readonly onRunning: (running: boolean) => void;
  /** Sound cannot be played any more. */
  readonly onFailed: (reason: string) => void;
}

/** The audio context of the lane: worklet → lane fade → volume → sound card, with a meter at the worklet. */
export class LaneOutput {
  readonly #options: LaneOutputOptions;
  readonly #context: AudioContext;
  readonly #fade: GainNode;
  readonly #volume: GainNode;
  readonly #meter: PeakMeter;
  #node: AudioWorkletNode | undefined;
  #isAudible = false;

  /** Throws where the browser makes no context of 48 kHz. */
  constructor(options: LaneOutputOptions) {
    this.#options = options;
    // The least there is. 'interactive' has Chromium keep 7 ms more between its renderer and the sound card,
    // which takes 512 frames at a time all the same (docs/decisions/0008).
    this.#context = new AudioContext({ sampleRate, latencyHint: 0 });
    this.#fade = new GainNode(this.#context, { gain: 0 });
    this.#volume = new GainNode(this.#context);
    this.#meter = new PeakMeter(this.#context);
    this.#fade.connect(this.#volume).connect(this.#context.destination);
  }

  /** Loads the worklet; resolves with it connected to the worker's `port`. Rejects when it does not load. */
  async start(port: MessagePort): Promise<void> {
    const { workletUrl, ring, onFailed } = this.#options;
    await this.#context.audioWorklet.addModule(workletUrl);
    if (this.#context.state === 'closed') return;
    const processorOptions: WorkletOptions = { ring };
    const node = new AudioWorkletNode(this.#context, playoutProcessor, {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions,
    });
    node.onprocessorerror = () => onFailed('The player of the fast lane broke down.');
    const connect: WorkletCommand = { type: 'connect', port };
    node.port.postMessage(connect, [port]);
    node.connect(this.#fade);
    node.connect(this.#meter.input);
    this.#node = node;
    this.#context.onstatechange = () => this.#reportState();
    this.#context.addEventListener('error', () => onFailed('The sound output failed.'));
    this.#reportState();
    this.resume();
  }

  /** Idempotent. What sounds is faded out, then the context is closed. */
  stop(): void {
    this.#context.onstatechange = null;
    if (this.#context.state === 'closed') return;
    const audible = this.#isAudible && this.#context.state === 'running';
    this.setAudible(false);
    window.setTimeout(() => void this.#close(), audible ? closeAfterMs : 0);
  }

  setAudible(audible: boolean): void {
    if (audible === this.#isAudible) return;
    this.#isAudible = audible;
    ramp(this.#fade.gain, audible ? 1 : 0, { context: this.#context, seconds: crossFadeS });
  }

  setVolume({ gain, muted }: Volume): void {
    ramp(this.#volume.gain, muted ? 0 : gain, { context: this.#context, seconds: volumeFadeS });
  }

  /** Rejects when the browser cannot choose, or the device is not there. */
  async setSink(deviceId: string): Promise<void> {
    if (choosesSink(this.#context)) {
      if (this.#context.sinkId !== deviceId) await this.#context.setSinkId(deviceId);
    } else if (deviceId !== '') throw new Error('This browser cannot choose the sound output.');
  }

  /** Starts what the browser held back; call it from a click or a key press. */
  resume(): void {
    if (this.#context.state === 'closed') return;
    // Browsers leave this open for as long as they want a gesture first, and reject it when it is closed meanwhile.
    this.#context.resume().catch(() => undefined);
  }

  /** What was heard in the last 21 ms, before volume and mute; undefined while nothing is played. */
  peaks(): Peaks | undefined {
    return this.#context.state === 'running' ? this.#meter.peaks() : undefined;
  }

  /** From a frame's rendering until the sound card plays it, in ms, as the browser reports it; −1: unknown. */
  get outputLatencyMs(): number {
    const seconds: number | undefined = this.#context.outputLatency;
    return seconds === undefined || !(seconds > 0) ? -1 : seconds * 1_000;
  }

  /** Every clock the browser has of its output, for diagnostics. */
  get clocks(): Record<string, number> {
    const { contextTime = -1, performanceTime = -1 } = this.#context.getOutputTimestamp();
    return {
      nowMs: performance.now(),
      currentTime: this.#context.currentTime,
      baseLatency: this.#context.baseLatency,
      outputLatency: this.#context.outputLatency,
      contextTime,
      performanceTime,
    };
  }

  /** When the sound card plays frame number `frame` of the context, in ms of `steadyNowMs`; undefined: unknown. */
  playedAtMs(frame: number): number | undefined {
    const playedMs = playedAtMs(this.#context, frame);
    return playedMs === undefined ? undefined : performance.timeOrigin + playedMs;
  }

  /** What the lane plays, before fades and volume, for a listener to connect to; undefined before there is a player. */
  get sound(): AudioNode | undefined {
    return this.#context.state === 'running' ? this.#node : undefined;
  }

  get state(): string {
    return this.#context.state;
  }

  #reportState(): void {
    this.#options.onRunning(this.#context.state === 'running');
  }

  async #close(): Promise<void> {
    const stop: WorkletCommand = { type: 'stop' };
    this.#node?.port.postMessage(stop);
    this.#node?.port.close();
    this.#node?.disconnect();
    if (this.#context.state !== 'closed') await this.#context.close();
  }
}

function ramp(
  param: AudioParam,
  value: number,
  { context, seconds }: { readonly context: AudioContext; readonly seconds: number },
): void {
  const nowS = context.currentTime;
  param.cancelScheduledValues(nowS);
  param.setValueAtTime(param.value, nowS);
  param.linearRampToValueAtTime(value, nowS + seconds);
}

interface SinkChoice {
  readonly sinkId: unknown;
  setSinkId(deviceId: string): Promise<void>;
}

/** Chromium 110 and later. */
function choosesSink(context: AudioContext): context is AudioContext & SinkChoice {
  return 'setSinkId' in context;
}
