import {
  RecvDelta,
  RtcpHeader,
  RtcpTransportLayerFeedback,
  RunLengthChunk,
  TransportWideCC,
} from 'werift';

/** 250 µs, in which arrivals are told; the reference time is in units of 256 of them. */
const tickUs = 250;
const ticksPerReference = 256;
/** Of one message; what comes beyond it waits for the next one. */
const maxPackets = 1_000;
/** What is behind the newest packet by more is of another age: 16 bits go round. */
const halfRound = 0x8000;

const lost = 0;
const smallDelta = 1;
const largeDelta = 2;

/**
 * What a browser says of the packets that reach it (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), of all
 * streams together. Pure: time comes in with the calls, µs of any steady clock.
 */
export class TransportFeedback {
  readonly #senderSsrc: number;
  /** When each packet came, by its number counted on past 16 bits. */
  #arrivals = new Map<number, number>();
  #newest: number | undefined;
  /** The number that the next message begins with. */
  #base = 0;
  #count = 0;

  constructor({ senderSsrc }: { readonly senderSsrc: number }) {
    this.#senderSsrc = senderSsrc;
  }

  /** A packet with this transport-wide number came. One that a message has spoken of is not told again. */
  note(sequence: number, atUs: number): void {
    if (this.#newest === undefined) this.#base = sequence;
    const newest = this.#newest ?? sequence;
    const ahead = ((sequence - newest + halfRound) & 0xffff) - halfRound;
    const number = newest + ahead;
    this.#newest = Math.max(newest, number);
    if (number < this.#base || this.#arrivals.has(number)) return;
    this.#arrivals.set(number, atUs);
  }

  /** The message about what came since the last one; undefined when nothing did. */
  take(mediaSsrc: number): RtcpTransportLayerFeedback | undefined {
    const numbers = [...this.#arrivals.keys()].sort((a, b) => a - b);
    const last = numbers.findLast((number) => number < this.#base + maxPackets) ?? numbers[0];
    if (last === undefined) return undefined;
    const base = Math.max(this.#base, last - maxPackets + 1);
    const statuses: number[] = [];
    const deltas: RecvDelta[] = [];
    let referenceTime: number | undefined;
    let beforeTicks = 0;
    for (let number = base; number <= last; number += 1) {
      const atUs = this.#arrivals.get(number);
      this.#arrivals.delete(number);
      if (atUs === undefined) {
        statuses.push(lost);
        continue;
      }
      const ticks = Math.floor(atUs / tickUs);
      if (referenceTime === undefined) {
        referenceTime = Math.floor(ticks / ticksPerReference);
        beforeTicks = referenceTime * ticksPerReference;
      }
      const delta = ticks - beforeTicks;
      beforeTicks = ticks;
      const type = delta >= 0 && delta <= 0xff ? smallDelta : largeDelta;
      statuses.push(type);
      deltas.push(new RecvDelta({ type, delta: delta * tickUs }));
    }
    this.#base = last + 1;
    const message = this.#message({ mediaSsrc, base, statuses, deltas, referenceTime });
    this.#count = (this.#count + 1) & 0xff;
    return message;
  }

  #message(told: {
    readonly mediaSsrc: number;
    readonly base: number;
    readonly statuses: readonly number[];
    readonly deltas: RecvDelta[];
    readonly referenceTime: number | undefined;
  }): RtcpTransportLayerFeedback {
    const { mediaSsrc, base, statuses, deltas, referenceTime = 0 } = told;
    const packetChunks = runs(statuses);
    const deltaBytes = statuses.reduce((sum, status) => sum + status, 0);
    const isUneven = (2 * packetChunks.length + deltaBytes) % 4 !== 0;
    return new RtcpTransportLayerFeedback({
      feedback: new TransportWideCC({
        senderSsrc: this.#senderSsrc,
        mediaSourceSsrc: mediaSsrc,
        baseSequenceNumber: base & 0xffff,
        packetStatusCount: statuses.length,
        referenceTime: referenceTime & 0xffffff,
        fbPktCount: this.#count,
        recvDeltas: deltas,
        packetChunks,
        header: new RtcpHeader({
          ...{ type: RtcpTransportLayerFeedback.type, count: TransportWideCC.count },
          ...{ version: 2, padding: isUneven },
        }),
      }),
    });
  }
}

function runs(statuses: readonly number[]): RunLengthChunk[] {
  const chunks: RunLengthChunk[] = [];
  for (const packetStatus of statuses) {
    const open = chunks.at(-1);
    if (open?.packetStatus === packetStatus) open.runLength += 1;
    else chunks.push(new RunLengthChunk({ packetStatus, runLength: 1 }));
  }
  return chunks;
}
