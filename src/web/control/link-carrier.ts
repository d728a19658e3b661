import {
  type DeviceMessage,
  decodeDeviceMessage,
  encodeViewerMessage,
  type ViewerMessage,
} from '../../control/hid/hid-messages.ts';
import { hidProtocol, keysChannelLabel, pointerChannelLabel } from '../../control/hid/limits.ts';

/** What a message goes by. */
export type LinkVia = 'channels' | 'websocket';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A message before it has its number. */
export type Outgoing = DistributiveOmit<ViewerMessage, 'sequence'>;

/** One way to the device. */
export interface Carrier {
  readonly via: LinkVia;
  /**
   * False: it is not open, or so much waits already that the message would be of no use when it came.
   * Throws RangeError for a value that no message can carry.
   */
  send(message: Outgoing): boolean;
  /** Nothing is reported afterwards. */
  close(): void;
}

export interface CarrierEvents {
  readonly onOpen: () => void;
  readonly onMessage: (message: DeviceMessage) => void;
  /** Once, and the last of all. */
  readonly onClosed: () => void;
}

/** Pointer messages are skipped while more bytes wait: some hundred, and the newest place is all that counts. */
const maxPointerBuffer = 4_096;

/** With so many bytes of keys waiting the way is dead, and another is to be found. */
const maxKeysBuffer = 65_536;

/** The part of RTCDataChannel and WebSocket that is used. */
interface Pipe {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Numbers what is sent over one pipe. */
class Sender {
  readonly #pipe: Pipe;
  #sequence = 0;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  send(message: Outgoing, maxBuffer: number): boolean {
    if (this.#pipe.bufferedAmount > maxBuffer) return false;
    this.#pipe.send(encodeViewerMessage({ ...message, sequence: this.#sequence }));
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return true;
  }
}

/** The message is of use only if it comes soon: the next one makes up for it. */
function isReplaceable({ type }: Outgoing): boolean {
  return type === 'move-absolute' || type === 'move-relative' || type === 'alive';
}

/** Two data channels on `connection`: what must come in order, and what may be lost. Throws what `createDataChannel` does. */
export function channelsCarrier(connection: RTCPeerConnection, events: CarrierEvents): Carrier {
  const protocol = hidProtocol;
  const keys = connection.createDataChannel(keysChannelLabel, { ordered: true, protocol });
  const pointer = connection.createDataChannel(pointerChannelLabel, {
    ordered: false,
    maxRetransmits: 0,
    protocol,
  });
  const channels = [keys, pointer];
  const byKeys = new Sender(keys);
  const byPointer = new Sender(pointer);
  const areOpen = (): boolean => channels.every(({ readyState }) => readyState === 'open');
  const close = (): void => {
    for (const channel of channels) {
      channel.onopen = null;
      channel.onmessage = null;
      channel.onclose = null;
      channel.close();
    }
  };
  for (const channel of channels) {
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => {
      if (areOpen()) events.onOpen();
    };
    channel.onmessage = ({ data }) => deliver(data, events);
    channel.onclose = () => {
      close();
      events.onClosed();
    };
  }
  return {
    via: 'channels',
    send(message) {
      if (!areOpen()) return false;
      // Where the pointer is, is the newest message's to say; by how much it moved, that of each.
      if (message.type === 'move-absolute' || message.type === 'alive') {
        return byPointer.send(message, maxPointerBuffer);
      }
      return byKeys.send(message, isReplaceable(message) ? maxPointerBuffer : maxKeysBuffer);
    },
    close,
  };
}

/** The same messages over a WebSocket, where data channels do not come about. */
export function socketCarrier(socket: WebSocket, events: CarrierEvents): Carrier {
  const sender = new Sender(socket);
  const silence = (): void => {
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
  };
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => events.onOpen();
  socket.onmessage = ({ data }) => deliver(data, events);
  socket.onclose = () => {
    silence();
    events.onClosed();
  };
  return {
    via: 'websocket',
    send(message) {
      // WebSocket.OPEN, which is a constant of the standard (WebSockets §3.1).
      if (socket.readyState !== 1) return false;
      return sender.send(message, isReplaceable(message) ? maxPointerBuffer : maxKeysBuffer);
    },
    close() {
      silence();
      socket.close();
    },
  };
}

/** A newer device may say what this page does not know: that is left aside. */
function deliver(data: unknown, { onMessage }: CarrierEvents): void {
  if (!(data instanceof ArrayBuffer)) return;
  const message = decodeDeviceMessage(new Uint8Array(data));
  if (message !== undefined) onMessage(message);
}
