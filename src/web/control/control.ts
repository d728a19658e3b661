import type { DeviceMessage } from '../../control/hid/hid-messages.ts';
import type { ControlApi } from './control-api.ts';
import { type ControlPlace, type ControlState, noControl } from './control-state.ts';
import { HidLink } from './hid-link.ts';
import { HostInput } from './host-input.ts';
import { InputCapture } from './input-capture.ts';
import type { KeyboardPlatform } from './key-tracker.ts';
import { LatencyHistory } from './latency-history.ts';
import { LinkClock } from './link-clock.ts';
import type { Size } from './picture-place.ts';

export interface ControlOptions {
  readonly api: ControlApi;
  readonly openSocket: (session: string) => WebSocket;
  readonly backoff: () => Iterator<number>;
  readonly platform: KeyboardPlatform;
  readonly onChange: (state: ControlState) => void;
}

/** How often the page's latencies are looked at. */
const latencyMs = 1_000;

/** For how long a notice of the device is shown. */
const noticeMs = 10_000;

/**
 * The host's keyboard and mouse on this page, and what the device tells of its control.
 *
 * INVARIANTS: there is a way for keys only while the device has keyboard and mouse; what is clicked into is one element at most.
 */
export class Control {
  readonly #options: ControlOptions;
  readonly #input: HostInput;
  readonly #link: HidLink;
  readonly #clock: LinkClock;
  readonly #latency = new LatencyHistory();
  #capture: InputCapture | undefined;
  #element: HTMLElement | undefined;
  #state = noControl;
  #isStarted = false;
  #latencyTimer: number | undefined;
  #endNotice: () => void = () => undefined;
  /** Where the focus goes when the keyboard is given back. */
  #onLeft: () => void = () => undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
    const nowMs = () => performance.now();
    this.#link = new HidLink({
      openSocket: options.openSocket,
      backoff: options.backoff,
      later,
      onSwitch: () => this.#input.release(),
      onVia: (via) => this.#viaChanged(via),
      onMessage: (message) => this.#receive(message),
    });
    this.#input = new HostInput({
      send: (message) => this.#link.send(message),
      platform: options.platform,
      timeOriginMs: performance.timeOrigin,
      nowMs,
      later,
      onLeave: () => this.leave(),
    });
    this.#clock = new LinkClock({
      nowMs: () => performance.timeOrigin + nowMs(),
      later,
      send: (offsetMs) => {
        const timestampMs = performance.timeOrigin + nowMs();
        this.#link.send({ type: 'clock', offsetMs, timestampMs });
      },
    });
  }

  get state(): ControlState {
    return this.#state;
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#follow();
    this.#latencyTimer = window.setInterval(() => this.#showLatency(), latencyMs);
  }

  /** Idempotent: nothing is held, and no way to the device is left. */
  stop(): void {
    this.#isStarted = false;
    this.#capture?.leave();
    this.#follow();
    window.clearInterval(this.#latencyTimer);
    this.#endNotice();
  }

  /** The peer connection there is, and the device's name for this session. */
  attach(connection: RTCPeerConnection | undefined, session: string | undefined): void {
    this.#link.attach(connection);
    this.#link.setSession(session);
  }

  /** What is clicked into from now on; `natural` is the size of the host's picture. */
  captureOn(element: HTMLElement | undefined, natural: () => Size): void {
    if (element === this.#element) return;
    this.#capture?.stop();
    this.#element = element;
    this.#capture = undefined;
    if (element === undefined) return;
    this.#capture = new InputCapture({
      element,
      input: this.#input,
      natural,
      canControl: () => this.#link.via !== undefined,
      onChange: (capture) => this.#set({ capture }),
    });
    this.#capture.start();
  }

  /** `onLeft` runs when the person gives the keyboard back by keys. */
  set onLeft(onLeft: () => void) {
    this.#onLeft = onLeft;
  }

  /** Keyboard and mouse go to the host. */
  enter(): void {
    this.#capture?.enter();
  }

  /** They are the page's again. */
  leave(): void {
    this.#capture?.leave();
    this.#onLeft();
  }

  setPointerMode(pointerMode: ControlState['pointerMode']): void {
    if (pointerMode === this.#state.pointerMode) return;
    this.#capture?.modeChanged();
    this.#input.pointer.setMode(pointerMode);
    this.#set({ pointerMode });
  }

  /** The device tells how something stands. */
  received(change: Partial<Pick<ControlState, 'hid' | 'serial' | 'power' | 'macros'>>): void {
    this.#set(change);
    this.#follow();
  }

  /** Asks for what the page shows; what cannot be had stays as it was. */
  refresh(): void {
    const { api } = this.#options;
    const show = (request: Promise<Parameters<Control['received']>[0]>): void => {
      // Asked again when the device's events are back, and the page says that they are not there.
      request.then((change) => this.received(change)).catch(() => undefined);
    };
    show(api.hid().then((hid) => ({ hid })));
    show(api.serial().then((serial) => ({ serial })));
    show(api.power().then((power) => ({ power })));
  }

  /** Asks for the macros anew: another viewer's changes are not told. */
  async listMacros(): Promise<void> {
    await this.ask('host', async () => this.#set({ macros: await this.#options.api.macros() }));
  }

  /** Asks the device to do something, and shows why it did not. True: it did. */
  readonly ask = async (place: ControlPlace, request: () => Promise<unknown>): Promise<boolean> => {
    this.forgetError(place);
    try {
      await request();
      return true;
    } catch (error) {
      // Somebody stopped it, and so it ended.
      const isStopped = error instanceof Error && Reflect.get(error, 'code') === 'HID_STOPPED';
      if (!isStopped) this.#setError(place, error instanceof Error ? error.message : String(error));
      return false;
    }
  };

  /** What failed before is of no interest any more. */
  forgetError(place: ControlPlace): void {
    if (this.#state.errors[place] !== '') this.#setError(place, '');
  }

  /** Everything of everybody goes up, on the host and here. */
  releaseAll(): void {
    this.#input.release();
    void this.ask('host', async () => this.received({ hid: await this.#options.api.release() }));
  }

  #follow(): void {
    const { hid } = this.#state;
    if (this.#isStarted && hid !== null && hid !== undefined) this.#link.start();
    else this.#link.stop();
  }

  #viaChanged(via: ControlState['via']): void {
    // What was held the device let go of when it lost the way, or was told to.
    this.#input.forget();
    if (via === undefined) {
      this.#clock.stop();
      this.#capture?.leave();
    } else this.#clock.start();
    this.#set({ via });
  }

  #receive(message: DeviceMessage): void {
    const { hid } = this.#state;
    switch (message.type) {
      case 'pong':
        this.#clock.answered({ sentMs: message.viewerTimestampMs, deviceMs: message.deviceMs });
        return;
      case 'written':
        this.#latency.note(message.latencyMs, performance.now());
        return;
      case 'notice':
        this.#set({ notice: message.text });
        this.#endNotice();
        this.#endNotice = later(noticeMs, () => this.#set({ notice: '' }));
        return;
      case 'leds': {
        const bit = (index: number): boolean => (message.mask & (1 << index)) !== 0;
        const leds = { num: bit(0), caps: bit(1), scroll: bit(2), compose: bit(3), kana: bit(4) };
        if (hid) this.#set({ hid: { ...hid, leds } });
        return;
      }
      case 'host':
        if (!hid || hid.host === message.state) return;
        // The reason comes with the device's next word on it.
        this.#set({ hid: { ...hid, host: message.state, reason: '' } });
        return;
    }
  }

  #showLatency(): void {
    if (this.#state.via === undefined) return;
    const nowMs = performance.now();
    this.#set({ latency: this.#latency.numbers(nowMs), nowMs });
  }

  #setError(place: ControlPlace, error: string): void {
    this.#set({ errors: { ...this.#state.errors, [place]: error } });
  }

  #set(change: Partial<ControlState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange(this.#state);
  }
}

function later(delayMs: number, action: () => void): () => void {
  const timer = window.setTimeout(action, delayMs);
  return () => window.clearTimeout(timer);
}
