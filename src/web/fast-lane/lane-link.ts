import { fastLaneProtocol } from '../../media/fast-lane-packets.ts';

/** One way to the device, in the worker. */
export interface LaneLink {
  readonly isOpen: boolean;
  /** Drops the message when the link is not open, or more than one ping's worth of seconds waits already. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Nothing is reported afterwards. Resolves when all that was sent has left and the link is gone; on a dead link that is late or never. */
  close(): Promise<void>;
}

export interface LinkEvents {
  readonly onOpen: () => void;
  /** `bytes` is the link's no longer. */
  readonly onMessage: (bytes: Uint8Array) => void;
  /** Once, and the last of all. */
  readonly onClosed: () => void;
}

/** Bytes that may wait to be sent: some dozen pings. What is older tells nothing any more. */
const maxBufferedBytes = 4_096;

/** A data channel that was handed over to the worker. */
export function channelLink(channel: RTCDataChannel, events: LinkEvents): LaneLink {
  channel.binaryType = 'arraybuffer';
  channel.onopen = () => events.onOpen();
  channel.onmessage = ({ data }) => deliver(data, events);
  channel.onclose = () => {
    silence();
    events.onClosed();
  };
  function silence(): void {
    channel.onopen = null;
    channel.onmessage = null;
    channel.onclose = null;
  }
  return {
    get isOpen() {
      return channel.readyState === 'open';
    },
    send(bytes) {
      if (channel.readyState === 'open' && channel.bufferedAmount < maxBufferedBytes) {
        channel.send(bytes);
      }
    },
    close() {
      silence();
      channel.close();
      if (channel.readyState === 'closed') return Promise.resolve();
      return new Promise((resolve) => {
        channel.onclose = () => resolve();
      });
    },
  };
}

/** The same messages over a WebSocket, where UDP does not pass. */
export function socketLink(url: string, events: LinkEvents): LaneLink {
  const socket = new WebSocket(url, fastLaneProtocol);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => events.onOpen();
  socket.onmessage = ({ data }) => deliver(data, events);
  socket.onclose = () => {
    silence();
    events.onClosed();
  };
  function silence(): void {
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
  }
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    send(bytes) {
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < maxBufferedBytes) {
        socket.send(bytes);
      }
    },
    close() {
      silence();
      socket.close();
      if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
      return new Promise((resolve) => {
        socket.onclose = () => resolve();
      });
    },
  };
}

/** A data channel that the page had to keep. */
export function relayLink(send: (bytes: Uint8Array<ArrayBuffer>) => void): LaneLink {
  let isOpen = true;
  return {
    get isOpen() {
      return isOpen;
    },
    send(bytes) {
      if (isOpen) send(bytes);
    },
    close() {
      isOpen = false;
      return Promise.resolve();
    },
  };
}

/** Text is none of the lane's messages; an empty message is malformed, as text is. */
function deliver(data: unknown, { onMessage }: LinkEvents): void {
  onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array());
}
