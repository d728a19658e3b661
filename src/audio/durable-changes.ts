/** Durable settings: `replace` resolves when the new ones would survive a power cut, or throws unchanged. */
export interface DurableSettings<S> {
  current(): S;
  replace(settings: S): Promise<void>;
}

export interface DurableChangesOptions<S> {
  readonly settings: DurableSettings<S>;
  /** Brings the current settings into force; throws when they are refused. */
  readonly apply: () => Promise<void>;
}

/**
 * Changes settings one change after another: each is made durable, then applied, and put back when
 * it is refused.
 */
export class DurableChanges<S extends object> {
  readonly #options: DurableChangesOptions<S>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DurableChangesOptions<S>) {
    this.#options = options;
  }

  /** Runs `action` when every earlier one is over, well or not. */
  inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action, action);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Applies the current settings, in turn. */
  apply(): Promise<void> {
    return this.inTurn(() => this.#options.apply());
  }

  /** Makes `change` durable and applies it. To be called in turn. Throws with the settings put back. */
  async change(change: Partial<S>): Promise<void> {
    const { settings, apply } = this.#options;
    const before = settings.current();
    await settings.replace({ ...before, ...change });
    try {
      await apply();
    } catch (error) {
      await settings.replace(before);
      throw error;
    }
  }

  /** Resolves when everything asked so far is over. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
