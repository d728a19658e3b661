import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/**
 * A stream of bytes from one network namespace to another, and how fast it comes.
 * Usage: node netns-traffic.ts sink — prints its port, then for each connection, once it sent for 1.5 s: {"bytes":…,"ms":…}
 *        node netns-traffic.ts source <address> <port> — sends until the sink closes
 */

const measureMs = 1_500;

async function main(): Promise<void> {
  const [mode, address = '', port = ''] = process.argv.slice(2);
  if (mode === 'sink') await sink();
  else if (mode === 'source') await send(createConnection({ host: address, port: Number(port) }));
  else throw new Error(`mode ${mode}; sink and source are allowed`);
}

async function sink(): Promise<void> {
  const server = createServer((socket) => {
    let bytes = 0;
    let sinceMs = Number.NaN;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      // From the first byte on, which is not counted: it says when, not how fast.
      if (Number.isNaN(sinceMs)) sinceMs = performance.now();
      else bytes += data.length;
      const ms = performance.now() - sinceMs;
      if (ms < measureMs || socket.destroyed) return;
      process.stdout.write(`${JSON.stringify({ bytes, ms })}\n`);
      socket.destroy();
    });
  });
  server.listen(0, '::');
  await once(server, 'listening');
  const listening = server.address();
  if (listening === null || typeof listening === 'string') throw new Error('no TCP port');
  process.stdout.write(`${JSON.stringify({ port: listening.port })}\n`);
}

async function send(socket: Socket): Promise<void> {
  const block = Buffer.alloc(16_384);
  // The sink closes while there is more to send.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const fill = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('connect', fill);
  socket.on('drain', fill);
  await closed;
}

await main();
