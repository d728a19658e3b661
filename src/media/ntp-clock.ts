/** Seconds from 1900, where NTP counts from, to 1970. */
const ntpToUnixSeconds = 2_208_988_800n;
const nanosecondsPerSecond = 1_000_000_000n;

/**
 * Wall-clock time as 64-bit NTP timestamps (RFC 5905 §6: 32 bits of seconds, 32 of fraction), from
 * one reading of both clocks: everything stamped from it keeps exact distances even when the wall
 * clock is set afterwards.
 */
export class NtpClock {
  readonly #offsetNs: bigint;

  /** `unixMs` and `monotonicNs` are the same instant. */
  constructor(reading: { readonly unixMs: number; readonly monotonicNs: bigint }) {
    this.#offsetNs =
      BigInt(Math.round(reading.unixMs * 1_000)) * 1_000n +
      ntpToUnixSeconds * nanosecondsPerSecond -
      reading.monotonicNs;
  }

  /** The NTP timestamp of an instant of CLOCK_MONOTONIC, in ns. */
  at(monotonicNs: bigint): bigint {
    const ns = monotonicNs + this.#offsetNs;
    const seconds = ns / nanosecondsPerSecond;
    const fraction = ((ns % nanosecondsPerSecond) << 32n) / nanosecondsPerSecond;
    return BigInt.asUintN(64, (seconds << 32n) | fraction);
  }
}

/** The middle 32 bits, in which reports measure round trips: units of 1/65,536 s (RFC 3550 §4). */
export function compactNtp(timestamp: bigint): number {
  return Number((timestamp >> 16n) & 0xffffffffn);
}
