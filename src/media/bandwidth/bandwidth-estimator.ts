import type { TransportFeedback } from '../rtcp-read.ts';
import { Aimd, type BandwidthState } from './aimd.ts';
import { ArrivalClock } from './arrival-clock.ts';
import type { BandwidthCounts, BandwidthNumbers } from './bandwidth-numbers.ts';
import { BandwidthProbe } from './bandwidth-probe.ts';
import { LossController } from './loss-controller.ts';
import { OveruseDetector, type Usage } from './overuse-detector.ts';
import { PacketGroups } from './packet-groups.ts';
import { ProbeSchedule } from './probe-schedule.ts';
import { QueueDelay } from './queue-delay.ts';
import { RateWindow } from './rate-window.ts';
import { type SentPacket, SentPackets } from './sent-packets.ts';
import { Trendline } from './trendline.ts';

export type { BandwidthState } from './aimd.ts';
export type { BandwidthCounts, BandwidthNumbers } from './bandwidth-numbers.ts';
export type { SentPacket } from './sent-packets.ts';

export interface BandwidthOptions {
  /** Before anything is known, in bit/s. 1,000,000 by default, or `maxBps` where that is less. */
  readonly startBps?: number;
  /** 150,000 by default, or `maxBps` where that is less. */
  readonly minBps?: number;
  /** What is of use: nothing is looked for beyond it. 5,000,000 by default. */
  readonly maxBps?: number;
}

/** Arrivals lie within it of their feedback's reference time. */
const furthestArrivalUs = 10_000_000;
/** What a full path carried is believed for so long: longer than from one probe to the next. */
const capacityMs = 7_500;
/** A queue so long has to go before there is more. */
const longQueueMs = 100;
/** Where so much less comes through than is offered, and the queue is so long, the trend is not waited for. */
const fillingQueueMs = 50;
const throughShare = 0.75;
/** Where a packet waited for less there is no queue: what a radio held up for a moment, and let go, is none. */
const standingQueueMs = 10;
/** After a probe its queue drains for so long, and the time of a round trip. */
const drainMs = 250;
/** No word of what is sent for so long: less is sent, again and again. */
const silenceMs = 2_000;
const silenceEveryMs = 1_000;
const silenceFactor = 0.8;
const roundTripWeight = 0.2;

/**
 * How much a viewer's path carries: Google congestion control (draft-ietf-rmcat-gcc-02) from transport-wide
 * feedback, with the delay's trend in place of the Kalman filter, and padding probes, since the picture uses
 * less than there is. Pure: time comes in with the calls. A viewer is not trusted: what it says of packets never
 * sent, twice, or of times that cannot be, is counted and ignored.
 *
 * INVARIANTS: `targetBps` is a number within the range, whatever is fed in; nothing is allocated a packet.
 */
export class BandwidthEstimator {
  readonly counts: BandwidthCounts = {
    feedbacks: 0,
    feedbacksRefused: 0,
    unknownPackets: 0,
    repeatedPackets: 0,
    absurdArrivals: 0,
    probes: 0,
    probesFull: 0,
  };
  readonly #minBps: number;
  readonly #maxBps: number;
  readonly #sent = new SentPackets();
  readonly #clock = new ArrivalClock();
  readonly #groups = new PacketGroups();
  readonly #trendline = new Trendline();
  readonly #detector = new OveruseDetector();
  readonly #acknowledged = new RateWindow();
  readonly #offered = new RateWindow();
  readonly #queue = new QueueDelay();
  readonly #aimd: Aimd;
  readonly #loss = new LossController();
  readonly #probe = new BandwidthProbe();
  readonly #schedule = new ProbeSchedule();
  #roundTripMs = -1;
  #queueMs = 0;
  /** Of the packets of the last feedback. */
  #shortestQueueMs = 0;
  #heardMs = Number.NaN;
  #silenceCutMs = 0;
  #drainedMs = Number.NEGATIVE_INFINITY;

  /** Throws a RangeError unless 0 < minBps ≤ startBps ≤ maxBps. */
  constructor({
    maxBps = 5_000_000,
    startBps = Math.min(1_000_000, maxBps),
    minBps = Math.min(150_000, maxBps),
  }: BandwidthOptions = {}) {
    if (!(minBps > 0 && minBps <= startBps && startBps <= maxBps && maxBps < 1e12)) {
      throw new RangeError(
        `bandwidth ${minBps} ≤ ${startBps} ≤ ${maxBps} bit/s; 0 < minBps ≤ startBps ≤ maxBps is allowed`,
      );
    }
    this.#minBps = minBps;
    this.#maxBps = maxBps;
    this.#aimd = new Aimd({ startBps, minBps, maxBps, capacityMs });
  }

