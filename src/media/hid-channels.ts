/** The two data channels of keyboard and pointer (src/control/hid/PROTOCOL.md), and the WebSocket in their place. */

export const keysLabel = 'earshot-keys';
export const pointerLabel = 'earshot-pointer';
/** Of both channels, and the WebSocket's subprotocol. */
export const hidProtocol = 'earshot-hid-1';

/** By which of them a message came. */
export const hidWays = ['keys', 'pointer', 'socket'] as const;
export type HidWay = (typeof hidWays)[number];
export type HidChannel = Exclude<HidWay, 'socket'>;

/** The longest messages: a viewer's has 24 bytes at most, a notice of the device 213. */
export const maxHidMessageBytes = { maxMessageBytes: 64, maxSendBytes: 256 } as const;

/** What happened to a channel; `overflow`: closed, since the viewer did not take what it was sent. */
export type HidChannelChange = 'open' | 'closed' | 'overflow';

/** The device's way to one viewer. */
export interface HidLink {
  /** A whole message; false: it was not taken, and nothing of it is kept. */
  send(message: Uint8Array): boolean;
}

/** What one viewer does, as whoever presses the keys takes it. */
export interface HidViewer {
  /** One message as it came, valid during the call only; a bad one is counted, never thrown. */
  receive(message: Uint8Array, way: HidWay): void;
  /** The viewer is gone: everything it holds is released. Idempotent. */
  close(): void;
}

/** Where viewers' keys and pointers go. */
export interface HidHook {
  open(session: string, link: HidLink): HidViewer;
}
