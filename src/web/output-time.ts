/**
 * When the sound card plays frame number `frame` of a context, in ms of `performance.now()`; undefined:
 * unknown. From the output timestamp, which ties one frame to one moment (Web Audio §1.2.3): Chromium's
 * `outputLatency` is that of the first of the 512 frames it asks for at once; the last one waits 10.7 ms more.
 */
export function playedAtMs(context: AudioContext, frame: number): number | undefined {
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  if (contextTime === undefined || performanceTime === undefined) return undefined;
  if (performanceTime <= 0) return undefined;
  return performanceTime + (frame / context.sampleRate) * 1_000 - contextTime * 1_000;
}
