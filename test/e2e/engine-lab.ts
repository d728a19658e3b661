import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type WebSocket, WebSocketServer } from 'ws';
import { buildWeb } from '../../scripts/build-web.ts';
import {
  fastLaneProtocol,
  type PingMessage,
  readPing,
  writePong,
  writeSound,
} from '../../src/media/fast-lane-packets.ts';

/** What stands for the device: the fast lane's page parts over HTTP, and its messages over a WebSocket. */

/** One Opus packet to be sent. */
export interface LabPacket {
  readonly payload: Uint8Array;
  readonly samples: number;
  readonly captureTimeNs: bigint;
}

export interface EngineLabOptions {
  /** The page gets the headers that let it share memory. */
  readonly isolated: boolean;
}

/** Turns one message into those that are really sent: loses it, breaks it, or lets it pass. */
export type Mangle = (bytes: Uint8Array, sequence: number) => readonly Uint8Array[];

export class EngineLab {
  /** Of the newest viewer, newest last. */
  readonly pings: PingMessage[] = [];
  readonly #directory: string;
  readonly #isolated: boolean;
  readonly #sockets: WebSocketServer;
  readonly #server = createServer((request, response) => {
    void this.#serve(new URL(request.url ?? '/', 'http://lab').pathname, response);
  });
  #socket: WebSocket | undefined;
  #sequence = 65_500;
  #timestamp = 0;
  #previous: Uint8Array | undefined;
  /** The device is there and says nothing. */
  isDeaf = false;
  mangle: Mangle = (bytes) => [bytes];
  /** Scripts that are served beside the real ones, by path. */
  readonly scripts = new Map<string, string>();
  /** Sockets opened and closed so far. */
  opened = 0;
  closed = 0;

  private constructor(directory: string, { isolated }: EngineLabOptions) {
    this.#directory = directory;
    this.#isolated = isolated;
    this.#sockets = new WebSocketServer({
      server: this.#server,
      handleProtocols: (protocols) => protocols.has(fastLaneProtocol) && fastLaneProtocol,
    });
    this.#sockets.on('connection', (socket) => this.#take(socket));
  }

  static async start(options: EngineLabOptions): Promise<EngineLab> {
    const directory = await mkdtemp(join(tmpdir(), 'earshot-engine-'));
    await buildWeb({ outDir: directory, minify: false });
    await build({
      entryPoints: [fileURLToPath(new URL('./page/engine-page.ts', import.meta.url))],
      outfile: join(directory, 'assets', 'engine-page.js'),
      bundle: true,
      format: 'esm',
      platform: 'browser',
      logLevel: 'warning',
    });
    const lab = new EngineLab(directory, options);
    lab.#server.listen(0, '127.0.0.1');
    await once(lab.#server, 'listening');
    return lab;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${(address satisfies AddressInfo).port}/`;
  }

  /** Somebody listens: what was asked for last wants sound. */
  get isWanted(): boolean {
    return this.#socket !== undefined && this.pings.at(-1)?.wantsSound === true;
  }

  /** Sends a packet to whoever wants it. */
  publish({ payload, samples, captureTimeNs }: LabPacket): void {
    const sequence = this.#sequence;
    const redundant = this.pings.at(-1)?.wantsRedundancy === true;
    const bytes = writeSound({
      sequence,
      timestamp: this.#timestamp,
      captureTimeUs: Number(captureTimeNs / 1_000n),
      discontinuity: false,
      payload,
      previous: redundant ? this.#previous : undefined,
    });
    this.#sequence = (sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + samples) >>> 0;
    this.#previous = payload;
    if (!this.isWanted || this.isDeaf) return;
    for (const message of this.mangle(bytes, sequence)) this.#socket?.send(message);
  }

  /** As a device that restarts: the connection breaks. */
  cut(): void {
    this.#socket?.terminate();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #take(socket: WebSocket): void {
    this.opened += 1;
    this.#socket = socket;
    this.pings.length = 0;
    // A close follows.
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const receivedUs = nowUs();
      const ping = readPing(data);
      if (ping === undefined || this.isDeaf) return;
      this.pings.push(ping);
      socket.send(writePong({ id: ping.id, receivedUs, sentUs: nowUs() }));
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.closed += 1;
    });
  }

  async #serve(path: string, response: ServerResponse): Promise<void> {
    const type = path.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.setHeader('content-type', type);
    if (this.#isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    if (path === '/') {
      response.end(
        '<!doctype html><title>engine</title><script type="module" src="/assets/engine-page.js"></script>',
      );
      return;
    }
    const script = this.scripts.get(path);
    if (script !== undefined) {
      response.end(script);
      return;
    }
    try {
      response.end(await readFile(join(this.#directory, 'assets', basename(path))));
    } catch {
      response.writeHead(404).end();
    }
  }
}

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
