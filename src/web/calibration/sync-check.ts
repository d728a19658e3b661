import type { Lane } from '../lane-chooser.ts';
import type { SyncReport } from '../session.ts';
import { ChirpListener, type HeardSound } from './chirp-listener.ts';
import { FlashWatch } from './flash-watch.ts';
import { MarkerMatcher, type MarkerOffset } from './marker-matcher.ts';
import { outcomeWords } from './sync-text.ts';

/** A run ends after so many markers, or so long. */
export const markersWanted = 8;
const runMs = 15_000;

/** How often what found no counterpart is given up. */
const tickMs = 250;

/** Offsets kept for the chart: eight runs. */
const historyMax = 8 * markersWanted;

export interface MeasuredOffset {
  readonly offsetMs: number;
  readonly lane: Lane;
}

export interface SyncCheckState {
  readonly running: boolean;
  /** Of the run under way, or the last one. */
  readonly offsets: readonly MeasuredOffset[];
  /** Of all runs since the page was opened, oldest first. */
  readonly history: readonly MeasuredOffset[];
  /** What else there is to say of the last run; empty when nothing. */
  readonly note: string;
}

export const noSyncCheck: SyncCheckState = { running: false, offsets: [], history: [], note: '' };

/** The lane that sounds, and its sound; no sound while nothing is played. */
export interface SoundingLane {
  readonly lane: Lane;
  readonly sound: HeardSound | undefined;
}

export interface SyncCheckOptions {
  readonly sounding: () => SoundingLane;
  readonly report: (report: SyncReport) => void;
  readonly onChange: (state: SyncCheckState) => void;
}

/**
 * Measures how far the displayed picture and the played sound are apart: has the device put a flash and a
 * chirp into the stream, and looks and listens for them.
 *
 * INVARIANT: the device is asked for markers only while a run is under way.
 */
export class SyncCheck {
  readonly #options: SyncCheckOptions;
  #state = noSyncCheck;
  #run: Run | undefined;

  constructor(options: SyncCheckOptions) {
    this.#options = options;
  }

  get state(): SyncCheckState {
    return this.#state;
  }

  /** Begins a run; does nothing while there is one. */
  start(): void {
    if (this.#run !== undefined) return;
    const { lane, sound } = this.#options.sounding();
    this.#set({ offsets: [], note: '' });
    if (sound === undefined) {
      this.#set({ note: 'No sound is played, so there is nothing to compare the picture with.' });
      return;
    }
    const listener = new ChirpListener((playedMs) =>
      this.#measured(this.#run?.matcher.chirp(playedMs)),
    );
    this.#run = {
      lane,
      listener,
      matcher: new MarkerMatcher(),
      flashes: new FlashWatch(),
      endMs: performance.now() + runMs,
      isAsked: false,
      timer: window.setInterval(() => this.#tick(), tickMs),
    };
    this.#set({ running: true });
    void this.#listen(this.#run, sound);
  }

  /** Ends the run, if there is one. `note`: why, where it is not that it is done. */
  stop(note = ''): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    window.clearInterval(run.timer);
    run.listener.stop();
    if (run.isAsked) this.#options.report({ type: 'av_calibration_config', enabled: false });
    const { loneFlashes, loneChirps } = run.matcher.counts;
    const measured = this.#state.offsets.length;
    this.#set({
      running: false,
      note: note || outcomeWords({ measured, loneFlashes, loneChirps }),
    });
  }

  /** The device put a marker in. */
  marker(marker: number): void {
    this.#measured(this.#run?.matcher.marker(marker, performance.now()));
  }

  /** A picture is on the display at `displayedMs`. */
  shown(video: HTMLVideoElement, displayedMs: number): void {
    const run = this.#run;
    if (run?.flashes.look(video) === true) this.#measured(run.matcher.flash(displayedMs));
  }

  /** Asks for markers once somebody listens, so that the first one is not missed. */
  async #listen(run: Run, sound: HeardSound): Promise<void> {
    try {
      await run.listener.start(sound);
    } catch (error) {
      if (this.#run === run) this.stop(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#run !== run) return;
    run.isAsked = true;
    this.#options.report({ type: 'av_calibration_config', enabled: true });
  }

  #measured(offsets: readonly MarkerOffset[] = []): void {
    const { lane } = this.#run ?? {};
    if (lane === undefined) return;
    for (const { marker, offsetMs } of offsets) {
      this.#options.report({
        type: 'av_calibration_result',
        marker,
        offset_ms: Math.round(offsetMs * 10) / 10,
        lane,
      });
      const measured = { offsetMs, lane };
      this.#set({
        offsets: [...this.#state.offsets, measured],
        history: [...this.#state.history, measured].slice(-historyMax),
      });
    }
    if (this.#state.offsets.length >= markersWanted) this.stop();
  }

  #tick(): void {
    const run = this.#run;
    if (run === undefined) return;
    const nowMs = performance.now();
    run.matcher.expire(nowMs);
    if (nowMs >= run.endMs) this.stop();
    else if (this.#options.sounding().lane !== run.lane) {
      this.stop('The sound changed lanes meanwhile; check again.');
    }
  }

  #set(change: Partial<SyncCheckState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange(this.#state);
  }
}

interface Run {
  readonly lane: Lane;
  readonly listener: ChirpListener;
  readonly matcher: MarkerMatcher;
  readonly flashes: FlashWatch;
  readonly endMs: number;
  readonly timer: number;
  /** The device was asked for markers. */
  isAsked: boolean;
}
