import type { HostInput } from './host-input.ts';
import { lockableKeyboard } from './keyboard-lock.ts';
import { hostPlace, pictureBox, type Size } from './picture-place.ts';
import { type Finger, TouchGestures } from './touch-gestures.ts';

/** How keyboard and mouse are held, for the page to say. */
export interface CaptureState {
  /** Keys go to the host. */
  readonly captured: boolean;
  /** The pointer is locked to the picture and moves the host's by so much. */
  readonly pointerLocked: boolean;
  /** The browser leaves its own shortcuts to the host too. */
  readonly keyboardLocked: boolean;
}

export const notCaptured: CaptureState = {
  captured: false,
  pointerLocked: false,
  keyboardLocked: false,
};

export interface InputCaptureOptions {
  /** What is clicked into: the picture, or what stands in for it. It can be focused. */
  readonly element: HTMLElement;
  readonly input: HostInput;
  /** Size of the host's picture; zeros while it is not known. */
  readonly natural: () => Size;
  /** There is a way to the device. */
  readonly canControl: () => boolean;
  readonly onChange: (state: CaptureState) => void;
}

/**
 * Takes keyboard and mouse from the page to the host while the element has the focus. Whatever takes the
 * focus, the page or the pointer away lets go of all that is held.
 */
export class InputCapture {
  readonly #options: InputCaptureOptions;
  readonly #touch: TouchGestures;
  #abort: AbortController | undefined;
  #state = notCaptured;
  #frame: number | undefined;

