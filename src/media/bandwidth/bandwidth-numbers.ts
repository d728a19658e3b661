import type { Usage } from './overuse-detector.ts';

/** What the estimate stands on, for diagnostics. */
export interface BandwidthNumbers {
  /** What came through over the last half second, in bit/s; 0: not known. */
  readonly acknowledgedBps: number;
  /** What the path carried when it was full, while that is believed; 0: not known. */
  readonly capacityBps: number;
  /** The draft's m(i) and γ, in ms. */
  readonly delayTrendMs: number;
  readonly thresholdMs: number;
  /** How much longer than the shortest of the last ten seconds packets were under way, in ms. */
  readonly queueMs: number;
  /** As the viewer last reported, 0–1. */
  readonly fractionLost: number;
  /** From sending to feedback, its interval included; −1: not known. */
  readonly roundTripMs: number;
  readonly usage: Usage;
  readonly isProbing: boolean;
}

/** What was refused, and what was asked for. */
export interface BandwidthCounts {
  feedbacks: number;
  /** Feedback whose clock went back or ran away. */
  feedbacksRefused: number;
  /** Packets acknowledged that were never sent, or too long ago. */
  unknownPackets: number;
  repeatedPackets: number;
  /** Arrivals that no path explains. */
  absurdArrivals: number;
  probes: number;
  probesFull: number;
}
