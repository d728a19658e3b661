import type { FastLane } from './fast-lane/fast-lane.ts';
import type { Lane } from './lane-chooser.ts';
import { LaneSwitch } from './lane-switch.ts';
import { type Peaks, StreamMeter } from './stream-meter.ts';

/** How the host's sound is being played. */
export type Playback =
  | { readonly kind: 'idle' }
  | { readonly kind: 'playing' }
  /** The browser wants the viewer to do something first. */
  | { readonly kind: 'blocked' }
  | { readonly kind: 'failed'; readonly reason: string };

/** The output of the fast lane. */
export type FastOutput = Pick<
  FastLane,
  'setAudible' | 'setVolume' | 'setSink' | 'resume' | 'peaks'
>;

export interface AudioGraphOptions {
  readonly fast: FastOutput;
  /** How the track is being played; it is played while the other lane sounds, too. */
  readonly onPlayback: (playback: Playback) => void;
}

/**
 * Plays the host's sound, by one of its two lanes at a time, and measures it.
 *
 * The track's playout is an audio element on the stream itself, since the browser then pulls from its
 * jitter buffer straight into the sound card; sound that goes through Web Audio on its way out is
 * buffered once more. The meter is a branch beside it that ends in analysers. While the fast lane
 * sounds the element plays on, muted, so that it can take over at once.
 */
export class AudioGraph {
  readonly #element = document.createElement('audio');
  readonly #fast: FastOutput;
  readonly #onPlayback: (playback: Playback) => void;
  readonly #meter = new StreamMeter();
  readonly #switch: LaneSwitch;
  #volume = { gain: 1, muted: false };
  #trackAudible = true;

  constructor({ fast, onPlayback }: AudioGraphOptions) {
    this.#fast = fast;
    this.#onPlayback = onPlayback;
    this.#switch = new LaneSwitch({
      setFastAudible: (audible) => fast.setAudible(audible),
      setTrackAudible: (audible) => {
        this.#trackAudible = audible;
        this.#applyVolume();
      },
      later: (delayMs, action) => {
        const timer = window.setTimeout(action, delayMs);
        return () => window.clearTimeout(timer);
      },
    });
    this.#element.onplaying = () => {
      this.#meter.attach(this.stream);
      this.#onPlayback({ kind: 'playing' });
    };
  }

  /** The track's stream. */
  get stream(): MediaStream | undefined {
    return this.#element.srcObject instanceof MediaStream ? this.#element.srcObject : undefined;
  }

  /** What the lane that sounds is played with: gain 0–1 and mute. */
  get output(): { readonly gain: number; readonly muted: boolean } {
    if (this.#switch.lane === 'fast') return this.#volume;
    return { gain: this.#element.volume, muted: this.#element.muted };
  }

  /** Plays `stream` instead of whatever the track was. Without one, the track plays nothing. */
  attach(stream: MediaStream | undefined): void {
    this.#meter.attach(undefined);
    this.#element.srcObject = stream ?? null;
    if (stream === undefined) {
      this.#onPlayback({ kind: 'idle' });
      return;
    }
    void this.#playTrack();
  }

  /** From now on this lane sounds, and the other does not; without a gap. */
  setLane(lane: Lane): void {
    this.#switch.set(lane);
  }

  /** Starts what the browser held back, on both lanes; call it from a click or a key press. */
  async play(): Promise<void> {
    await Promise.all([this.#fast.resume(), this.#playTrack()]);
  }

  /** `gain` 0–1. (Safari on phones leaves the volume of the track to the phone's own buttons.) */
  setVolume(volume: { readonly gain: number; readonly muted: boolean }): void {
    this.#volume = volume;
    this.#fast.setVolume(volume);
    this.#applyVolume();
  }

  /** Plays the track on another output; empty for the default. Rejects as `HTMLMediaElement.setSinkId` does. */
  async setTrackSink(deviceId: string): Promise<void> {
    if ('setSinkId' in this.#element) await this.#element.setSinkId(deviceId);
  }

  /** What was heard in the last 21 ms, before volume and mute; undefined while nothing is measured. */
  peaks(): Peaks | undefined {
    return this.#switch.lane === 'fast' ? this.#fast.peaks() : this.#meter.peaks();
  }

  #applyVolume(): void {
    this.#element.volume = this.#volume.gain;
    this.#element.muted = this.#volume.muted || !this.#trackAudible;
  }

  async #playTrack(): Promise<void> {
    this.#meter.resume();
    if (this.#element.srcObject === null || !this.#element.paused) return;
    try {
      await this.#element.play();
    } catch (error) {
      this.#report(error);
    }
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
