/** A setting of the device as the page shows it. */
export interface SettingState<Wanted, Known> {
  /** What the device last said. */
  readonly known: Known | undefined;
  /** What was asked for and is not answered yet; shown as if it were so. */
  readonly wanted: Wanted | undefined;
  /** The device's answer to the last request, when it failed; empty otherwise. */
  readonly error: string;
}

export interface OptimisticSettingOptions<Wanted, Known> {
  /** Asks the device; rejects with an Error whose message is for the viewer. */
  readonly request: (wanted: Wanted) => Promise<Known>;
  readonly onChange: (state: SettingState<Wanted, Known>) => void;
}

/**
 * Changes one setting of the device: shows what was asked for at once, and goes back to what the
 * device last said, with its message, when it refuses.
 *
 * INVARIANT: one request is under way at most; of those asked for meanwhile only the newest is sent.
 */
export class OptimisticSetting<Wanted, Known> {
  readonly #options: OptimisticSettingOptions<Wanted, Known>;
  #state: SettingState<Wanted, Known> = { known: undefined, wanted: undefined, error: '' };
  #busy = false;
  /** Counts what the device said by itself, to tell whether an answer is the newest word. */
  #receipts = 0;

  constructor(options: OptimisticSettingOptions<Wanted, Known>) {
    this.#options = options;
  }

  get state(): SettingState<Wanted, Known> {
    return this.#state;
  }

  /** The device says what holds, asked or not. */
  received(known: Known): void {
    this.#receipts += 1;
    this.#set({ ...this.#state, known });
  }

  /** Asks for `wanted`; resolves when nothing is left to ask. Never rejects. */
  async ask(wanted: Wanted): Promise<void> {
    this.#set({ ...this.#state, wanted, error: '' });
    if (this.#busy) return;
    this.#busy = true;
    while (this.#state.wanted !== undefined) await this.#askOnce(this.#state.wanted);
    this.#busy = false;
  }

  async #askOnce(wanted: Wanted): Promise<void> {
    const receipts = this.#receipts;
    const answer = await this.#options.request(wanted).then(
      (known) => ({ known, error: '' }),
      (error: unknown) => ({
        known: this.#state.known,
        error: error instanceof Error ? error.message : String(error),
      }),
    );
    // A newer wish stays; it is asked for next, and makes this one's failure of no interest.
    const superseded = this.#state.wanted !== wanted;
    // The device tells everybody of each change, in order. What it said meanwhile may be newer than
    // this answer, which came another way, and is never older than what comes next.
    const overtaken = this.#receipts !== receipts;
    this.#set({
      known: overtaken ? this.#state.known : answer.known,
      wanted: superseded ? this.#state.wanted : undefined,
      error: superseded ? '' : answer.error,
    });
  }

  #set(state: SettingState<Wanted, Known>): void {
    this.#state = state;
    this.#options.onChange(state);
  }
}
