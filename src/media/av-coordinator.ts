import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { AudioDelayTarget } from './av-sync.ts';
import { CalibrationHistory, type CalibrationResult } from './calibration-history.ts';
import { CalibrationRun } from './calibration-run.ts';
import { LiveLag } from './live-lag.ts';
import type { EncodedAudioFrame, EncodedVideoFrame } from './media-types.ts';
import { LiveSegments, type SegmentDiagnostic, segmentMessage } from './segments/live-segments.ts';
import type { SegmentEncoders } from './segments/segment-encoders.ts';
import type { SegmentCounts, SegmentEnd, SegmentReport } from './segments/segment-events.ts';
import { SegmentPipeline } from './segments/segment-pipeline.ts';
import type { AvMessage, DeviceMessage } from './signaling-messages.ts';

/** The viewers, as far as this reaches them. */
export interface AvViewers {
  publishAudio(frame: EncodedAudioFrame): void;
  publishVideo(frame: EncodedVideoFrame): void;
  /** The next live picture builds on one that viewers did not get. */
  requestKeyframe(): void;
  /** Ids of the sessions there are. */
  sessionIds(): readonly string[];
  /** RTP time of the picture captured then as that viewer sees it; undefined when it sees none. */
  videoRtpTime(session: string, captureTimeNs: bigint): number | undefined;
  /** Sends one message on the session's WebSocket. */
  tell(session: string, message: DeviceMessage): void;
}

export interface AvCoordinatorOptions {
  readonly viewers: AvViewers;
  readonly encoders: SegmentEncoders;
  /** Has the host's sound held back by so much from now on. */
  readonly setAudioDelay: (ms: number) => void;
  readonly log: Log;
  readonly nowMs?: () => number;
  readonly unixMs?: () => number;
  /** CLOCK_MONOTONIC, the clock of the captures. */
  readonly nowNs?: () => bigint;
}

/** How sound and picture are kept together, as the API shows it. */
export interface AvStatus {
  /** What the sound is held back by, and where that is heading, ms. */
  readonly audioDelayMs: number;
  readonly targetMs: number;
  /** A calibration runs. */
  readonly calibrating: boolean;
  /** Live packets and pictures that gave way to a clip. */
  readonly displaced: number;
  readonly segments: SegmentCounts;
  readonly viewers: readonly {
    readonly session: string;
    readonly results: readonly CalibrationResult[];
  }[];
}

/** Feedback sooner than this after a viewer's last is not taken: pages send one a second at most. */
const feedbackSpacingMs = 900;

/**
 * Keeps sound and picture together: sends the live streams on, and clips in their place; cuts both into
 * segments that viewers' feedback can name; holds the sound back as that feedback asks; and runs the
 * calibration. The clip's place is taken on each stream by itself: sound alone leaves the picture live.
 */
export class AvCoordinator {
  readonly #options: AvCoordinatorOptions;
  readonly #pipeline: SegmentPipeline;
  readonly #segments = new LiveSegments();
  readonly #delay = new AudioDelayTarget();
  readonly #history = new CalibrationHistory();
  readonly #calibration: CalibrationRun;
  readonly #lastFeedbackMs = new Map<string, number>();
  #clip: Pick<SegmentReport, 'hasSound' | 'hasPicture'> | undefined;
  /**
   * Up to when the clips reach, on the clock of the captures. What was captured before is no longer sent: time
   * that went back would be delay at every viewer for good.
   */
  #clipSoundEndNs = 0n;
  #clipPictureNs = -1n;
  /**
   * How late the live streams are here, by their capture and encoder. A clip is written as it passes; it is
   * dated back by as much, so that to a viewer's jitter buffer it is no other stream.
   */
  readonly #soundLag = new LiveLag();
  readonly #pictureLag = new LiveLag();
  #clipLagNs = { sound: 0n, picture: 0n };
  #calibrating = false;
  #displaced = 0;
  #appliedDelayMs = 0;

