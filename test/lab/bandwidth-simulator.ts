import { BandwidthEstimator } from '../../src/media/bandwidth/bandwidth-estimator.ts';
import { VideoRate } from '../../src/media/bandwidth/video-rate.ts';
import type { TransportFeedback } from '../../src/media/rtcp-read.ts';
import { seededRandom } from './chirp.ts';
import { type LinkSettings, LinkSimulator } from './link-simulator.ts';
import { PacedSender, type Unsent } from './paced-sender.ts';
import { ViewerSimulator, type WirePacket } from './viewer-simulator.ts';

export interface BandwidthScenario {
  readonly seconds: number;
  readonly link: LinkSettings;
  /** How much faster than ours the viewer's clock runs. */
  readonly driftPpm?: number;
  /** Feedback sent now does not come. */
  readonly feedbackLost?: (atMs: number) => boolean;
  /** What comes in place of the feedback. */
  readonly lie?: (feedback: TransportFeedback, atMs: number) => TransportFeedback | undefined;
  /** Share of its bitrate that the encoder uses: a still picture needs next to none. 1 by default. */
  readonly busy?: (atMs: number) => number;
  /** The sender fills up probes with padding. True by default. */
  readonly pads?: boolean;
  readonly estimator?: BandwidthEstimator;
}

export interface BandwidthSample {
  readonly atMs: number;
  readonly targetBps: number;
  readonly videoKbps: number;
  /** Over the 100 ms before. */
  readonly sentBps: number;
  /** The longest of the 100 ms before. */
  readonly queueMs: number;
}

export interface BandwidthRun {
  /** One every 100 ms. */
  readonly samples: readonly BandwidthSample[];
  readonly estimator: BandwidthEstimator;
  readonly shownMs: readonly number[];
  readonly soundDelaysMs: readonly number[];
  readonly soundsSent: number;
  readonly paddingBytes: number;
  readonly sentBytes: number;
}

/** UDP and IPv4, SRTP's tag, RTP with its extensions. */
const overheadBytes = 28 + 16 + 32;
const payloadBytes = 1_160;
const framesPerSecond = 30;
const keyframeBytes = 30_000;
const soundEveryMs = 20;
const soundBytes = 160;
const padEveryMs = 20;
const paceEveryMs = 5;
const feedbackEveryMs = 60;
const reportEveryMs = 1_000;
const sampleEveryMs = 100;
const nackEveryMs = 20;
const wayBackMs = 25;
/** What an encoder takes to follow a new bitrate. */
const encoderMs = 150;

/**
 * A device that sends picture and sound to one viewer over a simulated path, governed by the estimator as
 * the real one is: the picture at 65 % of the target, paced, with repeats on NACK, and padding when asked.
 */
export function simulateBandwidth(scenario: BandwidthScenario): BandwidthRun {
  const simulation = new Simulation(scenario);
  for (let atMs = 0; atMs < scenario.seconds * 1_000; atMs += 1) simulation.step(atMs);
  return simulation.result();
}

class Simulation {
  readonly #scenario: BandwidthScenario;
  readonly #estimator: BandwidthEstimator;
  readonly #rate = new VideoRate();
  readonly #link: LinkSimulator<WirePacket>;
  readonly #viewer: ViewerSimulator;
  readonly #random = seededRandom(7);
  readonly #samples: BandwidthSample[] = [];
  /** What is on its way back, earliest first. */
  readonly #back: { readonly atMs: number; readonly run: (atMs: number) => void }[] = [];
  readonly #pictures: PacedSender;
  #wantsKeyframe = true;
  #sequence = 0;
  #frame = 0;
  #nextFrameMs = 0;
  #encoderKbps: number;
  #soundsSent = 0;
  #sentBytes = 0;
  #paddingBytes = 0;
  #sampleBytes = 0;
  #sampleQueueMs = 0;

