import { AvSync, type BufferTimes, PoisonedPath } from '../av-sync.ts';
import { type SoundingLane, SyncCheck } from '../calibration/sync-check.ts';
import type { SyncNotice, SyncReport } from '../session.ts';
import { readStats, type StatsReport, type StatsSnapshot, statsBetween } from '../stats.ts';
import {
  readVideoStats,
  type VideoNumbers,
  type VideoSnapshot,
  videoBetween,
} from '../video-stats.ts';
import { noPicture, type PictureState } from './picture-state.ts';

/** Without a new picture for so long it stands still, as far as a person is concerned. */
const stillAfterMs = 1_500;

type SegmentNotice = Extract<SyncNotice, { type: 'av_segment_diagnostic' }>;

export interface PictureOptions {
  /** The connection to measure. */
  readonly connection: () => RTCPeerConnection | undefined;
  /** The lane that sounds; for the fast one, what it holds buffered in ms (−1: unknown). */
  readonly sounding: () => SoundingLane & { readonly fastLevelMs: number };
  readonly report: (report: SyncReport) => void;
  /** Picture and sound went apart for good: the media path is to be built anew. */
  readonly onPoisoned: () => void;
  readonly onChange: (state: PictureState) => void;
}

interface Snapshots {
  readonly sound: StatsSnapshot | undefined;
  readonly video: VideoSnapshot | undefined;
}

/** Shows the host's picture and measures it, against the sound too. */
export class Picture {
  /** Shows the picture, and nothing of the sound. */
  readonly element = document.createElement('video');
  readonly #options: PictureOptions;
  readonly #check: SyncCheck;
  readonly #sync = new AvSync();
  readonly #poisoned = new PoisonedPath();
  #state = noPicture;
  #lastPictureMs = 0;
  /** At the last report, and at the beginning of the segment. */
  #last: Snapshots | undefined;
  #segmentBegan: Snapshots | undefined;
  /** Segments are worked off one after the other: their statistics are asked for. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: PictureOptions) {
    this.#options = options;
    this.element.muted = true;
    this.element.playsInline = true;
    this.element.autoplay = true;
    this.element.disablePictureInPicture = true;
    this.#check = new SyncCheck({
      sounding: options.sounding,
      report: options.report,
      onChange: (check) => this.#set({ check }),
    });
    this.#nextPicture();
  }

  get state(): PictureState {
    return this.#state;
  }

  /** Shows `stream` instead of whatever was shown. */
  attach(stream: MediaStream | undefined): void {
    this.element.srcObject = stream ?? null;
    this.#last = undefined;
    this.#segmentBegan = undefined;
    this.#sync.reset();
    this.#check.stop('The connection was lost meanwhile; check again.');
    this.#set({ ...noPicture, check: this.#check.state });
    // Muted: no browser holds it back; one that is told to save power plays it at the next gesture.
    if (stream !== undefined) this.element.play().catch(() => undefined);
  }

  checkSync(): void {
    this.#check.start();
  }

  /** The page is left. */
  stop(): void {
    this.#check.stop('The page was left.');
    this.attach(undefined);
  }

  /** The statistics of another second. */
  received(report: StatsReport): void {
    const snapshots = snapshotsOf(report);
    const before = this.#last;
    this.#last = snapshots;
    const { video } = snapshots;
    if (before?.video === undefined || video === undefined) return;
    const nowMs = performance.now();
    const numbers = videoBetween(before.video, video);
    // A page in the background shows no pictures, and they are decoded all the same.
    if ((video.framesDecoded ?? 0) > (before.video.framesDecoded ?? 0)) this.#lastPictureMs = nowMs;
    const stillMs = nowMs - this.#lastPictureMs;
    this.#set({
      numbers,
      shown: this.#state.shown || (video.framesDecoded ?? 0) > 0,
      stillMs: stillMs >= stillAfterMs ? stillMs : 0,
    });
    // The media path's own sound: that of the fast lane says nothing of it.
    const audioMs = trackBufferMs(before, snapshots);
    if (this.#poisoned.poll({ videoMs: numbers.jitterBufferMs, audioMs }, nowMs)) {
      this.#options.onPoisoned();
    }
  }

  /** The device said something of picture and sound. */
  notice(notice: SyncNotice): void {
    if (notice.type === 'av_calibration_marker') this.#check.marker(notice.marker);
    else this.#work = this.#work.then(() => this.#segment(notice));
  }

  async #segment(notice: SegmentNotice): Promise<void> {
    const connection = this.#options.connection();
    const report = await connection?.getStats().catch(() => undefined);
    // Closed, or another one, meanwhile.
    if (report === undefined || connection !== this.#options.connection()) return;
    const snapshots = snapshotsOf(report);
    const times = this.#timesSince(this.#segmentBegan, snapshots);
    this.#segmentBegan = snapshots;
    const { epoch, segment, video_rtp: videoRtp, audio_delay_ms: audioDelayMs } = notice;
    const done = this.#sync.begin({ epoch, segment, videoRtp }, times, performance.now());
    this.#set({ audioDelayMs, deltaMs: done === undefined ? this.#state.deltaMs : done.deltaMs });
    if (done?.isLate !== true || done.deltaMs === undefined) return;
    this.#options.report({
      type: 'av_sync_feedback',
      kind: 'video_late_audio_leads',
      epoch: done.epoch,
      segment: done.segment,
      delta_ms: done.deltaMs,
      excess_ms: done.excessMs ?? 0,
      lane: this.#options.sounding().lane,
    });
  }

  /** Times in the buffers since `before`, the sound's of the lane that sounds. */
  #timesSince(before: Snapshots | undefined, after: Snapshots): BufferTimes {
    const numbers: VideoNumbers | undefined =
      before?.video === undefined || after.video === undefined
        ? undefined
        : videoBetween(before.video, after.video);
    const { lane, fastLevelMs } = this.#options.sounding();
    const fastMs = fastLevelMs >= 0 ? fastLevelMs : undefined;
    return {
      videoMs: numbers?.jitterBufferMs,
      audioMs: lane === 'fast' ? fastMs : trackBufferMs(before, after),
    };
  }

  #nextPicture(): void {
    if (!('requestVideoFrameCallback' in this.element)) return;
    this.element.requestVideoFrameCallback((_now, { expectedDisplayTime, rtpTimestamp }) => {
      this.#nextPicture();
      this.#lastPictureMs = performance.now();
      if (rtpTimestamp !== undefined) this.#sync.shown(rtpTimestamp, expectedDisplayTime);
      this.#check.shown(this.element, expectedDisplayTime);
      if (!this.#state.shown || this.#state.stillMs > 0) this.#set({ shown: true, stillMs: 0 });
    });
  }

  #set(change: Partial<PictureState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange(this.#state);
  }
}

function snapshotsOf(report: StatsReport): Snapshots {
  return { sound: readStats(report), video: readVideoStats(report) };
}

function trackBufferMs(before: Snapshots | undefined, after: Snapshots): number | undefined {
  if (before?.sound === undefined || after.sound === undefined) return undefined;
  return statsBetween(before.sound, after.sound).jitterBufferMs;
}
