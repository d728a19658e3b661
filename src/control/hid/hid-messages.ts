import {
  type DeviceMessage,
  deviceMessageTypes,
  headerBytes,
  hostStates,
  type KeyPage,
  keyPages,
  maxMessageBytes,
  messageBytes,
  type NoticeCode,
  noticeCodes,
  type PointerMode,
  pointerModes,
  type Stamped,
  type ViewerMessage,
  viewerMessageTypes,
} from './hid-message-types.ts';
import { maxConsumerUsage, maxCoordinate, maxDelta, maxNoticeBytes } from './limits.ts';

/**
 * The messages between a viewer and the device, as bytes (PROTOCOL.md). Little-endian, one a datagram.
 * Both ends use this file, so it needs nothing of Node's. Decoding returns undefined for what is not
 * exactly a message; encoding throws a RangeError.
 */
export * from './hid-message-types.ts';

/** The last instant a Date can hold, in ms: a timestamp beyond it is none. */
const lastInstantMs = 8.64e15;
const maxButtons = 0b1_1111;
const maxLeds = 0b1_1111;

const viewerTypeOf = byNumber<keyof typeof viewerMessageTypes>(viewerMessageTypes);
const deviceTypeOf = byNumber<keyof typeof deviceMessageTypes>(deviceMessageTypes);
const noticeOf = byNumber<NoticeCode>(noticeCodes);

function byNumber<N extends string>(table: Readonly<Record<N, number>>): ReadonlyMap<number, N> {
  const entries: [number, N][] = [];
  let name: N;
  for (name in table) entries.push([table[name], name]);
  return new Map(entries);
}

/** A viewer's message as bytes. Throws RangeError for a value outside its range. */
export function encodeViewerMessage(message: ViewerMessage): Uint8Array<ArrayBuffer> {
  const { type } = message;
  const view = begin(viewerMessageTypes[type], messageBytes[type], message);
  switch (type) {
    case 'key':
      assertRange('usage', validUsage(message.page, message.usage));
      view.setUint8(12, keyPages.indexOf(message.page));
      view.setUint8(13, Number(message.down));
      view.setUint16(14, message.usage, true);
      break;
    case 'button':
      assertRange('button', validButton(message));
      view.setUint8(12, pointerModes.indexOf(message.mode));
      view.setUint8(13, message.mask);
      view.setUint16(14, message.x, true);
      view.setUint16(16, message.y, true);
      break;
    case 'move-absolute':
      assertRange('position', within(message.x, maxCoordinate) && within(message.y, maxCoordinate));
      view.setUint16(12, message.x, true);
      view.setUint16(14, message.y, true);
      break;
    case 'move-relative':
      setPair(view, message.dx, message.dy);
      break;
    case 'wheel':
      setPair(view, message.vertical, message.horizontal);
      break;
    case 'release':
      break;
    case 'alive':
      assertRange('alive', within(message.modifiers, 255) && within(message.held, 255));
      view.setUint8(12, message.modifiers);
      view.setUint8(13, message.held);
      break;
    case 'clock':
      assertRange('offset', validOffset(message.offsetMs));
      view.setFloat64(12, message.offsetMs, true);
      break;
    default:
      throw new RangeError(`no message: ${type satisfies never}`);
  }
  return new Uint8Array(view.buffer);
}

/** The viewer's message in these bytes; undefined when they are not exactly one. */
export function decodeViewerMessage(bytes: Uint8Array): ViewerMessage | undefined {
  const opened = open(bytes, viewerTypeOf);
  if (opened === undefined) return undefined;
  const { type, view, stamp } = opened;
  if (bytes.length !== messageBytes[type]) return undefined;
  switch (type) {
    case 'key': {
      const page = keyPages[view.getUint8(12)];
      const down = view.getUint8(13);
      const usage = view.getUint16(14, true);
      if (page === undefined || down > 1 || !validUsage(page, usage)) return undefined;
      return { type, ...stamp, page, usage, down: down === 1 };
    }
    case 'button': {
      const mode = pointerModes[view.getUint8(12)];
      if (mode === undefined) return undefined;
      const mask = view.getUint8(13);
      const button = { mode, mask, x: view.getUint16(14, true), y: view.getUint16(16, true) };
      return validButton(button) ? { type, ...stamp, ...button } : undefined;
    }
    case 'move-absolute': {
      const x = view.getUint16(12, true);
      const y = view.getUint16(14, true);
      return x > maxCoordinate || y > maxCoordinate ? undefined : { type, ...stamp, x, y };
    }
    case 'move-relative': {
      const dx = view.getInt16(12, true);
      const dy = view.getInt16(14, true);
      return validDelta(dx) && validDelta(dy) ? { type, ...stamp, dx, dy } : undefined;
    }
    case 'wheel': {
      const vertical = view.getInt16(12, true);
      const horizontal = view.getInt16(14, true);
      if (!validDelta(vertical) || !validDelta(horizontal)) return undefined;
      return { type, ...stamp, vertical, horizontal };
    }
    case 'release':
      return { type, ...stamp };
    case 'alive':
      return { type, ...stamp, modifiers: view.getUint8(12), held: view.getUint8(13) };
    case 'clock': {
      const offsetMs = view.getFloat64(12, true);
      return validOffset(offsetMs) ? { type, ...stamp, offsetMs } : undefined;
    }
    default:
      return type satisfies never;
  }
}

