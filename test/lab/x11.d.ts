/** What the lab uses of the npm package x11, which has no types of its own. */
declare module 'x11' {
  import type { EventEmitter } from 'node:events';

  type Reply<T> = (error: Error | null | undefined, result: T) => boolean | undefined;

  export interface XScreenSetup {
    readonly root: number;
    readonly pixel_width: number;
    readonly pixel_height: number;
    readonly black_pixel: number;
  }

  export interface XDisplaySetup {
    readonly client: XConnection;
    readonly screen: readonly XScreenSetup[];
  }

  export interface XEvent {
    readonly type: number;
    readonly name?: string;
    readonly keycode?: number;
    readonly rootx?: number;
    readonly rooty?: number;
    readonly xkbType?: number;
  }

  export interface XTestExtension {
    readonly KeyPress: number;
    readonly KeyRelease: number;
    readonly ButtonPress: number;
    readonly ButtonRelease: number;
    readonly MotionNotify: number;
    FakeInput(
      type: number,
      detail: number,
      time: number,
      window: number,
      x: number,
      y: number,
    ): void;
  }

  export interface XkbExtension {
    readonly UseCoreKbd: number;
    readonly EventType: { readonly IndicatorStateNotify: number };
    UseExtension(major: number, minor: number, reply: Reply<unknown>): void;
    SelectEvents(
      device: number,
      affect: number,
      clear: number,
      selectAll: number,
      affectMap: number,
      map: number,
    ): void;
  }

  export interface XConnection extends EventEmitter<{ event: [XEvent]; error: [Error]; end: [] }> {
    /** Absent until the first try to connect. */
    readonly stream?: { destroy(): void; once(event: 'close', listener: () => void): unknown };
    require(name: 'xtest', reply: Reply<XTestExtension>): void;
    require(name: 'xkb', reply: Reply<XkbExtension>): void;
    AllocID(): number;
    CreateWindow(
      window: number,
      parent: number,
      x: number,
      y: number,
      width: number,
      height: number,
      border: number,
      depth: number,
      kind: number,
      visual: number,
      values: Readonly<Record<string, number | boolean>>,
    ): void;
    ChangeWindowAttributes(window: number, values: Readonly<Record<string, number>>): void;
    ClearArea(
      window: number,
      x: number,
      y: number,
      width: number,
      height: number,
      exposures: number,
    ): void;
    MapWindow(window: number): void;
    SetInputFocus(window: number, revertTo: number): void;
    GetInputFocus(reply: Reply<{ readonly focus: number }>): void;
    GetKeyboardControl(reply: Reply<{ readonly ledMask: number }>): void;
    QueryPointer(
      window: number,
      reply: Reply<{ readonly rootX: number; readonly rootY: number }>,
    ): void;
    QueryKeymap(reply: Reply<Buffer>): void;
    terminate(): void;
  }

  export const eventMask: Readonly<Record<string, number>>;
  export function createClient(
    options: { readonly display: string; readonly shm?: boolean },
    connected: (error: Error | undefined, display: XDisplaySetup | undefined) => void,
  ): XConnection;
}
