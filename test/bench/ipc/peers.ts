import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Channel } from '../../../src/ipc/channel.ts';

const program = fileURLToPath(new URL('./receiver.ts', import.meta.url));
const deadlineMs = 60_000;

/** One way of moving frames to another process. */
export interface Peer {
  /** Sends `count` frames of `payload` as fast as the other process takes them; resolves when it has all. */
  burst(payload: Buffer, count: number): Promise<void>;
  /** Frames lost so far; a figure taken with any is worthless. */
  lost(): number;
  close(): Promise<void>;
}

/** One frame to the other process and back. */
export interface Echo {
  roundTrip(payload: Buffer): Promise<void>;
  close(): Promise<void>;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, 'exit', { signal: AbortSignal.timeout(deadlineMs) });
  }
}

function count32(count: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32LE(count, 0);
  return buffer;
}

function socketOf(child: ChildProcess): Socket {
  const socket = child.stdio[3];
  if (!(socket instanceof Socket)) throw new Error('the child has no socket on fd 3');
  return socket;
}

function spawnWithSocket(mode: string): ChildProcess {
  return spawn(process.execPath, [program, mode], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
}

async function startChannel(mode: string) {
  const child = spawnWithSocket(mode);
  const channel = new Channel(socketOf(child));
  const signal = AbortSignal.timeout(deadlineMs);
  const up = once(channel, 'control', { signal });
  channel.start();
  await up;
  const close = async () => {
    channel.close();
    await ended(child);
  };
  return { channel, close };
}

/** What Earshot uses. Every frame is stamped, as a capture thread's are. */
export async function channelPeer(): Promise<Peer> {
  const { channel, close } = await startChannel('channel');
  return {
    async burst(payload, count) {
      const signal = AbortSignal.timeout(deadlineMs);
      const done = once(channel, 'control', { signal });
      const type = payload.length <= 1_500 ? 'opus' : 'video';
      channel.sendMedia({ type, payload: count32(count, 4), timestampNs: process.hrtime.bigint() });
      for (let sent = 0; sent < count; sent += 1) {
        const room = channel.sendMedia({ type, payload, timestampNs: process.hrtime.bigint() });
        if (!room) await once(channel, 'drain', { signal });
      }
      await done;
    },
    lost() {
      const { mediaDropped, sequenceGaps } = channel.stats();
      return mediaDropped.opus + mediaDropped.video + sequenceGaps;
    },
    close,
  };
}

export async function channelEcho(): Promise<Echo> {
  const { channel, close } = await startChannel('channel-echo');
  return {
    async roundTrip(payload) {
      const back = once(channel, 'media');
      channel.sendMedia({ type: 'opus', payload, timestampNs: process.hrtime.bigint() });
      await back;
    },
    close,
  };
}

async function startBuiltin(mode: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, mode], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  await once(child, 'message', { signal: AbortSignal.timeout(deadlineMs) });
  return child;
}

async function stopBuiltin(child: ChildProcess): Promise<void> {
  child.disconnect();
  await ended(child);
}

/** Node's own channel between processes: structured clone over a socket. */
export async function builtinPeer(): Promise<Peer> {
  const child = await startBuiltin('builtin');
  const send = (payload: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const sent = (error: Error | null) => (error === null ? resolve() : reject(error));
      // Without room it calls back once it has; with room there is no need to wait.
      if (child.send(payload, undefined, undefined, sent)) resolve();
    });
  return {
    async burst(payload, count) {
      const done = once(child, 'message', { signal: AbortSignal.timeout(deadlineMs) });
      await send(count32(count, 4));
      for (let sent = 0; sent < count; sent += 1) await send(payload);
      await done;
    },
    lost: () => 0,
    close: () => stopBuiltin(child),
  };
}

export async function builtinEcho(): Promise<Echo> {
  const child = await startBuiltin('builtin-echo');
  return {
    async roundTrip(payload) {
      const back = once(child, 'message');
      child.send(payload);
      await back;
    },
    close: () => stopBuiltin(child),
  };
}

/** The floor: the same number of bytes through the same kind of socket, with no message in them. */
export async function rawPeer(headerBytes: number): Promise<Peer> {
  const child = spawnWithSocket('raw');
  const socket = socketOf(child);
  await once(socket, 'data', { signal: AbortSignal.timeout(deadlineMs) });
  return {
    async burst(payload, count) {
      const signal = AbortSignal.timeout(deadlineMs);
      const done = once(socket, 'data', { signal });
      const frame = Buffer.concat([Buffer.alloc(headerBytes), payload]);
      // Small frames go out 40 to a write, as the channel's do.
      const perWrite = frame.length < 65_536 ? 40 : 1;
      const block = Buffer.concat(Array.from({ length: perWrite }, () => frame));
      const writes = Math.ceil(count / perWrite);
      socket.write(count32(writes * block.length, 5));
      for (let index = 0; index < writes; index += 1) {
        if (!socket.write(block)) await once(socket, 'drain', { signal });
      }
      await done;
    },
    lost: () => 0,
    async close() {
      socket.destroy();
      await ended(child);
    },
  };
}