/** A device's message as bytes; a notice's text is cut to 200 bytes. Throws RangeError for a value outside its range. */
export function encodeDeviceMessage(message: DeviceMessage): Uint8Array<ArrayBuffer> {
  const { type } = message;
  const text = type === 'notice' ? utf8(message.text) : new Uint8Array(0);
  const view = begin(deviceMessageTypes[type], messageBytes[type] + text.length, message);
  switch (type) {
    case 'leds':
      assertRange('mask', within(message.mask, maxLeds));
      view.setUint8(12, message.mask);
      break;
    case 'written':
      assertRange('sequence', within(message.of, 0xffff));
      view.setUint16(12, message.of, true);
      view.setUint8(14, Number(message.taken));
      view.setFloat64(15, message.latencyMs, true);
      break;
    case 'host':
      view.setUint8(12, hostStates.indexOf(message.state));
      break;
    case 'pong':
      assertRange('time', validTime(message.viewerTimestampMs) && validTime(message.deviceMs));
      view.setFloat64(12, message.viewerTimestampMs, true);
      view.setFloat64(20, message.deviceMs, true);
      break;
    case 'notice':
      view.setUint8(12, noticeCodes[message.code]);
      new Uint8Array(view.buffer).set(text, messageBytes.notice);
      break;
    default:
      throw new RangeError(`no message: ${type satisfies never}`);
  }
  return new Uint8Array(view.buffer);
}

/** The device's message in these bytes; undefined when they are not exactly one. */
export function decodeDeviceMessage(bytes: Uint8Array): DeviceMessage | undefined {
  const opened = open(bytes, deviceTypeOf);
  if (opened === undefined) return undefined;
  const { type, view, stamp } = opened;
  if (bytes.length !== messageBytes[type] && type !== 'notice') return undefined;
  switch (type) {
    case 'leds': {
      const mask = view.getUint8(12);
      return mask > maxLeds ? undefined : { type, ...stamp, mask };
    }
    case 'written': {
      const taken = view.getUint8(14);
      const latencyMs = view.getFloat64(15, true);
      if (taken > 1 || Math.abs(latencyMs) === Number.POSITIVE_INFINITY) return undefined;
      return { type, ...stamp, of: view.getUint16(12, true), taken: taken === 1, latencyMs };
    }
    case 'host': {
      const state = hostStates[view.getUint8(12)];
      return state === undefined ? undefined : { type, ...stamp, state };
    }
    case 'pong': {
      const viewerTimestampMs = view.getFloat64(12, true);
      const deviceMs = view.getFloat64(20, true);
      if (!validTime(viewerTimestampMs) || !validTime(deviceMs)) return undefined;
      return { type, ...stamp, viewerTimestampMs, deviceMs };
    }
    case 'notice': {
      if (bytes.length < messageBytes.notice || bytes.length > maxMessageBytes) return undefined;
      const code = noticeOf.get(view.getUint8(12));
      const text = textOf(bytes.subarray(messageBytes.notice));
      if (code === undefined || text === undefined) return undefined;
      return { type, ...stamp, code, text };
    }
    default:
      return type satisfies never;
  }
}

/** Whether the sequence number `a` comes after `b`, of numbers that wrap at 65536. */
export function isNewerSequence(a: number, b: number): boolean {
  const ahead = (a - b) & 0xffff;
  return ahead !== 0 && ahead < 0x8000;
}

/** Whether a viewer may press that usage: no error codes, nothing the reports cannot hold. */
export function validUsage(page: KeyPage, usage: number): boolean {
  if (!Number.isInteger(usage)) return false;
  switch (page) {
    case 'keyboard':
      return (usage >= 0x04 && usage <= 0xdd) || (usage >= 0xe0 && usage <= 0xe7);
    case 'consumer':
      return usage >= 1 && usage <= maxConsumerUsage;
    case 'system':
      return usage >= 0x81 && usage <= 0x83;
    default:
      return page satisfies never;
  }
}

function validButton({
  mode,
  mask,
  x,
  y,
}: {
  readonly mode: PointerMode;
  readonly mask: number;
  readonly x: number;
  readonly y: number;
}): boolean {
  const farthest = mode === 'absolute' ? maxCoordinate : 0;
  return within(mask, maxButtons) && within(x, farthest) && within(y, farthest);
}

const within = (value: number, max: number) =>
  Number.isInteger(value) && value >= 0 && value <= max;
const validDelta = (value: number) => Number.isInteger(value) && Math.abs(value) <= maxDelta;
const validTime = (ms: number) => ms >= 0 && ms <= lastInstantMs;
const validOffset = (ms: number) => Number.isNaN(ms) || Math.abs(ms) <= lastInstantMs;

function assertRange(what: string, valid: boolean): void {
  if (!valid) throw new RangeError(`the ${what} is outside what a message can carry`);
}

function setPair(view: DataView, first: number, second: number): void {
  assertRange('motion', validDelta(first) && validDelta(second));
  view.setInt16(12, first, true);
  view.setInt16(14, second, true);
}

function begin(type: number, bytes: number, { sequence, timestampMs }: Stamped) {
  assertRange('header', within(sequence, 0xffff) && validTime(timestampMs));
  const view = new DataView(new ArrayBuffer(bytes));
  view.setUint8(0, type);
  view.setUint16(2, sequence, true);
  view.setFloat64(4, timestampMs, true);
  return view;
}

function open<T>(bytes: Uint8Array, types: ReadonlyMap<number, T>) {
  if (bytes.length < headerBytes || bytes.length > maxMessageBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = types.get(view.getUint8(0));
  const timestampMs = view.getFloat64(4, true);
  if (type === undefined || view.getUint8(1) !== 0 || !validTime(timestampMs)) return undefined;
  return { type, view, stamp: { sequence: view.getUint16(2, true), timestampMs } };
}

/** The text as UTF-8, cut between two characters where it is too long. */
function utf8(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let end = Math.min(bytes.length, maxNoticeBytes);
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
