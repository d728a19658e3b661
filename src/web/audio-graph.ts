/** How the host's sound is being played. */
export type Playback =
  | { readonly kind: 'idle' }
  | { readonly kind: 'playing' }
  /** The browser wants the viewer to do something first. */
  | { readonly kind: 'blocked' }
  | { readonly kind: 'failed'; readonly reason: string };

/** The highest amplitudes of the last few milliseconds, 0–1. */
export interface Peaks {
  left: number;
  right: number;
}

/** Samples an analyser looks back on: 21 ms, a little more than one frame of the display. */
const analyserSamples = 1_024;

/**
 * Plays a received stream and measures it.
 *
 * Playout is an audio element on the stream itself, since the browser then pulls from its jitter
 * buffer straight into the sound card; sound that goes through Web Audio on its way out is buffered
 * once more. The meter is a branch beside it that ends in analysers.
 */
export class AudioGraph {
  readonly #element = document.createElement('audio');
  readonly #onPlayback: (playback: Playback) => void;
  readonly #peaks: Peaks = { left: 0, right: 0 };
  readonly #samples = new Float32Array(analyserSamples);
  #meter: Meter | undefined;
  #source: MediaStreamAudioSourceNode | undefined;

  constructor({ onPlayback }: { readonly onPlayback: (playback: Playback) => void }) {
    this.#onPlayback = onPlayback;
    this.#element.onplaying = () => {
      this.#measure();
      this.#onPlayback({ kind: 'playing' });
    };
  }

  /** The stream being played. */
  get stream(): MediaStream | undefined {
    return this.#element.srcObject instanceof MediaStream ? this.#element.srcObject : undefined;
  }

  /** What it is played with: gain 0–1 and mute. */
  get output(): { readonly gain: number; readonly muted: boolean } {
    return { gain: this.#element.volume, muted: this.#element.muted };
  }

  /** Plays `stream` instead of whatever was played. Without one, plays nothing. */
  attach(stream: MediaStream | undefined): void {
    this.#source?.disconnect();
    this.#source = undefined;
    this.#element.srcObject = stream ?? null;
    if (stream === undefined) {
      this.#onPlayback({ kind: 'idle' });
      return;
    }
    void this.play();
  }

  /** Starts what the browser held back; call it from a click or a key press. */
  async play(): Promise<void> {
    // Browsers leave this promise open for as long as the context is blocked.
    if (this.#meter?.context.state === 'suspended') void this.#meter.context.resume();
    if (this.#element.srcObject === null || !this.#element.paused) return;
    try {
      await this.#element.play();
    } catch (error) {
      this.#report(error);
    }
  }

  /** `gain` 0–1. (Safari on phones leaves volume to the phone's own buttons.) */
  setVolume({ gain, muted }: { readonly gain: number; readonly muted: boolean }): void {
    this.#element.volume = gain;
    this.#element.muted = muted;
  }

  /** What was heard in the last 21 ms, before volume and mute; undefined while nothing is measured. Reuses its result: called at each frame of the display. */
  peaks(): Peaks | undefined {
    if (this.#source === undefined || this.#meter?.context.state !== 'running') return undefined;
    this.#peaks.left = this.#peakOf(this.#meter.left);
    this.#peaks.right = this.#peakOf(this.#meter.right);
    return this.#peaks;
  }

  #peakOf(analyser: AnalyserNode): number {
    analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample));
    return peak;
  }

  #report(error: unknown): void {
    const name = error instanceof DOMException ? error.name : '';
    // The stream was replaced before it played; the new one reports for itself.
    if (name === 'AbortError') return;
    this.#onPlayback(
      name === 'NotAllowedError'
        ? { kind: 'blocked' }
        : { kind: 'failed', reason: error instanceof Error ? error.message : String(error) },
    );
  }

  /** Ties the meter to the stream; once it plays, since a context made before the browser allows sound is blocked. */
  #measure(): void {
    const { stream } = this;
    if (stream === undefined || this.#source?.mediaStream === stream) return;
    this.#source?.disconnect();
    this.#meter ??= createMeter();
    this.#source = this.#meter.context.createMediaStreamSource(stream);
    this.#source.connect(this.#meter.input);
  }
}

interface Meter {
  readonly context: AudioContext;
  readonly input: AudioNode;
  readonly left: AnalyserNode;
  readonly right: AnalyserNode;
}

function createMeter(): Meter {
  const context = new AudioContext(silentContextOptions());
  // Up-mixes a mono track to both channels of the meter; a splitter alone would leave the right one dead.
  const input = new GainNode(context, {
    channelCount: 2,
    channelCountMode: 'explicit',
    channelInterpretation: 'speakers',
  });
  const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
  const left = new AnalyserNode(context, { fftSize: analyserSamples });
  const right = new AnalyserNode(context, { fftSize: analyserSamples });
  input.connect(splitter);
  splitter.connect(left, 0);
  splitter.connect(right, 1);
  return { context, input, left, right };
}

/** The meter's context opens no sound card of its own where the browser lets it (Chromium 110+). */
function silentContextOptions(): AudioContextOptions {
  const options = { latencyHint: 'interactive' } as const;
  return 'setSinkId' in AudioContext.prototype
    ? Object.assign({ sinkId: { type: 'none' } }, options)
    : options;
}
