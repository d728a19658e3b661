import { compactNtp } from './ntp-clock.ts';
import type { ReceptionReport } from './rtcp-read.ts';

/** What the viewer last said of its reception of one stream, in the units of the API. */
export interface Reception {
  packetsLost: number;
  /** 0–1. */
  fractionLost: number;
  jitterMs: number;
  /** −1 before it is known. */
  roundTripMs: number;
}

export function noReception(): Reception {
  return { packetsLost: 0, fractionLost: 0, jitterMs: 0, roundTripMs: -1 };
}

/** Takes a report block (RFC 3550 §6.4.1) that came at `ntp` into `reception`. */
export function noteReport(
  reception: Reception,
  report: ReceptionReport,
  { clockRate, ntp }: { readonly clockRate: number; readonly ntp: bigint },
): void {
  reception.packetsLost = Math.max(0, report.packetsLost);
  reception.fractionLost = report.fractionLost;
  reception.jitterMs = (report.jitter * 1_000) / clockRate;
  if (report.lastSenderReport === 0) return;
  // Now − LSR − DLSR, modulo 2³²; more than half of that is a clock stepping back.
  const roundTrip = (compactNtp(ntp) - report.lastSenderReport - report.delaySinceLast) >>> 0;
  if (roundTrip < 0x80000000) reception.roundTripMs = (roundTrip * 1_000) / 65_536;
}
