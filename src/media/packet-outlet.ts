import type { SentPacket } from './bandwidth/bandwidth-estimator.ts';
import { wireOverheadBytes } from './packet-size.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { Transport } from './transport.ts';

/** What learns of every packet that goes out (the bandwidth estimator). */
export interface SendingWitness {
  packetSent(packet: SentPacket): void;
}

/**
 * The one way out for everything that a peer sends: it numbers the packets of all streams with one
 * transport-wide sequence (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2), in the order in
 * which they leave, and tells the estimator of each that left.
 */
export class PacketOutlet {
  readonly #transport: Transport;
  readonly #witness: SendingWitness;
  readonly #nowMs: () => number;
  #transportSequence = 0;

  constructor(options: {
    readonly transport: Transport;
    readonly witness: SendingWitness;
    readonly nowMs: () => number;
  }) {
    this.#transport = options.transport;
    this.#witness = options.witness;
    this.#nowMs = options.nowMs;
  }

  get isOpen(): boolean {
    return this.#transport.state === 'connected';
  }

  /** The transport-wide number of the next packet, 16 bits. */
  nextNumber(): number {
    this.#transportSequence = (this.#transportSequence + 1) & 0xffff;
    return this.#transportSequence;
  }

  /**
   * Sends packets of one stream; returns how many the socket took. `isNumbered`: they carry the last
   * numbers taken, one after another, so that the viewer's feedback will speak of them.
   */
  send(packets: readonly RtpPacket[], isNumbered: boolean): number {
    const taken = this.#transport.sendRtp(packets);
    if (!isNumbered) return taken;
    const atMs = this.#nowMs();
    const first = this.#transportSequence - packets.length + 1;
    for (let index = 0; index < taken; index += 1) {
      const packet = packets[index];
      if (packet === undefined) break;
      const bytes = packet.header.length + packet.payload.length + wireOverheadBytes;
      this.#witness.packetSent({ transportSequence: (first + index) & 0xffff, bytes, atMs });
    }
    return taken;
  }

  /** Sends one packet again as it was, number and all. True when the socket took it. */
  sendAgain(packet: RtpPacket): boolean {
    return this.#transport.sendRtp([packet]) === 1;
  }
}
