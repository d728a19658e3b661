/** The highest amplitudes of the last few milliseconds, 0–1. */
export interface Peaks {
  left: number;
  right: number;
}

/** Samples an analyser looks back on: 21 ms, a little more than one frame of the display. */
const analyserSamples = 1_024;

/** Measures the sound that is connected to its `input`. Made of analysers alone: it plays nothing. */
export class PeakMeter {
  readonly input: AudioNode;
  readonly #left: AnalyserNode;
  readonly #right: AnalyserNode;
  readonly #peaks: Peaks = { left: 0, right: 0 };
  readonly #samples = new Float32Array(analyserSamples);

  constructor(context: BaseAudioContext) {
    // Up-mixes mono sound to both channels of the meter; a splitter alone would leave the right one dead.
    this.input = new GainNode(context, {
      channelCount: 2,
      channelCountMode: 'explicit',
      channelInterpretation: 'speakers',
    });
    const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    this.#left = new AnalyserNode(context, { fftSize: analyserSamples });
    this.#right = new AnalyserNode(context, { fftSize: analyserSamples });
    this.input.connect(splitter);
    splitter.connect(this.#left, 0);
    splitter.connect(this.#right, 1);
  }

  /** What was heard in the last 21 ms. Reuses its result: called at each frame of the display. */
  peaks(): Peaks {
    this.#peaks.left = this.#peakOf(this.#left);
    this.#peaks.right = this.#peakOf(this.#right);
    return this.#peaks;
  }

  #peakOf(analyser: AnalyserNode): number {
    analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample));
    return peak;
  }
}