  constructor(scenario: BandwidthScenario) {
    this.#scenario = scenario;
    this.#estimator = scenario.estimator ?? new BandwidthEstimator({ maxBps: 1_800_000 / 0.65 });
    this.#link = new LinkSimulator(scenario.link);
    this.#viewer = new ViewerSimulator({ driftPpm: scenario.driftPpm ?? 0 });
    this.#rate.update([this.#estimator.targetBps], -1_000);
    this.#encoderKbps = this.#rate.kbps;
    this.#pictures = new PacedSender({
      overheadBytes,
      targetBps: this.#estimator.targetBps,
      send: (packet, atMs) => this.#send(packet, atMs),
    });
  }

  step(atMs: number): void {
    while ((this.#back[0]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) this.#back.shift()?.run(atMs);
    this.#sendDue(atMs);
    for (const { payload, atMs: arrivedMs } of this.#link.step(atMs)) {
      this.#viewer.receive(payload, arrivedMs);
    }
    this.#answerDue(atMs);
    this.#sampleQueueMs = Math.max(this.#sampleQueueMs, this.#link.queueMs(atMs));
    if (atMs % sampleEveryMs === 0) this.#sample(atMs);
  }

  result(): BandwidthRun {
    return {
      samples: this.#samples,
      estimator: this.#estimator,
      shownMs: this.#viewer.shownMs,
      soundDelaysMs: this.#viewer.soundDelaysMs,
      soundsSent: this.#soundsSent,
      paddingBytes: this.#paddingBytes,
      sentBytes: this.#sentBytes,
    };
  }

  #sendDue(atMs: number): void {
    this.#rate.update([this.#estimator.targetBps], atMs);
    this.#encoderKbps += (this.#rate.kbps - this.#encoderKbps) / encoderMs;
    if (atMs % soundEveryMs === 0) {
      this.#soundsSent += 1;
      this.#send(
        { kind: 'sound', bytes: soundBytes, frame: 0, part: 0, parts: 1, keyframe: false },
        atMs,
      );
    }
    if (this.#pictures.wantsKeyframe(atMs)) this.#wantsKeyframe = true;
    const isDue = atMs >= this.#nextFrameMs;
    if (isDue) this.#sendPicture(atMs);
    if (isDue || atMs % paceEveryMs === 0) {
      this.#pictures.drain(atMs, this.#estimator.targetBps, this.#estimator.queueMs);
    }
    if (atMs % padEveryMs === 0 && (this.#scenario.pads ?? true)) this.#pad(atMs);
  }

  #sendPicture(atMs: number): void {
    this.#nextFrameMs += 1_000 / framesPerSecond;
    const share = this.#scenario.busy?.(atMs) ?? 1;
    const meanBytes = (this.#encoderKbps * 125 * share) / framesPerSecond;
    const keyframe = this.#wantsKeyframe;
    this.#wantsKeyframe = false;
    const bytes = keyframe ? keyframeBytes : meanBytes * (0.7 + 0.6 * this.#random());
    const parts = Math.max(Math.ceil(bytes / payloadBytes), 1);
    const frame = this.#frame;
    this.#frame += 1;
    const packets = Array.from({ length: parts }, (_, part): Unsent => {
      return { kind: 'picture', bytes: bytes / parts, frame, part, parts, keyframe };
    });
    this.#pictures.picture(packets, { atMs, keyframe });
  }

  #pad(atMs: number): void {
    let missing = this.#estimator.paddingBytes(atMs);
    if (this.#pictures.isBusy) return;
    while (missing > 0) {
      this.#send(
        { kind: 'padding', bytes: payloadBytes, frame: 0, part: 0, parts: 1, keyframe: false },
        atMs,
      );
      this.#paddingBytes += payloadBytes + overheadBytes;
      missing -= payloadBytes + overheadBytes;
    }
  }

  #send(packet: Unsent, atMs: number): void {
    const bytes = packet.bytes + overheadBytes;
    const transportSequence = this.#sequence;
    this.#sequence += 1;
    this.#sentBytes += bytes;
    this.#sampleBytes += bytes;
    this.#estimator.packetSent({ transportSequence: transportSequence & 0xffff, bytes, atMs });
    this.#link.send({ ...packet, transportSequence, sentMs: atMs }, bytes, atMs);
  }

  #answerDue(atMs: number): void {
    if (atMs % feedbackEveryMs === 0) this.#sendFeedback(atMs);
    if (atMs > 0 && atMs % reportEveryMs === 0) {
      const fractionLost = this.#viewer.report();
      this.#later(atMs, (nowMs) => this.#estimator.loss({ fractionLost, nowMs }));
    }
    if (atMs % nackEveryMs !== 0) return;
    for (const missing of this.#viewer.missing(atMs)) {
      this.#later(atMs, (nowMs) => {
        const spacingMs = Math.max(this.#estimator.numbers.roundTripMs, nackEveryMs);
        const { queueMs } = this.#estimator;
        this.#pictures.repeat(missing, { atMs: nowMs, spacingMs, queueMs });
      });
    }
    if (this.#viewer.wantsKeyframe(atMs)) {
      this.#later(atMs, () => {
        this.#wantsKeyframe = true;
      });
    }
  }

  #sendFeedback(atMs: number): void {
    const told = this.#viewer.feedback();
    if (told === undefined || this.#scenario.feedbackLost?.(atMs)) return;
    const { lie } = this.#scenario;
    const feedback = lie === undefined ? told : lie(told, atMs);
    if (feedback === undefined) return;
    this.#later(atMs, (nowMs) => this.#estimator.feedback(feedback, nowMs));
  }

  #later(atMs: number, run: (atMs: number) => void): void {
    this.#back.push({ atMs: atMs + wayBackMs, run });
  }

  #sample(atMs: number): void {
    this.#samples.push({
      atMs,
      targetBps: this.#estimator.targetBps,
      videoKbps: this.#rate.kbps,
      sentBps: (this.#sampleBytes * 8_000) / sampleEveryMs,
      queueMs: this.#sampleQueueMs,
    });
    this.#sampleBytes = 0;
    this.#sampleQueueMs = 0;
  }
}
