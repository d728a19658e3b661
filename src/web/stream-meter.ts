/** The highest amplitudes of the last few milliseconds, 0–1. */
export interface Peaks {
  left: number;
  right: number;
}

/** Samples an analyser looks back on: 21 ms, a little more than one frame of the display. */
const analyserSamples = 1_024;

/** Measures a stream, which it does not play. Its context is made with the first stream: one made before the browser allows sound is blocked. */
export class StreamMeter {
  readonly #peaks: Peaks = { left: 0, right: 0 };
  readonly #samples = new Float32Array(analyserSamples);
  #meter: Meter | undefined;
  #source: MediaStreamAudioSourceNode | undefined;

  /** Measures `stream` instead of whatever was measured; without one, nothing. */
  attach(stream: MediaStream | undefined): void {
    if (stream !== undefined && this.#source?.mediaStream === stream) return;
    this.#source?.disconnect();
    this.#source = undefined;
    if (stream === undefined) {
      void this.#meter?.context.suspend();
      return;
    }
    this.#meter ??= createMeter();
    void this.#meter.context.resume();
    this.#source = this.#meter.context.createMediaStreamSource(stream);
    this.#source.connect(this.#meter.input);
  }

  /** Starts what the browser held back; call it from a click or a key press. */
  resume(): void {
    // Browsers leave this promise open for as long as the context is blocked.
    if (this.#source !== undefined && this.#meter?.context.state === 'suspended') {
      void this.#meter.context.resume();
    }
  }

  /** What was heard in the last 21 ms; undefined while nothing is measured. Reuses its result: called at each frame of the display. */
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
