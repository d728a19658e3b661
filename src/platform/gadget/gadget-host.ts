import { EventEmitter } from 'node:events';
import {
  type HidHost,
  type HidHostEvents,
  type HostState,
  type ReportKind,
  writeDeadlineMs,
} from '../../control/hid/hid-host.ts';
import { messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import type { BoundInterface } from './gadget-build.ts';
import { type OpenHidFile, openHidFile } from './hid-file.ts';
import { HidWriter } from './hid-writer.ts';
import { ledReportBytes } from './report-descriptors.ts';
import type { UsbGadget } from './usb-gadget.ts';

export interface GadgetHostOptions {
  /** Started and stopped by whoever made it. */
  readonly gadget: HidGadget;
  readonly log: Log;
  readonly open?: OpenHidFile;
  /** How long a report may wait to be taken, in ms; 100 by default. */
  readonly deadlineMs?: number;
}

/** What is needed of a {@link UsbGadget}. */
export type HidGadget = Pick<
  UsbGadget,
  'state' | 'reason' | 'interfaces' | 'check' | 'wake' | 'on' | 'off'
>;

/** How often it is looked whether the host still uses the interfaces, in ms. */
const lookEveryMs = 1_000;

const switchedOff = 'the host has switched the device off';

/**
 * The host at the other end of the USB gadget: reports go to the /dev/hidgN of their interface.
 *
 * A controller may go on calling itself configured when the host has gone or switched the device off
 * (SET_CONFIGURATION 0). Its HID interfaces take no reports then, which can be asked for.
 */
export class GadgetHost extends EventEmitter<HidHostEvents> implements HidHost {
  readonly #options: GadgetHostOptions;
  readonly #writers = new Map<ReportKind, HidWriter>();
  #started = false;
  #late = 0;
  /** Why no report can be written though the gadget is bound; empty: they can. */
  #fault = '';
  #off = false;
  #attached = false;
  #look: NodeJS.Timeout | undefined;
  #told = '';
  readonly #onState = () => this.#follow();
  readonly #onBound = (interfaces: readonly BoundInterface[], kept: boolean) =>
    this.#open(interfaces, kept);
  readonly #onUnbinding = () => this.#close();

  constructor(options: GadgetHostOptions) {
    super();
    this.#options = options;
  }

  get state(): HostState {
    if (!this.#started || this.#fault !== '') return 'none';
    const { state } = this.#options.gadget;
    return state === 'attached' && this.#off ? 'detached' : state;
  }

  get reason(): string {
    if (!this.#started) return 'the USB keyboard and mouse are not started';
    if (this.#fault !== '') return this.#fault;
    const { state, reason } = this.#options.gadget;
    return state === 'attached' && this.#off ? switchedOff : reason;
  }

  /** Reports the host did not fetch within their deadline, since the start. */
  get lateReports(): number {
    return this.#distinct().reduce((sum, { lateReports }) => sum + lateReports, this.#late);
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { gadget } = this.#options;
    gadget.on('state', this.#onState).on('bound', this.#onBound).on('unbinding', this.#onUnbinding);
    if (gadget.interfaces.length > 0) this.#open(gadget.interfaces, true);
    this.#look = setInterval(() => this.#follow(), lookEveryMs);
    this.#look.unref();
    this.#follow();
  }

  async stop(): Promise<void> {
    if (!this.#started) return;
    const { gadget } = this.#options;
    gadget.off('state', this.#onState).off('bound', this.#onBound);
    gadget.off('unbinding', this.#onUnbinding);
    clearInterval(this.#look);
    this.#started = false;
    this.#close();
    this.#tell();
  }

  async write(kind: ReportKind, report: Uint8Array): Promise<boolean> {
    const writer = this.#writers.get(kind);
    if (writer === undefined || this.state !== 'attached') return false;
    const taken = await writer.write(kind, report);
    // The kernel may not have told yet why.
    if (!taken) {
      this.#options.gadget.check();
      this.#follow();
    }
    return taken;
  }

  wake(): Promise<boolean> {
    return this.#started ? this.#options.gadget.wake() : Promise.resolve(false);
  }

  /** Looks where we are, and tells when that is new. */
  #follow(): void {
    if (!this.#started) return;
    const writers = this.#distinct();
    // Every interface: a host that sets the device up may switch one on before the other.
    this.#off =
      this.#options.gadget.state === 'attached' && !writers.every((writer) => writer.switchedOn());
    const before = this.#attached;
    this.#attached = this.state === 'attached';
    if (before && !this.#attached) for (const writer of writers) writer.abandon();
    this.#tell();
  }

  #tell(): void {
    const now = `${this.state}\n${this.reason}`;
    if (now === this.#told) return;
    this.#told = now;
    this.emit('state', this.state, this.reason);
  }

  #open(interfaces: readonly BoundInterface[], kept: boolean): void {
    if (interfaces.length === 0) this.#fault = 'the USB gadget has no keyboard and no pointer';
    for (const { interface: one, path } of interfaces) {
      try {
        const writer = new HidWriter({
          interface: one,
          path,
          open: this.#options.open ?? openHidFile,
          onReport: (report) => this.#onReport(one.kinds, report),
          attached: () => {
            this.#options.gadget.check();
            return this.state === 'attached';
          },
          onSwitchedOn: () => this.#follow(),
          deadlineMs: this.#options.deadlineMs ?? writeDeadlineMs,
        });
        for (const kind of one.kinds) this.#writers.set(kind, writer);
        // A run before this one may have ended with keys down. An absolute pointer would jump, and is left.
        if (kept) for (const kind of one.kinds) if (kind !== 'absolute') writer.letGo(kind);
      } catch (error) {
        this.#options.log.error({ err: error, path }, 'an HID device cannot be opened');
        this.#fault = `the HID device ${path} cannot be opened: ${messageOf(error)}`;
      }
    }
    this.#follow();
  }

  #close(): void {
    for (const writer of this.#distinct()) {
      this.#late += writer.lateReports;
      writer.close();
    }
    this.#writers.clear();
    this.#fault = '';
  }

  #distinct(): readonly HidWriter[] {
    return [...new Set(this.#writers.values())];
  }

  #onReport(kinds: readonly ReportKind[], report: Uint8Array): void {
    const [mask] = report;
    if (kinds.includes('keyboard') && report.length === ledReportBytes && mask !== undefined) {
      this.emit('leds', mask & 0x1f);
    }
  }
}