  constructor(options: InputCaptureOptions) {
    this.#options = options;
    const { input } = options;
    this.#touch = new TouchGestures({
      point: (finger) => this.#point(finger),
      click: (mask, finger) => {
        this.#point(finger);
        input.pointer.pressed(mask, finger.timeStamp);
        input.pointer.pressed(0, finger.timeStamp);
      },
      // The picture goes with the fingers: what is below comes when they go up.
      scroll: ({ dx, dy }, timeStamp) => {
        input.pointer.turned({ deltaX: -dx, deltaY: -dy, deltaMode: 0 }, timeStamp);
        this.#wantFrame();
      },
    });
  }

  get state(): CaptureState {
    return this.#state;
  }

  start(): void {
    if (this.#abort !== undefined) return;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const { element } = this.#options;
    // A key's press and the click that begins all this are not for shortcuts of the page.
    element.addEventListener('keydown', (event) => this.#key(event), { signal });
    element.addEventListener('keyup', (event) => this.#key(event), { signal });
    element.addEventListener('focus', () => this.#focused(), { signal });
    element.addEventListener('blur', () => this.leave(), { signal });
    element.addEventListener('pointerdown', (event) => this.#pointerDown(event), { signal });
    for (const type of ['pointermove', 'pointerup'] as const) {
      element.addEventListener(type, (event) => this.#pointer(event), { signal });
    }
    for (const type of ['pointercancel', 'lostpointercapture'] as const) {
      element.addEventListener(type, (event) => this.#pointerLost(event), { signal });
    }
    element.addEventListener('wheel', (event) => this.#wheel(event), { signal, passive: false });
    // Selecting, scrolling with the middle button, going back, and menus are the host's affair now.
    for (const type of ['mousedown', 'mouseup', 'auxclick', 'contextmenu', 'dragstart'] as const) {
      element.addEventListener(type, (event) => this.#keepFromBrowser(event), { signal });
    }
    document.addEventListener('visibilitychange', () => this.leave(), { signal });
    document.addEventListener('pointerlockchange', () => this.#pointerLockChanged(), { signal });
    document.addEventListener('fullscreenchange', () => this.#fullScreenChanged(), { signal });
    for (const type of ['blur', 'pagehide'] as const) {
      window.addEventListener(type, () => this.leave(), { signal });
    }
  }

  /** Idempotent; nothing is held or listened to afterwards. */
  stop(): void {
    this.leave();
    this.#abort?.abort();
    this.#abort = undefined;
    if (this.#frame !== undefined) window.cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  /** Keyboard and mouse go to the host, as after a click. */
  enter(): void {
    if (!this.#options.canControl()) return;
    this.#options.element.focus({ preventScroll: true });
    this.#focused();
  }

  /** Keyboard and mouse are the page's again. */
  leave(): void {
    if (!this.#state.captured) return;
    const { element, input } = this.#options;
    this.#set({ captured: false, keyboardLocked: false });
    input.release();
    this.#touch.cancel();
    lockableKeyboard()?.unlock();
    if (document.pointerLockElement === element) document.exitPointerLock();
    if (document.activeElement === element) element.blur();
  }

  /** How the pointer moves from now on; the relative one begins with the next click. */
  modeChanged(): void {
    const { element, input } = this.#options;
    if (this.#state.captured) input.release();
    if (document.pointerLockElement === element) document.exitPointerLock();
  }

  #focused(): void {
    const { element, canControl } = this.#options;
    if (this.#state.captured || document.activeElement !== element) return;
    if (document.hidden || !document.hasFocus() || !canControl()) return;
    this.#set({ captured: true });
    this.#lockKeyboard();
  }

  #key(event: KeyboardEvent): void {
    if (!this.#state.captured) return;
    if (!this.#options.input.key(event)) return;
    event.preventDefault();
    // The page's own shortcuts are silent meanwhile.
    event.stopPropagation();
  }

  #pointerDown(event: PointerEvent): void {
    const wasCaptured = this.#state.captured;
    // Of a touch, only the first one is for getting in; the next ones point.
    if (!wasCaptured) this.enter();
    if (!this.#state.captured) return;
    const { element, input } = this.#options;
    // A locked pointer is nowhere, and cannot leave (Pointer Lock 2.0 §8).
    if (document.pointerLockElement === null) element.setPointerCapture(event.pointerId);
    if (event.pointerType === 'touch') {
      if (wasCaptured) this.#touch.down(fingerOf(event));
      return;
    }
    if (input.pointer.mode === 'relative' && document.pointerLockElement !== element) {
      void this.#lockPointer();
      return;
    }
    this.#mouse(event);
  }

  #pointer(event: PointerEvent): void {
    if (!this.#state.captured) return;
    if (event.pointerType !== 'touch') {
      this.#mouse(event);
      return;
    }
    if (event.type === 'pointerup') this.#touch.up(fingerOf(event));
    else this.#touch.move(fingerOf(event));
  }

  #mouse(event: PointerEvent): void {
    const { input } = this.#options;
    const { buttons, timeStamp } = event;
    if (input.pointer.mode === 'relative') {
      if (!this.#state.pointerLocked) return;
      if (event.type === 'pointermove') {
        input.pointer.movedBy(event.movementX, event.movementY, timeStamp);
      }
    } else this.#point(event);
    // A second button comes as a move with other buttons (Pointer Events §4.2.2).
    input.pointer.pressed(buttons, timeStamp);
    this.#wantFrame();
  }

  #point(at: {
    readonly clientX: number;
    readonly clientY: number;
    readonly timeStamp: number;
  }): void {
    const { element, input, natural } = this.#options;
    if (input.pointer.mode === 'relative') return;
    const box = pictureBox(element.getBoundingClientRect(), natural());
    input.pointer.movedTo(hostPlace(at, box, window.devicePixelRatio), at.timeStamp);
    this.#wantFrame();
  }

  #pointerLost({ pointerType, timeStamp, type }: PointerEvent): void {
    if (!this.#state.captured) return;
    if (pointerType === 'touch') {
      if (type === 'pointercancel') this.#touch.cancel();
    } else if (!this.#state.pointerLocked) this.#options.input.pointer.pressed(0, timeStamp);
  }

  #wheel(event: WheelEvent): void {
    if (!this.#state.captured) return;
    event.preventDefault();
    this.#options.input.pointer.turned(event, event.timeStamp);
    this.#wantFrame();
  }

  #keepFromBrowser(event: Event): void {
    if (this.#state.captured) event.preventDefault();
  }

  /** One look at what moved, with the next picture of this page: more often nobody sees it. */
  #wantFrame(): void {
    this.#frame ??= window.requestAnimationFrame(() => {
      this.#frame = undefined;
      if (this.#state.captured) this.#options.input.pointer.frame();
    });
  }

  async #lockPointer(): Promise<void> {
    const { element } = this.#options;
    try {
      // Counts as the mouse sends them, without this machine's acceleration on top of the host's.
      await element.requestPointerLock({ unadjustedMovement: true });
    } catch {
      // Not to be had so on this system; then with its acceleration, and else not at all.
      await Promise.resolve(element.requestPointerLock()).catch(() => undefined);
    }
  }

  #pointerLockChanged(): void {
    const { element, input } = this.#options;
    const pointerLocked = document.pointerLockElement === element;
    if (pointerLocked === this.#state.pointerLocked) return;
    this.#set({ pointerLocked });
    // Escape, which the browser keeps for this, may have come with buttons down.
    if (!pointerLocked && this.#state.captured) input.release();
  }

  /** Who wants the whole screen wants the host. */
  #fullScreenChanged(): void {
    if (this.#isFullScreen) this.enter();
    this.#lockKeyboard();
  }

  get #isFullScreen(): boolean {
    return document.fullscreenElement?.contains(this.#options.element) === true;
  }

  /** In full screen the browser can leave its own shortcuts, and Escape, to the page. */
  #lockKeyboard(): void {
    if (!this.#state.captured || !this.#isFullScreen) {
      lockableKeyboard()?.unlock();
      this.#set({ keyboardLocked: false });
      return;
    }
    lockableKeyboard()
      ?.lock()
      .then(
        () => this.#set({ keyboardLocked: this.#state.captured }),
        () => undefined,
      );
  }

  #set(change: Partial<CaptureState>): void {
    const state = { ...this.#state, ...change };
    const isSame =
      state.captured === this.#state.captured &&
      state.pointerLocked === this.#state.pointerLocked &&
      state.keyboardLocked === this.#state.keyboardLocked;
    this.#state = state;
    if (!isSame) this.#options.onChange(state);
  }
}

function fingerOf({ pointerId, clientX, clientY, timeStamp }: PointerEvent): Finger {
  return { id: pointerId, clientX, clientY, timeStamp };
}
