import { type Peaks, StreamMeter } from './stream-meter.ts';

/** How the host's sound is being played. */
export type Playback =
  | { readonly kind: 'idle' }
  | { readonly kind: 'playing' }
  /** The browser wants the viewer to do something first. */
  | { readonly kind: 'blocked' }
  | { readonly kind: 'failed'; readonly reason: string };

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
  readonly #meter = new StreamMeter();

  constructor({ onPlayback }: { readonly onPlayback: (playback: Playback) => void }) {
    this.#onPlayback = onPlayback;
    this.#element.onplaying = () => {
      this.#meter.attach(this.stream);
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
    this.#meter.attach(undefined);
    this.#element.srcObject = stream ?? null;
    if (stream === undefined) {
      this.#onPlayback({ kind: 'idle' });
      return;
    }
    void this.play();
  }

  /** Starts what the browser held back; call it from a click or a key press. */
  async play(): Promise<void> {
    this.#meter.resume();
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

  /** What was heard in the last 21 ms, before volume and mute; undefined while nothing is measured. */
  peaks(): Peaks | undefined {
    return this.#meter.peaks();
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
}
