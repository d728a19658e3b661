import { PeakMeter, type Peaks } from './peak-meter.ts';

export type { Peaks };

/** Measures a stream, which it does not play. Its context is made with the first stream: one made before the browser allows sound is blocked. */
export class StreamMeter {
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
    this.#source.connect(this.#meter.peaks.input);
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
    return this.#meter.peaks.peaks();
  }
}

interface Meter {
  readonly context: AudioContext;
  readonly peaks: PeakMeter;
}

function createMeter(): Meter {
  const context = new AudioContext(silentContextOptions());
  return { context, peaks: new PeakMeter(context) };
}

/** The meter's context opens no sound card of its own where the browser lets it (Chromium 110+). */
function silentContextOptions(): AudioContextOptions {
  const options = { latencyHint: 'interactive' } as const;
  return 'setSinkId' in AudioContext.prototype
    ? Object.assign({ sinkId: { type: 'none' } }, options)
    : options;
}
