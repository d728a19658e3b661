import { EarshotError } from '../src/errors/earshot-error.ts';
import type { Log } from '../src/log/log.ts';
import type { ChildSpec } from './child-spec.ts';
import type { ChildStatus } from './child-status.ts';
import { SupervisedChild } from './supervised-child.ts';
import type { SupervisionTiming } from './timing.ts';

export interface SupervisorOptions {
  /** In the order of their start. */
  readonly specs: readonly ChildSpec[];
  readonly log: Log;
  /** Deadlines and intervals; the documented ones by default. */
  readonly timing?: SupervisionTiming;
  /** Children started or stopped at the same time; 3 by default. */
  readonly concurrency?: number;
  /** Numbers in [0, 1) for the jitter of restarts. */
  readonly random?: () => number;
}

/** All children of the main process. */
export class Supervisor {
  readonly #children: ReadonlyMap<string, SupervisedChild>;
  readonly #concurrency: number;

  constructor({ specs, log, timing, concurrency = 3, random }: SupervisorOptions) {
    this.#concurrency = concurrency;
    this.#children = new Map(
      specs.map((spec) => [
        spec.name,
        new SupervisedChild({
          spec,
          log,
          ...(timing === undefined ? {} : { timing }),
          ...(random === undefined ? {} : { random }),
        }),
      ]),
    );
  }

  /** Starts the children in order; resolves when each one's first try is over, well or not. Idempotent. */
  start(): Promise<void> {
    return inOrder([...this.#children.values()], this.#concurrency, (child) => child.start());
  }

  /** Stops the children in reverse order; no process lives when it resolves. Idempotent. */
  stop(): Promise<void> {
    const reversed = [...this.#children.values()].reverse();
    return inOrder(reversed, this.#concurrency, (child) => child.stop());
  }

  /** Throws CHILD_UNKNOWN, naming those there are. */
  child(name: string): SupervisedChild {
    const child = this.#children.get(name);
    if (child !== undefined) return child;
    const names = [...this.#children.keys()];
    throw new EarshotError(
      'CHILD_UNKNOWN',
      `There is no child process named ${name}; there is ${names.join(', ')}.`,
      { details: { child: name, known: names } },
    );
  }

  statuses(): ChildStatus[] {
    return [...this.#children.values()].map((child) => child.status());
  }

  /** A device came that this child may lack. Throws CHILD_UNKNOWN. */
  deviceAppeared(name: string): void {
    this.child(name).deviceAppeared();
  }
}

/** Begins `act` with each item in order, at most `concurrency` of them at a time. */
async function inOrder<T>(
  items: readonly T[],
  concurrency: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
