import { InboundStream } from './sctp-inbound-stream.ts';
import { distance } from './sctp-packet.ts';
import { TsnRuns } from './tsn-runs.ts';
import type { SctpAssociation, SctpForwardTsn } from './werift-internals.ts';

/**
 * What has come in of an SCTP association, in place of werift's own bookkeeping: which transmission
 * sequence numbers (TSN), what to acknowledge (RFC 9260 §6.2), and each stream's messages in order.
 * werift's compares numbers as words, so that a swap of two packets around a power of ten stops its
 * acknowledgements for good, and after a repaired loss it holds ordered messages back until more come.
 */

/**
 * How far ahead of what came in a DATA chunk may be, in chunks: bounds what is kept for a gap. One that
 * is farther is as good as lost, and the others of its packet are not: they may be what fills the gap.
 * At 1,000 messages a second two seconds pass before a loss is in the way.
 */
export const maxTsnAhead = 2_048;
/** A SACK of these fits in the least MTU; what it leaves out is acknowledged by a later one. */
const maxGapBlocks = 128;
const sackType = 3;

/** Makes `association` count and acknowledge what comes as this file says. */
export function countInbound(association: SctpAssociation): void {
  /** What came beyond a gap. */
  const ahead = new TsnRuns();
  association.markReceived = (tsn) => {
    const { lastReceivedTsn = 0 } = association;
    const offset = distance(lastReceivedTsn, tsn);
    if (offset <= 0 || offset > maxTsnAhead || !ahead.add(tsn)) return true;
    association.lastReceivedTsn = ahead.advance(lastReceivedTsn);
    return false;
  };
  association.getInboundStream = (streamId) => {
    const known = association.inboundStreams[streamId];
    if (known !== undefined) return known;
    const stream = new InboundStream();
    association.inboundStreams[streamId] = stream;
    return stream;
  };
  association.receiveForwardTsnChunk = ({ cumulativeTsn, streams }: SctpForwardTsn) => {
    association.sackNeeded = true;
    association.sackImmediate = true;
    if (distance(association.lastReceivedTsn ?? 0, cumulativeTsn) <= 0) return;
    association.lastReceivedTsn = ahead.advance(cumulativeTsn);
    for (const stream of Object.values(association.inboundStreams)) {
      association.advertisedRwnd += stream.forget(cumulativeTsn);
    }
    for (const [streamId, sequence] of streams) {
      const stream = association.getInboundStream(streamId);
      association.advertisedRwnd += stream.skip(sequence);
      for (const [, protocol, data] of stream.popMessages()) {
        association.advertisedRwnd += data.length;
        association.receive(streamId, protocol, data);
      }
    }
  };
  association.sendSack = async () => {
    if (association.isStopped || !association.sackNeeded) return;
    association.sackNeeded = false;
    association.sackPacketCount = 0;
    association.sackImmediate = false;
    const { lastReceivedTsn = 0, advertisedRwnd } = association;
    const blocks = ahead.offsets(lastReceivedTsn, maxGapBlocks);
    await association.sendChunk({ bytes: writeSack(lastReceivedTsn, advertisedRwnd, blocks) });
  };
}

/** A SACK chunk (RFC 9260 §3.3.4), without duplicates, which are for the sender's statistics. */
export function writeSack(
  cumulativeTsn: number,
  window: number,
  blocks: readonly (readonly [start: number, end: number])[],
): Buffer {
  const bytes = Buffer.alloc(16 + 4 * blocks.length);
  bytes.writeUInt8(sackType, 0);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.writeUInt32BE(cumulativeTsn, 4);
  bytes.writeUInt32BE(Math.max(0, window), 8);
  bytes.writeUInt16BE(blocks.length, 12);
  for (const [index, [start, end]] of blocks.entries()) {
    bytes.writeUInt16BE(start, 16 + 4 * index);
    bytes.writeUInt16BE(end, 18 + 4 * index);
  }
  return bytes;
}
