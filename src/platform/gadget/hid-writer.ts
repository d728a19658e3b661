import type { ReportKind } from '../../control/hid/hid-host.ts';
import type { Readiness } from '../native/file-watch.ts';
import type { HidFile, OpenHidFile } from './hid-file.ts';
import { framedReport, type HidInterface } from './hid-interfaces.ts';
import { reportBytes } from './report-descriptors.ts';

export interface HidWriterOptions {
  readonly interface: HidInterface;
  /** /dev/hidgN */
  readonly path: string;
  readonly open: OpenHidFile;
  /** What the host sent: a keyboard's LEDs. */
  readonly onReport: (report: Uint8Array) => void;
  /** Whether a host is there, asked when a report seems to be taken: one that was thrown away looks the same. */
  readonly attached: () => boolean;
  /** The host has switched the interface on. */
  readonly onSwitchedOn: () => void;
  /** How long a report may wait to be taken. */
  readonly deadlineMs: number;
}

interface Write {
  readonly kind: ReportKind;
  readonly report: Uint8Array;
  /** None: nobody waits for it. */
  readonly timer: NodeJS.Timeout | undefined;
  readonly settle: (taken: boolean) => void;
}

/**
 * Writes the reports of one HID interface, one after the other: a report counts as taken when the host has
 * fetched it. One that the host does not fetch in time cannot be taken back from the controller; when it is
 * fetched after all, a report that holds nothing follows it, so that no key stays down.
 */
export class HidWriter {
  readonly #options: HidWriterOptions;
  readonly #file: HidFile;
  /** At most one a kind. */
  readonly #waiting: Write[] = [];
  /** What the controller has. */
  #sent: Write | undefined;
  /** Nobody waits for what the controller has any more. */
  #late = false;
  #closed = false;
  #switchedOff = false;
  /** Reports that were not fetched in time. */
  lateReports = 0;

  /** Throws the system's error when the file cannot be opened. */
  constructor(options: HidWriterOptions) {
    this.#options = options;
    this.#file = options.open(options.path, (ready) => this.#onReady(ready));
  }

  /** True when the host has fetched it within the deadline. Never rejects. */
  write(kind: ReportKind, report: Uint8Array): Promise<boolean> {
    if (this.#closed || this.#holds(kind) || report.length !== reportBytes[kind]) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const write: Write = {
        kind,
        report: framedReport(this.#options.interface, kind, report),
        timer: setTimeout(() => this.#expire(write), this.#options.deadlineMs),
        settle(taken) {
          clearTimeout(write.timer);
          resolve(taken);
        },
      };
      this.#waiting.push(write);
      this.#next();
    });
  }

  /** Whether the host uses the interface, as far as can be told: a report on its way leaves it as it was. */
  switchedOn(): boolean {
    if (this.#closed || (this.#sent !== undefined && !this.#late)) return !this.#switchedOff;
    if (this.#sent === undefined) this.#switchedOff = !this.#file.writable();
    else this.#askWithLate(this.#sent);
    this.#next();
    return !this.#switchedOff;
  }

  /** Writes that nothing of that kind is held, ahead of all else; nobody waits for it. */
  letGo(kind: ReportKind): void {
    this.#unawaited(
      kind,
      framedReport(this.#options.interface, kind, new Uint8Array(reportBytes[kind])),
    );
    this.#next();
  }

  /** Gives up all that waits: the host has gone, or sleeps. What the controller has is late from here on. */
  abandon(): void {
    for (const write of this.#waiting.splice(0)) write.settle(false);
    if (this.#sent === undefined || this.#late) return;
    this.#sent.settle(false);
    this.#late = true;
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.abandon();
    this.#closed = true;
    this.#file.close();
  }

  /** Whether one of that kind is on its way, and its caller waits for it. */
  #holds(kind: ReportKind): boolean {
    const awaited = (write: Write) => write.kind === kind && write.timer !== undefined;
    return (
      this.#waiting.some(awaited) ||
      (this.#sent !== undefined && !this.#late && awaited(this.#sent))
    );
  }

  #next(): void {
    const write = this.#waiting[0];
    if (write === undefined || this.#sent !== undefined) {
      this.#file.wantWritable(this.#sent !== undefined || this.#switchedOff);
      return;
    }
    const result = this.#file.write(write.report);
    if (result === 'gone') {
      this.#waiting.shift();
      write.settle(false);
      this.#next();
      return;
    }
    if (result === 'accepted') {
      this.#waiting.shift();
      this.#sent = write;
      this.#late = write.timer === undefined;
    }
    this.#file.wantWritable(true);
  }

  #onReady({ readable = false, writable = false }: Readiness): void {
    if (this.#closed) return;
    if (readable) {
      const report = this.#file.read();
      if (report !== undefined) this.#options.onReport(report);
    }
    if (writable && !this.#closed) this.#onFetched();
  }

  #onFetched(): void {
    const sent = this.#sent;
    const late = this.#late;
    this.#sent = undefined;
    this.#late = false;
    if (this.#switchedOff) {
      this.#switchedOff = false;
      this.#options.onSwitchedOn();
    }
    if (sent !== undefined && !late) sent.settle(this.#options.attached());
    if (sent !== undefined && late) this.#takeBack(sent);
    this.#next();
  }

  /** The host got a report that its sender believes lost. */
  #takeBack({ kind, report }: Write): void {
    const { interface: one } = this.#options;
    if (holdsSomething(one, kind, report)) this.#unawaited(kind, restingReport(one, kind, report));
  }

  /** Only a write tells whether the controller still has a late report: this one would follow it anyway. */
  #askWithLate({ kind, report }: Write): void {
    const resting = restingReport(this.#options.interface, kind, report);
    const result = this.#file.write(resting);
    this.#switchedOff = result === 'gone';
    if (result === 'busy') return;
    this.#late = result === 'accepted';
    this.#sent = this.#late ? { kind, report: resting, timer: undefined, settle() {} } : undefined;
  }

  /** What already waits of that kind will do as well. */
  #unawaited(kind: ReportKind, report: Uint8Array): void {
    if (this.#closed || this.#waiting.some((write) => write.kind === kind)) return;
    this.#waiting.unshift({ kind, report, timer: undefined, settle() {} });
  }

  #expire(write: Write): void {
    write.settle(false);
    if (this.#sent === write) {
      this.#late = true;
      this.lateReports += 1;
      return;
    }
    const index = this.#waiting.indexOf(write);
    if (index >= 0) this.#waiting.splice(index, 1);
    this.#next();
  }
}

/** Where the report itself begins. */
function firstByte({ kinds }: HidInterface): number {
  return kinds.length === 1 ? 0 : 1;
}

/** Whether something stays down after a framed report: of a pointer its buttons, of the others all there is. */
function holdsSomething(one: HidInterface, kind: ReportKind, report: Uint8Array): boolean {
  const first = firstByte(one);
  const pointer = kind === 'absolute' || kind === 'relative';
  return report.subarray(first, pointer ? first + 1 : undefined).some((byte) => byte !== 0);
}

/** What follows a framed report so that nothing stays down. An absolute pointer stays where it is. */
function restingReport(one: HidInterface, kind: ReportKind, report: Uint8Array): Uint8Array {
  const first = firstByte(one);
  return Uint8Array.from(report).fill(0, first, kind === 'absolute' ? first + 1 : undefined);
}
