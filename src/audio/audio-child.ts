/** A supervised child of the sound path, as far as its control drives it. */
export interface AudioChild {
  configure(config: Record<string, unknown>): Promise<{
    /** `pending`: it is not running and gets the configuration at its next start. */
    readonly applied: Applied;
    readonly effective: Readonly<Record<string, unknown>> | undefined;
  }>;
}

/** How the last change reached the child. */
export type Applied = 'live' | 'restart' | 'pending';
