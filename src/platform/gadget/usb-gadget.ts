import { EventEmitter } from 'node:events';
import { constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostState } from '../../control/hid/hid-host.ts';
import { messageOf } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import { type Configfs, mountedConfigfs } from './configfs.ts';
import { ControllerState } from './controller-state.ts';
import { type BoundGadget, type BoundInterface, GadgetBuild } from './gadget-build.ts';
import type { GadgetConfig } from './gadget-config.ts';
import { type PlatformPaths, systemPaths } from './platform-paths.ts';
import { suspendedAttribute } from './udc.ts';

export interface UsbGadgetOptions {
  readonly config: GadgetConfig;
  readonly log: Log;
  /** Where the kernel's file systems are; the machine's own by default. */
  readonly paths?: Partial<PlatformPaths>;
  readonly configfs?: Configfs;
  /** How long until what could not be bound is tried again, in ms. */
  readonly retryMs?: number;
}

interface UsbGadgetEvents {
  state: [state: HostState, reason: string];
  /** The gadget is on its controller; its HID devices can be opened. */
  bound: [interfaces: readonly BoundInterface[], kept: boolean];
  /** It is about to leave its controller, or has lost it: its HID devices have to be closed now. */
  unbinding: [];
}

/** What the device is on the host's USB port, for a person. */
export interface GadgetStatus {
  readonly state: HostState;
  readonly reason: string;
  /** The controller it is bound to; empty: none. */
  readonly controller: string;
  /** What is configured and cannot be had, in sentences. */
  readonly faults: readonly string[];
}

const defaultRetryMs = 2_000;
/** How long a host may take to wake up, in ms, and how often it is looked at. */
const wakeMs = 2_000;
const wakeLookMs = 20;

const notStarted = 'the USB gadget is not started';
const controllerGone = 'the USB device controller is gone';

/**
 * The device on the host's USB port: composed from the configuration, bound to its controller, and followed
 * there. What cannot be had is told in `reason` and tried again; nothing else of the device waits for it.
 *
 * INVARIANTS: `bound` and `unbinding` alternate; changes run one after another; after `stop` nothing is bound.
 */
export class UsbGadget extends EventEmitter<UsbGadgetEvents> {
  readonly #options: UsbGadgetOptions;
  readonly #paths: PlatformPaths;
  readonly #build: GadgetBuild;
  #last: Promise<unknown> = Promise.resolve();
  #wanted: 'bound' | 'unbound' | 'removed' = 'removed';
  #bound: BoundGadget | undefined;
  #follower: ControllerState | undefined;
  #retry: NodeJS.Timeout | undefined;
  #state: HostState = 'none';
  #reason = notStarted;
  #faults: readonly string[] = [];
  #told = '';

