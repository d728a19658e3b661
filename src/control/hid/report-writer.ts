import type { HeldState } from './held-state.ts';
import { type HidHost, type ReportKind, reportKinds } from './hid-host.ts';
import {
  absoluteReport,
  firstPart,
  isStill,
  type RelativeMotion,
  relativeReport,
  remainder,
  reportBytes,
} from './reports.ts';

export interface ReportCounts {
  reportsTaken: number;
  reportsFailed: number;
}

export interface ReportWriterOptions {
  readonly host: HidHost;
  readonly held: HeldState;
  readonly counts: ReportCounts;
}

const still: RelativeMotion = { dx: 0, dy: 0, wheel: 0, pan: 0 };

/** Where one kind of report stands. */
interface Pipe {
  /** What the host knows; undefined when that is not certain. */
  taken: Uint8Array | undefined;
  /** Ends when everything asked of this kind so far is over; never rejects. */
  last: Promise<unknown>;
  /** A report of the state that has not begun: it will tell whatever holds when it does. */
  waiting: Promise<boolean> | undefined;
}

/**
 * Brings what is held to the host, one report a kind at a time. A report is made when its turn comes, so it
 * tells what holds then and nothing stale; what the host knows already is not written again.
 */
export class ReportWriter {
  readonly #options: ReportWriterOptions;
  #pipes = freshPipes();
  #position = { x: 0, y: 0 };

  constructor(options: ReportWriterOptions) {
    this.#options = options;
  }

  /**
   * The host forgot everything: it was detached. Where it may have seen something held it is told again that
   * nothing is; its pointer is left where it is.
   */
  forget(): void {
    for (const kind of reportKinds) {
      const pipe = this.#pipes[kind];
      const buttons = kind === 'absolute' ? pipe.taken?.subarray(0, 1) : pipe.taken;
      if (buttons?.some((byte) => byte !== 0) ?? true) pipe.taken = undefined;
    }
  }

  /** Where the absolute pointer is from the next report on. */
  moveTo(x: number, y: number): void {
    this.#position = { x, y };
  }

  /** Tells the host what is held, as far as this kind of report does; true when it knows. */
  sync(kind: ReportKind): Promise<boolean> {
    const pipe = this.#pipes[kind];
    pipe.waiting ??= this.#inTurn(pipe, async () => {
      pipe.waiting = undefined;
      return this.#isKnown(kind) || this.#write(kind, this.#report(kind));
    });
    return pipe.waiting;
  }

  /** Tells the host everything it does not know; true when it knows it all. */
  async syncAll(): Promise<boolean> {
    const known = await Promise.all(reportKinds.map((kind) => this.sync(kind)));
    return known.every(Boolean);
  }

  /** Whether the host knows all that is held. */
  get inSync(): boolean {
    return reportKinds.every((kind) => this.#isKnown(kind));
  }

  /** Moves the mouse, in as many reports as it takes; false when one was not taken, the rest is then let go. */
  move(motion: RelativeMotion): Promise<boolean> {
    const pipe = this.#pipes.relative;
    return this.#inTurn(pipe, async () => {
      for (let rest = motion; !isStill(rest); ) {
        const part = firstPart(rest);
        const buttons = this.#options.held.buttons('relative');
        if (!(await this.#write('relative', relativeReport(buttons, part)))) return false;
        // Motion is told once; what stays of the report are its buttons.
        pipe.taken = relativeReport(buttons, still);
        rest = remainder(rest, part);
      }
      return true;
    });
  }

  #inTurn(pipe: Pipe, action: () => Promise<boolean>): Promise<boolean> {
    const result = pipe.last.then(action);
    pipe.last = result;
    return result;
  }

  async #write(kind: ReportKind, report: Uint8Array): Promise<boolean> {
    const { host, counts } = this.#options;
    const pipe = this.#pipes[kind];
    const taken = await host.write(kind, report);
    // A report that was late may have been taken after all: only the next one makes that certain.
    pipe.taken = taken ? report : undefined;
    if (taken) counts.reportsTaken += 1;
    else counts.reportsFailed += 1;
    return taken;
  }

  #isKnown(kind: ReportKind): boolean {
    const { taken } = this.#pipes[kind];
    if (taken === undefined) return false;
    const report = this.#report(kind);
    return report.every((byte, index) => byte === taken[index]);
  }

  #report(kind: ReportKind): Uint8Array {
    const { held } = this.#options;
    switch (kind) {
      case 'keyboard':
        return held.keyboard();
      case 'absolute':
        return absoluteReport({ buttons: held.buttons('absolute'), ...this.#position });
      case 'relative':
        return relativeReport(held.buttons('relative'), still);
      case 'consumer':
        return held.consumer();
      case 'system':
        return held.system();
      default:
        return kind satisfies never;
    }
  }
}

function freshPipes(): Record<ReportKind, Pipe> {
  const fresh = (kind: ReportKind): Pipe => ({
    taken: new Uint8Array(reportBytes[kind]),
    last: Promise.resolve(),
    waiting: undefined,
  });
  return {
    keyboard: fresh('keyboard'),
    absolute: fresh('absolute'),
    relative: fresh('relative'),
    consumer: fresh('consumer'),
    system: fresh('system'),
  };
}
