import { EventEmitter } from 'node:events';
import { TokenBucket } from '../rates/token-bucket.ts';
import { addReport, type FastLaneCounts, noFastLaneCounts } from './fast-lane-counts.ts';
import {
  type FastLaneReport,
  type FastLaneWay,
  fastLaneSilenceMs,
  type PingMessage,
  readPing,
  writePong,
} from './fast-lane-packets.ts';
import type { FastLanePacket } from './fast-lane-stream.ts';

/** One way to a viewer. */
export interface FastLaneOutlet {
  /** Longest message worth making for redundancy, in bytes. */
  readonly maxRedundantBytes: number;
  /** False: it cannot take the message now, and has kept nothing of it. */
  send(message: Uint8Array): boolean;
}

/** A viewer's WebSocket of the fast lane. */
export interface FastLaneSocket extends FastLaneOutlet {
  /** Asks to close it. */
  end(reason: string): void;
}

/** The device's end of one. */
export interface FastLaneConnection {
  /** A binary message, valid during the call only; a bad one is counted, never thrown. */
  receive(message: Uint8Array): void;
  /** It is gone; idempotent. */
  close(): void;
}

/** The fast lane of one session, as `earshot stats` and the API show it. */
export interface FastLaneStatus {
  readonly via: FastLaneWay;
  /** The viewer hears this lane, not the track. */
  readonly sounding: boolean;
  readonly redundancy: boolean;
  readonly packetsSent: number;
  readonly bytesSent: number;
  /** Packets of sound that its way could not take. */
  readonly dropped: number;
  /** What the viewer last said. */
  readonly report: FastLaneReport;
}

export interface FastLaneSenderEvents {
  /** The viewer wants sound, or no longer, or by another way. */
  listening: [];
}

/** Pings that are answered: a player sends four a second. */
const maxPingsPerSecond = 50;

/**
 * The device's end of one viewer's fast lane: answers its pings, and sends it the sound on the way of
 * the last one while it asks for it. A viewer that falls silent gets no more.
 */
export class FastLaneSender extends EventEmitter<FastLaneSenderEvents> {
  readonly counts: FastLaneCounts = noFastLaneCounts();
  readonly #channel: FastLaneOutlet;
  readonly #nowUs: () => number;
  readonly #pings: TokenBucket;
  #socket: FastLaneSocket | undefined;
  #way: FastLaneWay | undefined;
  #ping: PingMessage | undefined;
  /** Kept over a silence: what was lost in it counts. */
  #lastReport: FastLaneReport | undefined;
  #silentFromUs = 0;

  constructor(options: {
    /** The data channel of the peer of the moment; takes nothing while there is none. */
    readonly channel: FastLaneOutlet;
    /** CLOCK_MONOTONIC in whole µs. */
    readonly nowUs: () => number;
  }) {
    super();
    this.#channel = options.channel;
    this.#nowUs = options.nowUs;
    this.#pings = new TokenBucket({
      perSecond: maxPingsPerSecond,
      burst: maxPingsPerSecond,
      nowMs: options.nowUs() / 1_000,
    });
  }

  /** The viewer wants sound. */
  get isListening(): boolean {
    return this.#ping?.wantsSound === true;
  }

  /** It wants it over the WebSocket, which works without a peer connection. */
  get isListeningBySocket(): boolean {
    return this.isListening && this.#way === 'websocket';
  }

  /** Takes a WebSocket, in place of the one before. */
  openSocket(socket: FastLaneSocket): FastLaneConnection {
    this.endSocket('Another WebSocket took its place.');
    this.#socket = socket;
    return {
      receive: (message) => {
        if (socket === this.#socket) this.receive('websocket', message);
      },
      close: () => {
        if (socket !== this.#socket) return;
        this.#socket = undefined;
        this.#leave('websocket');
      },
    };
  }

  /** Ends the WebSocket, where there is one. */
  endSocket(reason: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#leave('websocket');
    socket?.end(reason);
  }

  /** The data channel is gone. */
  channelClosed(): void {
    this.#leave('channel');
  }

  /** A message of the viewer, valid during the call only. A bad one is counted, never thrown. */
  receive(way: FastLaneWay, message: Uint8Array): void {
    const receivedUs = this.#nowUs();
    if (!this.#pings.take(receivedUs / 1_000)) {
      this.counts.drops.rate += 1;
      return;
    }
    const ping = readPing(message);
    if (ping === undefined) {
      this.counts.drops.malformed += 1;
      return;
    }
    addReport(this.counts.heard, { before: this.#lastReport, after: ping.report });
    this.#lastReport = ping.report;
    this.#silentFromUs = receivedUs + fastLaneSilenceMs * 1_000;
    this.#become(way, ping);
    // A pong that cannot be sent is like one that was lost: the next ping has another.
    const pong = writePong({ id: ping.id, receivedUs, sentUs: this.#nowUs() });
    this.#outlet(way)?.send(pong);
  }

  /** Costs one comparison for a viewer that does not listen; the bytes are shared by all who do. */
  sendSound(packet: FastLanePacket): void {
    const ping = this.#ping;
    if (ping?.wantsSound !== true || this.#way === undefined) return;
    const outlet = this.#outlet(this.#way);
    if (outlet === undefined) return;
    const plain = packet.plain();
    let message = plain;
    if (ping.wantsRedundancy) {
      const redundant = packet.redundant();
      if (redundant.length <= outlet.maxRedundantBytes) message = redundant;
    }
    const { counts } = this;
    if (!outlet.send(message)) {
      counts.drops.queue += 1;
    } else {
      counts.packetsSent += 1;
      counts.bytesSent += message.length;
      if (message === plain) return;
      counts.redundantPackets += 1;
      counts.redundantBytes += message.length - plain.length;
    }
  }

  /** Called a few times a second: takes a viewer that fell silent for gone. */
  tick(): void {
    if (this.#ping !== undefined && this.#nowUs() >= this.#silentFromUs) this.#become();
  }

  /** Null while the viewer says nothing. */
  status(): FastLaneStatus | null {
    if (this.#ping === undefined || this.#way === undefined) return null;
    const { packetsSent, bytesSent, drops } = this.counts;
    return {
      via: this.#way,
      sounding: this.#ping.report.isSounding,
      redundancy: this.#ping.wantsRedundancy,
      packetsSent,
      bytesSent,
      dropped: drops.queue,
      report: this.#ping.report,
    };
  }

  #outlet(way: FastLaneWay): FastLaneOutlet | undefined {
    return way === 'channel' ? this.#channel : this.#socket;
  }

  #leave(way: FastLaneWay): void {
    if (way === this.#way) this.#become();
  }

  #become(way?: FastLaneWay, ping?: PingMessage): void {
    const before = [this.isListening, this.isListeningBySocket];
    this.#way = way;
    this.#ping = ping;
    const now = [this.isListening, this.isListeningBySocket];
    if (before.some((value, index) => value !== now[index])) {
      this.emit('listening');
    }
  }
}
