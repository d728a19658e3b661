import { frameFlags, type MessageType, messageTypes, payloadLimits } from './messages.ts';

/**
 * Frames on the wire: a 24-byte little-endian header, then the payload (PROTOCOL.md). Nothing here
 * knows a socket; nothing is ever resynchronised by guessing.
 */

/** "ERSH" as it lies in memory. */
export const frameMagic = 0x48535245;
export const protocolVersion = 1;
export const headerBytes = 24;

/** The header's fields with their offsets and sizes in bytes; PROTOCOL.md's table is tested against it. */
export const headerLayout = {
  magic: { offset: 0, size: 4 },
  version: { offset: 4, size: 1 },
  type: { offset: 5, size: 1 },
  flags: { offset: 6, size: 2 },
  length: { offset: 8, size: 4 },
  sequence: { offset: 12, size: 4 },
  timestamp: { offset: 16, size: 8 },
} as const;

const knownFlags =
  frameFlags.keyframe | frameFlags.discontinuity | frameFlags.endOfStream | frameFlags.segment;

/** What the writer puts into a header. */
export interface FrameHeader {
  readonly type: MessageType;
  /** Bits of `frameFlags`. */
  readonly flags: number;
  /** Modulo 2³². */
  readonly sequence: number;
  /** CLOCK_MONOTONIC in ns, 0 to 2⁶⁴−1. */
  readonly timestampNs: bigint;
}

/** A frame as the reader hands it out. */
export interface Frame extends FrameHeader {
  /** A part of the receive buffer, or of a buffer that the next straddling frame reuses: valid until the handler returns. */
  readonly payload: Buffer;
}

/** Why bytes are not frames. After one, the stream is lost. */
export interface FramingFault {
  readonly field: 'magic' | 'version' | 'type' | 'flags' | 'length';
  readonly value: number;
  readonly message: string;
}

/** The largest payload a frame of `type` may have, in bytes. */
export function payloadLimit(type: MessageType): number {
  switch (type) {
    case 'opus':
    case 'video':
    case 'pcm':
    case 'picture':
      return payloadLimits[type];
    default:
      return payloadLimits.control;
  }
}

interface WireType {
  readonly name: MessageType;
  readonly limit: number;
}

/** Indexed by type byte; a hole is an unknown type. */
const wireTypes: readonly (WireType | undefined)[] = (() => {
  const table: (WireType | undefined)[] = new Array(256).fill(undefined);
  let name: MessageType;
  for (name in messageTypes) {
    table[messageTypes[name]] = { name, limit: payloadLimit(name) };
  }
  return table;
})();

/** Writes the header of a frame with `length` bytes of payload to the first 24 bytes of `target`. */
export function writeHeader(target: Buffer, header: FrameHeader, length: number): void {
  target.writeUInt32LE(frameMagic, 0);
  target[4] = protocolVersion;
  target[5] = messageTypes[header.type];
  target.writeUInt16LE(header.flags, 6);
  target.writeUInt32LE(length, 8);
  target.writeUInt32LE(header.sequence, 12);
  target.writeBigUInt64LE(header.timestampNs, 16);
}

/** A frame in one piece: one copy of the payload. The caller has checked its length. */
export function encodeFrame(header: FrameHeader, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  writeHeader(frame, header, payload.length);
  frame.set(payload, headerBytes);
  return frame;
}

/** The fault of the header at `offset`, or undefined. Decided before anything is allocated. */
function headerFault(bytes: Buffer, offset: number): FramingFault | undefined {
  const magic = bytes.readUInt32LE(offset);
  if (magic !== frameMagic) return fault('magic', magic, `is not 0x${frameMagic.toString(16)}`);
  const version = bytes.readUInt8(offset + 4);
  if (version !== protocolVersion) return fault('version', version, `is not ${protocolVersion}`);
  const type = bytes.readUInt8(offset + 5);
  const wireType = wireTypes[type];
  if (wireType === undefined) return fault('type', type, 'is not a message type');
  const flags = bytes.readUInt16LE(offset + 6);
  if ((flags & ~knownFlags) !== 0) return fault('flags', flags, 'has reserved bits set');
  const length = bytes.readUInt32LE(offset + 8);
  if (length > wireType.limit) {
    return fault('length', length, `is over the ${wireType.limit} bytes of ${wireType.name}`);
  }
  return undefined;
}

