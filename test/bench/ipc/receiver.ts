/**
 * The other process of the ipc benchmark: receives, and says when it has everything. Argument: the
 * way it is spoken to. `echo` sends every frame back, for the round trip.
 */
import { Socket } from 'node:net';
import { openParentChannel } from '../../../src/ipc/parent-channel.ts';

const [mode = ''] = process.argv.slice(2);

/** A run is announced by a frame or message of 4 or 5 bytes: how much will come. */
function announcement(payload: Uint8Array): number | undefined {
  if (payload.length !== 4) return undefined;
  return Buffer.from(payload.buffer, payload.byteOffset, 4).readUInt32LE(0);
}

function channel(echo: boolean): void {
  const parent = openParentChannel();
  let left = 0;
  parent.on('media', ({ type, payload, timestampNs }) => {
    if (echo) {
      parent.sendMedia({ type, payload, timestampNs });
      return;
    }
    const count = announcement(payload);
    if (count !== undefined) {
      left = count;
      return;
    }
    left -= 1;
    if (left === 0) parent.send('event', { name: 'done', data: {} });
  });
  parent.on('close', () => process.exit(0));
  parent.start();
  parent.send('event', { name: 'up', data: {} });
}

function builtin(echo: boolean): void {
  let left = 0;
  process.on('message', (message) => {
    if (!(message instanceof Uint8Array)) return;
    if (echo) {
      process.send?.(message);
      return;
    }
    const count = announcement(message);
    if (count !== undefined) {
      left = count;
      return;
    }
    left -= 1;
    if (left === 0) process.send?.('done');
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('up');
}

/** Counts bytes: the floor, no messages at all. Each run begins with 5 bytes: their number, and one of padding. */
function raw(): void {
  const socket = new Socket({ fd: 3, readable: true, writable: true });
  let left = 0;
  socket.on('data', (chunk: Buffer) => {
    if (left === 0) left = chunk.readUInt32LE(0) + 5;
    left -= chunk.length;
    if (left === 0) socket.write('d');
  });
  socket.on('error', () => process.exit(0));
  socket.on('close', () => process.exit(0));
  socket.write('u');
}

if (mode === 'channel') channel(false);
else if (mode === 'channel-echo') channel(true);
else if (mode === 'builtin') builtin(false);
else if (mode === 'builtin-echo') builtin(true);
else raw();