  constructor(options: UsbGadgetOptions) {
    super();
    this.#options = options;
    this.#paths = { ...systemPaths, ...options.paths };
    this.#build = new GadgetBuild({
      config: options.config,
      configfs: options.configfs ?? mountedConfigfs(this.#paths.configfs),
      paths: this.#paths,
      log: options.log,
    });
  }

  get state(): HostState {
    return this.#state;
  }

  get reason(): string {
    return this.#reason;
  }

  /** The HID interfaces of the gadget while it is bound. */
  get interfaces(): readonly BoundInterface[] {
    return this.#bound?.interfaces ?? [];
  }

  status(): GadgetStatus {
    const controller = this.#bound?.controller ?? '';
    return { state: this.#state, reason: this.#reason, controller, faults: this.#faults };
  }

  /** Composes and binds what is enabled; resolves when that is done, or has failed for now. Never rejects. */
  async start(): Promise<void> {
    if (!this.#options.config.enabled) return this.#stayOff();
    this.#wanted = 'bound';
    await this.#inTurn(() => this.#up());
  }

  /** Unbinds and takes the gadget down. Idempotent, never rejects. */
  async stop(): Promise<void> {
    this.#wanted = 'removed';
    await this.#inTurn(async () => {
      if (this.#wanted !== 'removed') return;
      this.#release(notStarted);
      await this.#takeDown();
    });
  }

  /** Takes the device from the host as if its cable were pulled, until `bind`. Never rejects. */
  async unbind(): Promise<void> {
    if (this.#wanted === 'removed') return;
    this.#wanted = 'unbound';
    await this.#inTurn(async () => {
      if (this.#wanted !== 'unbound') return;
      this.#release('the USB gadget is unbound');
      await this.#build
        .unbind()
        .catch((error: unknown) => this.#warn(error, 'the USB gadget could not be unbound'));
    });
  }

  /** What a run with another configuration left is not to be seen any more. */
  async #stayOff(): Promise<void> {
    this.#set('none', 'USB is switched off (usb.enabled)');
    await this.#inTurn(() => this.#takeDown());
  }

  async #takeDown(): Promise<void> {
    await this.#build
      .down()
      .catch((error: unknown) => this.#warn(error, 'the USB gadget could not be taken down'));
  }

  /** Undoes `unbind`. */
  async bind(): Promise<void> {
    if (this.#wanted === 'unbound') await this.start();
  }

  /** Pulls the cable and puts it back, as it were. */
  async rebind(): Promise<void> {
    await this.unbind();
    await this.bind();
  }

  /** Looks at the controller now, where waiting for its word could be too late. */
  check(): void {
    this.#follower?.check();
  }

  /**
   * Wakes a suspended host by the controller's resume signal (its sysfs attribute `srp`, which is
   * usb_gadget_wakeup()). False when it does not sleep, may not be woken by its own word or the
   * configuration's, or has not woken within 2 s.
   */
  async wake(): Promise<boolean> {
    const bound = this.#bound;
    this.check();
    if (bound === undefined || this.#state !== 'suspended') return false;
    if (!this.#options.config.remoteWakeup) return false;
    const path = join(this.#paths.sys, 'class/udc', bound.controller, 'srp');
    const end = performance.now() + wakeMs;
    try {
      await writeFile(path, '1', { flag: constants.O_WRONLY });
    } catch (error) {
      this.#warn(error, 'the host cannot be woken');
      return false;
    }
    while (this.state === 'suspended' && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, wakeLookMs));
      this.check();
    }
    return this.state === 'attached';
  }

  async #up(): Promise<void> {
    if (this.#wanted !== 'bound' || this.#bound !== undefined) return;
    clearTimeout(this.#retry);
    try {
      const bound = await this.#build.up((controller, kept) => this.#follow(controller, kept));
      this.#follower?.followSleep(await suspendedAttribute(this.#paths.sys, bound.controller));
      if (this.#follower === undefined) throw new Error(controllerGone);
      this.#bound = bound;
      this.#faults = bound.missing.map(messageOf);
      this.#told = '';
      const { controller, kept, missing } = bound;
      for (const error of missing) this.#warn(error, 'a USB function is left out');
      this.#options.log.info({ controller, kept }, 'the USB gadget is bound');
      this.emit('bound', bound.interfaces, kept);
      this.#update();
    } catch (error) {
      this.#failed(error);
    }
  }

  #follow(controller: string, kept: boolean): void {
    this.#follower = new ControllerState({
      sysRoot: this.#paths.sys,
      controller,
      kept,
      onChange: () => this.#update(),
      onGone: () => this.#lost(),
    });
    this.#follower.start();
  }

  #update(): void {
    const host = this.#follower?.host;
    if (host !== undefined && this.#bound !== undefined) this.#set(...host);
  }

  /** The controller went away under us. */
  #lost(): void {
    this.#release(controllerGone);
    this.#options.log.warn({}, controllerGone);
    this.#retryLater();
  }

  #failed(error: unknown): void {
    const reason = messageOf(error);
    this.#faults = [reason];
    this.#release(reason);
    // One that is tried again and again fails in the same words.
    if (reason !== this.#told) this.#warn(error, 'the USB gadget cannot be bound');
    this.#told = reason;
    this.#retryLater();
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    if (this.#wanted !== 'bound') return;
    this.#retry = setTimeout(() => {
      void this.#inTurn(() => this.#up());
    }, this.#options.retryMs ?? defaultRetryMs);
    this.#retry.unref();
  }

  /** Lets go of all that belongs to a bound gadget. */
  #release(reason: string): void {
    clearTimeout(this.#retry);
    this.#follower?.stop();
    this.#follower = undefined;
    if (this.#bound !== undefined) {
      this.#bound = undefined;
      this.emit('unbinding');
    }
    this.#set('none', reason);
  }

  #set(state: HostState, reason: string): void {
    if (this.#state === state && this.#reason === reason) return;
    this.#state = state;
    this.#reason = reason;
    this.emit('state', state, reason);
  }

  #warn(error: unknown, message: string): void {
    this.#options.log.warn({ err: error }, message);
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#last.then(action, action);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