  constructor(options: AvCoordinatorOptions) {
    this.#options = options;
    const { viewers, log } = options;
    this.#pipeline = new SegmentPipeline({
      encoders: options.encoders,
      sink: {
        sound: (frame) => this.#clipSound(frame),
        picture: (frame) => this.#clipPicture(frame),
      },
      observer: {
        begun: (report) => this.#clipBegun(report),
        ended: (end) => this.#clipEnded(end),
        marker: (marker) => this.#calibration.markerOut(marker),
        dropped: ({ marker }) => {
          if (marker !== undefined) this.#calibration.markerDropped(marker);
        },
        failed: (error) => log.warn({ error: error.message }, 'a clip could not be sent'),
      },
    });
    this.#calibration = new CalibrationRun({
      pipeline: this.#pipeline,
      soundShiftMs: () => Number(this.#soundLag.ns - this.#pictureLag.ns) / 1e6,
    });
    this.#calibration.on('marker', ({ marker, viewers: asked }) => {
      for (const session of asked) viewers.tell(session, { type: 'av_calibration_marker', marker });
    });
    this.#calibration.on('running', (running) => {
      this.#calibrating = running;
      log.info({ running }, 'sync check');
    });
    this.#calibration.on('failed', (error) => {
      log.warn({ error: error.message }, 'the sync check could not go on');
    });
  }

  /** A packet of the host's sound. */
  liveSound(frame: EncodedAudioFrame): void {
    this.#soundLag.note(frame.captureTimeNs, this.#nowNs());
    if (this.#clip?.hasSound === true || frame.captureTimeNs < this.#clipSoundEndNs) {
      this.#displaced += 1;
      return;
    }
    this.#began(this.#segments.sound(this.#moment(frame)), undefined);
    this.#options.viewers.publishAudio(frame);
  }

  /** A picture of the host's screen. */
  livePicture(frame: EncodedVideoFrame): void {
    this.#pictureLag.note(frame.captureTimeNs, this.#nowNs());
    if (this.#clip?.hasPicture === true || frame.captureTimeNs <= this.#clipPictureNs) {
      this.#displaced += 1;
      return;
    }
    this.#began(this.#segments.picture(this.#moment(frame)), frame.captureTimeNs);
    this.#options.viewers.publishVideo(frame);
  }

  /** The picture's source or size is another: what was measured of the one before says nothing. */
  changeEpoch(): void {
    const epoch = Math.max(this.#segments.epoch, this.#pipeline.epoch) + 1;
    this.#segments.setEpoch(epoch);
    this.#pipeline.setEpoch(epoch);
  }

  /** What a viewer says of its sound and picture. What means nothing is ignored, and counted where it is. */
  receive(session: string, message: AvMessage): void {
    const nowMs = this.#nowMs();
    switch (message.type) {
      case 'av_sync_feedback': {
        const lastMs = this.#lastFeedbackMs.get(session) ?? Number.NEGATIVE_INFINITY;
        if (nowMs - lastMs < feedbackSpacingMs) return;
        this.#lastFeedbackMs.set(session, nowMs);
        const { epoch, delta_ms: deltaMs, excess_ms: excessMs } = message;
        this.#delay.feedback({ viewer: session, epoch, deltaMs, excessMs, nowMs });
        return;
      }
      case 'av_calibration_config':
        this.#calibration.enable(session, message.enabled);
        return;
      case 'av_calibration_result': {
        const { marker, offset_ms: offsetMs, lane } = message;
        if (!this.#calibration.knows(marker)) return;
        const unixMs = (this.#options.unixMs ?? Date.now)();
        this.#history.note(session, { marker, offsetMs, lane, unixMs });
        return;
      }
    }
  }

  sessionClosed(session: string): void {
    this.#lastFeedbackMs.delete(session);
    this.#delay.leave(session);
    this.#calibration.leave(session);
    this.#history.forget(session);
  }

  status(): AvStatus {
    return {
      audioDelayMs: this.#delay.delayMs,
      targetMs: this.#delay.targetMs,
      calibrating: this.#calibrating,
      displaced: this.#displaced,
      segments: this.#pipeline.counts(),
      viewers: this.#history
        .viewers()
        .map((session) => ({ session, results: this.#history.results(session) })),
    };
  }

  /** Ends what is under way; idempotent. */
  async stop(): Promise<void> {
    await this.#calibration.stop();
    await this.#pipeline.close();
  }

  #clipSound(frame: EncodedAudioFrame): void {
    const captureTimeNs = frame.captureTimeNs - this.#clipLagNs.sound;
    this.#clipSoundEndNs = captureTimeNs + (BigInt(frame.samples) * 1_000_000_000n) / 48_000n;
    this.#options.viewers.publishAudio({ ...frame, captureTimeNs });
  }

  #clipPicture(frame: EncodedVideoFrame): void {
    const captureTimeNs = frame.captureTimeNs - this.#clipLagNs.picture;
    this.#clipPictureNs = captureTimeNs;
    this.#began(this.#segments.picture(this.#moment({ captureTimeNs })), captureTimeNs);
    this.#options.viewers.publishVideo({ ...frame, captureTimeNs });
  }

  #clipBegun({ hasSound, hasPicture }: SegmentReport): void {
    this.#clip = { hasSound, hasPicture };
    this.#clipLagNs = { sound: this.#soundLag.ns, picture: this.#pictureLag.ns };
    this.#segments.change('clip');
  }

  #clipEnded({ hasPicture, slipMs }: SegmentEnd): void {
    this.#clip = undefined;
    this.#segments.change('live');
    this.#segments.noteSlip(slipMs);
    // Live pictures build on one that was not sent.
    if (hasPicture) this.#options.viewers.requestKeyframe();
  }

  #moment({ captureTimeNs }: { readonly captureTimeNs: bigint }) {
    return { captureTimeNs, audioDelayMs: this.#delay.delayMs };
  }

  /** A segment begins: the delay moves, and every viewer is told. */
  #began(diagnostic: SegmentDiagnostic | undefined, captureTimeNs: bigint | undefined): void {
    if (diagnostic === undefined) return;
    const { epoch } = diagnostic;
    const audioDelayMs = this.#delay.segment({ epoch, nowMs: this.#nowMs() });
    if (audioDelayMs !== this.#appliedDelayMs) {
      this.#appliedDelayMs = audioDelayMs;
      this.#applyDelay(audioDelayMs);
    }
    const { viewers } = this.#options;
    for (const session of viewers.sessionIds()) {
      const videoRtp =
        captureTimeNs === undefined ? undefined : viewers.videoRtpTime(session, captureTimeNs);
      viewers.tell(session, segmentMessage({ ...diagnostic, audioDelayMs }, videoRtp));
    }
  }

  #applyDelay(ms: number): void {
    try {
      this.#options.setAudioDelay(ms);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'the sound’s delay did not change');
    }
  }

  #nowNs(): bigint {
    return (this.#options.nowNs ?? (() => process.hrtime.bigint()))();
  }

  #nowMs(): number {
    return (this.#options.nowMs ?? (() => performance.now()))();
  }
}