function fault(field: FramingFault['field'], value: number, text: string): FramingFault {
  return { field, value, message: `frame ${field} 0x${value.toString(16)} ${text}` };
}

/**
 * Cuts a byte stream into frames. A frame that lies whole in one chunk is a slice of it; one that
 * straddles chunks is copied once, into a buffer that is kept and grows to the largest such frame.
 * A bad header ends the stream: `push` returns the fault, then and for ever.
 */
export class FrameDecoder {
  readonly #onFrame: (frame: Frame) => void;
  readonly #header = Buffer.allocUnsafe(headerBytes);
  #headerFill = 0;
  #assembly: Buffer = Buffer.alloc(0);
  #assemblyFill = 0;
  /** Header of the frame whose payload is being assembled. */
  #open: { readonly header: FrameHeader; readonly length: number } | undefined;
  #fault: FramingFault | undefined;
  #stopped = false;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** True between two frames: an end of the stream here loses nothing. */
  get idle(): boolean {
    return this.#headerFill === 0 && this.#open === undefined;
  }

  /** Bytes held for straddling frames. */
  get bufferedBytes(): number {
    return this.#assembly.length;
  }

  /** No further frame is handed out, not even of the chunk being read. */
  stop(): void {
    this.#stopped = true;
  }

  /** Takes the next bytes, calls `onFrame` for each frame they complete, returns a fault if they are none. */
  push(chunk: Buffer): FramingFault | undefined {
    let offset = 0;
    while (offset < chunk.length && this.#fault === undefined && !this.#stopped) {
      if (this.#open !== undefined) offset = this.#assemble(chunk, offset, this.#open);
      else if (this.#headerFill > 0) offset = this.#completeHeader(chunk, offset);
      else if (chunk.length - offset < headerBytes) offset = this.#completeHeader(chunk, offset);
      else offset = this.#read(chunk, offset, chunk, offset + headerBytes);
    }
    return this.#fault;
  }

  #completeHeader(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + headerBytes - this.#headerFill);
    chunk.copy(this.#header, this.#headerFill, offset, end);
    this.#headerFill += end - offset;
    if (this.#headerFill < headerBytes) return end;
    this.#headerFill = 0;
    return this.#read(this.#header, 0, chunk, end);
  }

  /** Reads the header at `at` of `source`; the payload begins at `offset` of `chunk`. */
  #read(source: Buffer, at: number, chunk: Buffer, offset: number): number {
    this.#fault = headerFault(source, at);
    const wireType = wireTypes[source.readUInt8(at + 5)];
    if (this.#fault !== undefined || wireType === undefined) return chunk.length;
    const length = source.readUInt32LE(at + 8);
    const header = {
      type: wireType.name,
      flags: source.readUInt16LE(at + 6),
      sequence: source.readUInt32LE(at + 12),
      timestampNs: source.readBigUInt64LE(at + 16),
    };
    const end = offset + length;
    if (end <= chunk.length) {
      this.#onFrame({ ...header, payload: chunk.subarray(offset, end) });
      return end;
    }
    // Grown by need, not to the limit: a channel that carries only audio keeps about a kilobyte.
    if (this.#assembly.length < length) this.#assembly = Buffer.allocUnsafeSlow(length);
    this.#open = { header, length };
    this.#assemblyFill = 0;
    return this.#assemble(chunk, offset, this.#open);
  }

  #assemble(
    chunk: Buffer,
    offset: number,
    open: { readonly header: FrameHeader; readonly length: number },
  ): number {
    const end = Math.min(chunk.length, offset + open.length - this.#assemblyFill);
    chunk.copy(this.#assembly, this.#assemblyFill, offset, end);
    this.#assemblyFill += end - offset;
    if (this.#assemblyFill === open.length) {
      // Closed before the handler runs: a handler that throws leaves the decoder between two frames.
      this.#open = undefined;
      this.#onFrame({ ...open.header, payload: this.#assembly.subarray(0, open.length) });
    }
    return end;
  }
}
