import type { Server, Socket } from 'node:net';

/** One bound on the open connections of several servers together, and a hold on all of them. */
export class SharedConnections {
  readonly #max: number;
  readonly #open = new Map<Server, Set<Socket>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts the connections of `server` from now on. */
  add(server: Server): void {
    const open = new Set<Socket>();
    this.#open.set(server, open);
    server.on('connection', (socket) => {
      open.add(socket);
      this.#allot();
      socket.once('close', () => {
        open.delete(socket);
        this.#allot();
      });
    });
    this.#allot();
  }

  /** Ends every connection, those within a TLS handshake too, and forgets the servers. */
  closeAll(): void {
    for (const open of this.#open.values()) for (const socket of open) socket.destroy();
    this.#open.clear();
  }

  /** Each server may keep what it has and take what is left. */
  #allot(): void {
    const total = [...this.#open.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [server, { size }] of this.#open) {
      const allowed = size + Math.max(0, this.#max - total);
      // Node 20 takes 0 for no limit at all; with less than none, both releases refuse everybody.
      server.maxConnections = allowed === 0 ? -1 : allowed;
    }
  }
}