  /** What the path carries, in bit/s, all streams together. */
  get targetBps(): number {
    return Math.max(Math.min(this.#aimd.targetBps, this.#loss.limitBps), this.#minBps);
  }

  get state(): BandwidthState {
    return this.#aimd.state;
  }

  /** How much longer than the shortest of the last ten seconds the packet last heard of was under way, in ms. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Allocates; not for every packet. */
  get numbers(): BandwidthNumbers {
    return {
      acknowledgedBps: this.#acknowledged.bps ?? 0,
      capacityBps: this.#aimd.capacityAt(this.#heardMs) ?? 0,
      delayTrendMs: this.#trendline.trendMs,
      thresholdMs: this.#detector.thresholdMs,
      queueMs: this.#queueMs,
      fractionLost: this.#loss.fractionLost,
      roundTripMs: this.#roundTripMs,
      usage: this.#detector.usage,
      isProbing: this.#probe.isRunning,
    };
  }

  /** Every packet that carries the transport-wide sequence number, in the order of sending: sound, picture, repeats, padding. */
  packetSent(packet: SentPacket): void {
    this.#sent.add(packet);
    this.#probe.packetSent(packet.bytes, packet.atMs);
    this.#watchSilence(packet.atMs);
  }

  /** What the viewer says arrived, `nowMs` on the clock of `packetSent`. */
  feedback(feedback: TransportFeedback, nowMs: number): void {
    this.counts.feedbacks += 1;
    const referenceMs = this.#clock.read(feedback.referenceTime, nowMs);
    if (referenceMs === undefined) {
      this.counts.feedbacksRefused += 1;
      return;
    }
    if (this.#clock.restarted) this.#restart();
    if (!this.#readArrivals(feedback, referenceMs, nowMs)) return;
    this.#heardMs = nowMs;
    const isFalling = this.#isFalling();
    this.#aimd.update({
      usage: this.#usageAt(nowMs, isFalling),
      acknowledgedBps: isFalling ? this.#acknowledged.recentBps : this.#acknowledged.bps,
      offeredBps: this.#offered.bps,
      roundTripMs: Math.max(this.#roundTripMs, 0),
      nowMs,
    });
  }

  /** A receiver report about sound or picture (RFC 3550 §6.4.1); not about repeats, which are too few to tell. */
  loss(report: { readonly fractionLost: number; readonly nowMs: number }): void {
    this.#loss.report(report.fractionLost, report.nowMs, this.#aimd.targetBps);
    this.#loss.floor(this.#minBps);
  }

  /**
   * Bytes to send now as padding (repeats of what was sent, over RTX), with the packets' headers; 0 nearly always. To be
   * asked every 10–40 ms as long as the viewer is connected. Where it is never asked, the estimate rises more slowly.
   */
  paddingBytes(nowMs: number): number {
    if (!this.#probe.isRunning && this.#mayProbe(nowMs)) {
      this.counts.probes += 1;
      this.#probe.start(nowMs, this.targetBps * this.#schedule.factor);
    }
    return this.#probe.isRunning ? this.#probe.paddingBytes(nowMs) : 0;
  }

  #mayProbe(nowMs: number): boolean {
    return (
      this.targetBps < this.#maxBps &&
      nowMs - this.#heardMs < silenceMs / 4 &&
      this.#detector.usage === 'normal' &&
      !this.#loss.isLossy &&
      this.#schedule.isDue({ nowMs, queueMs: this.#queueMs, decreasedMs: this.#aimd.decreasedMs })
    );
  }

  /** True when something arrived that was not known to have. */
  #readArrivals(feedback: TransportFeedback, referenceMs: number, nowMs: number): boolean {
    let newestSentMs = Number.NEGATIVE_INFINITY;
    let shortestQueueMs = Number.POSITIVE_INFINITY;
    const count = Math.min(feedback.packetCount, feedback.arrivalsUs.length);
    for (let at = 0; at < count; at += 1) {
      const arrivalUs = feedback.arrivalsUs[at];
      const sequence = (feedback.baseSequence + at) & 0xffff;
      if (arrivalUs === undefined) {
        if (this.#sent.find(sequence)) this.#offered.add(this.#sent.atMs, this.#sent.bytes);
      } else if (!(Math.abs(arrivalUs) <= furthestArrivalUs)) {
        this.counts.absurdArrivals += 1;
      } else if (this.#acknowledge(sequence, nowMs)) {
        this.#arrived(referenceMs + arrivalUs / 1_000);
        newestSentMs = Math.max(newestSentMs, this.#sent.atMs);
        shortestQueueMs = Math.min(shortestQueueMs, this.#queueMs);
      }
    }
    if (newestSentMs === Number.NEGATIVE_INFINITY) return false;
    this.#shortestQueueMs = shortestQueueMs;
    const roundTripMs = nowMs - newestSentMs;
    if (this.#roundTripMs < 0) this.#roundTripMs = roundTripMs;
    else this.#roundTripMs += roundTripWeight * (roundTripMs - this.#roundTripMs);
    return true;
  }

  #acknowledge(sequence: number, nowMs: number): boolean {
    const acknowledgement = this.#sent.acknowledge(sequence);
    if (acknowledgement === 'unknown') this.counts.unknownPackets += 1;
    if (acknowledgement === 'repeated') this.counts.repeatedPackets += 1;
    return acknowledgement === 'new' && this.#sent.atMs <= nowMs;
  }

  #arrived(arrivedMs: number): void {
    const { atMs, bytes } = this.#sent;
    this.#acknowledged.add(arrivedMs, bytes);
    this.#offered.add(atMs, bytes);
    this.#probe.acknowledged(atMs, bytes, arrivedMs);
    this.#queueMs = this.#queue.add(atMs, arrivedMs);
    if (!this.#groups.add(atMs, arrivedMs)) return;
    const { deltaMs, completedMs, intervalMs } = this.#groups;
    this.#trendline.add(deltaMs, completedMs);
    this.#detector.update(this.#trendline.trendMs, intervalMs, completedMs);
  }

  /** A path that has become much narrower fills its queue before the trend can tell. */
  #isFalling(): boolean {
    const { recentBps } = this.#acknowledged;
    return (
      this.#queueMs > fillingQueueMs &&
      this.#shortestQueueMs > standingQueueMs &&
      recentBps !== undefined &&
      recentBps < throughShare * (this.#offered.recentBps ?? 0)
    );
  }

  /** The detector's signal; a trend that leaves no queue behind is no overuse. */
  get #standingUsage(): Usage {
    const { usage } = this.#detector;
    return usage === 'overuse' && this.#shortestQueueMs < standingQueueMs ? 'underuse' : usage;
  }

  /** The usage as it is when the queue that a probe made is left out, which is gone a little after it. */
  #usageAt(nowMs: number, isFalling: boolean): Usage {
    const usage = isFalling ? 'overuse' : this.#standingUsage;
    if (this.#probe.isRunning) return this.#probeUsage(usage, nowMs);
    if (usage === 'overuse' && !isFalling && nowMs < this.#drainedMs) return 'underuse';
    // A queue that stands has no trend; it has to go before there is more.
    return usage === 'normal' && this.#shortestQueueMs > longQueueMs ? 'underuse' : usage;
  }

  #probeUsage(usage: Usage, nowMs: number): Usage {
    if (usage === 'overuse') {
      this.#full(this.#probe.cancel(), nowMs);
      return 'underuse';
    }
    const result = this.#probe.finish(nowMs);
    if (result?.kind === 'full') this.#full(result.bps, nowMs);
    if (result?.kind === 'nothing') this.#schedule.failed(nowMs);
    if (result?.kind === 'free') {
      this.#aimd.confirm(result.bps);
      this.#loss.raise(result.bps, this.#aimd.targetBps);
      this.#schedule.succeeded(nowMs);
    }
    return usage;
  }

  #full(bps: number | undefined, nowMs: number): void {
    this.counts.probesFull += 1;
    this.#drainedMs = nowMs + drainMs + Math.max(this.#roundTripMs, 0);
    if (bps !== undefined) this.#aimd.full(bps, nowMs);
    this.#schedule.failed(nowMs);
  }

  /** Feedback that stays away means a path that is cut or filled to the brim. */
  #watchSilence(nowMs: number): void {
    if (!(nowMs - this.#heardMs > silenceMs) || nowMs - this.#silenceCutMs < silenceEveryMs) return;
    this.#silenceCutMs = nowMs;
    this.#aimd.cut(silenceFactor);
  }

  /** The viewer's clock is another one. */
  #restart(): void {
    this.#groups.restart();
    this.#trendline.restart();
    this.#detector.restart();
    this.#acknowledged.restart();
    this.#offered.restart();
    this.#queue.restart();
    this.#probe.cancel();
  }
}
