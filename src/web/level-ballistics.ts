/** Bottom of the meter's scale and what silence reads, in dBFS. */
export const floorDbfs = -60;

/** How fast the bar falls, and how long and how fast the peak mark is held and falls. */
const barFallDbPerS = 40;
const peakHoldMs = 1_500;
const peakFallDbPerS = 20;

/** One channel of a level meter. */
export interface ChannelLevel {
  /** The bar: follows a rise at once, falls at 40 dB/s. dBFS, {@link floorDbfs}–0. */
  readonly barDbfs: number;
  /** The highest peak of the last 1.5 s, then falling at 20 dB/s. */
  readonly peakDbfs: number;
  /** Milliseconds for which the peak mark has been held. */
  readonly heldMs: number;
}

export const silentChannel: ChannelLevel = {
  barDbfs: floorDbfs,
  peakDbfs: floorDbfs,
  heldMs: 0,
};

/** dBFS of an amplitude in 0–1, held within the scale. */
export function dbfsOf(amplitude: number): number {
  if (!(amplitude > 0)) return floorDbfs;
  return Math.min(0, Math.max(floorDbfs, 20 * Math.log10(amplitude)));
}

/** The channel's level `elapsedMs` later, when the highest amplitude since was `amplitude`. */
export function advanceLevel(
  level: ChannelLevel,
  { amplitude, elapsedMs }: { readonly amplitude: number; readonly elapsedMs: number },
): ChannelLevel {
  const dbfs = dbfsOf(amplitude);
  const fallenBar = level.barDbfs - (barFallDbPerS * elapsedMs) / 1_000;
  const barDbfs = Math.max(dbfs, fallenBar, floorDbfs);
  if (dbfs >= level.peakDbfs) return { barDbfs, peakDbfs: dbfs, heldMs: 0 };
  const heldMs = level.heldMs + elapsedMs;
  const fallingMs = Math.min(elapsedMs, Math.max(0, heldMs - peakHoldMs));
  const peakDbfs = Math.max(dbfs, level.peakDbfs - (peakFallDbPerS * fallingMs) / 1_000, floorDbfs);
  return { barDbfs, peakDbfs, heldMs };
}
