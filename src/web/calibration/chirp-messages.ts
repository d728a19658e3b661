/** Name the worklet's module registers its processor under. */
export const chirpProcessor = 'earshot-chirp';

/** Worklet → page. */
export interface ChirpHeard {
  /** Frame of the audio context at which the chirp began. */
  readonly frame: number;
}
