/** Changes durable settings one after another, so that none is lost to another made meanwhile. */
export class SettingsTurns<S extends object> {
  readonly #settings: { current(): S; replace(settings: S): Promise<void> };
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: { current(): S; replace(settings: S): Promise<void> }) {
    this.#settings = settings;
  }

  /** Makes what `change` says of the settings then durable. Throws what it throws, or SETTINGS_WRITE_FAILED. */
  change(change: (current: S) => Partial<S>): Promise<void> {
    const result = this.#last.then(async () => {
      const current = this.#settings.current();
      await this.#settings.replace({ ...current, ...change(current) });
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when everything asked so far is over. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
