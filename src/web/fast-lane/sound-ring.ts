/** One packet of decoded sound; the samples go beside it. */
export interface SoundPacket {
  /** As the device numbered it, 16 bits. */
  sequence: number;
  /** 48 kHz, 32 bits: position of its first sample. */
  timestamp: number;
  /** Samples per channel. */
  samples: number;
  /** Capture time of its first sample, device clock, µs. */
  captureTimeUs: number;
  /** How long it was held back for packets that should come before it, in ms. */
  heldMs: number;
  /** The host pauses with it (DTX): nothing may follow for a while, and nothing is missing. */
  isDtx: boolean;
  /** It was lost, and is the copy that came with the packet after it. */
  isCopy: boolean;
  /** It begins a new stream: nothing before it goes on. */
  begins: boolean;
}

/** A packet with nothing in it, for readers to fill. */
export function emptySoundPacket(): SoundPacket {
  return {
    sequence: 0,
    timestamp: 0,
    samples: 0,
    captureTimeUs: 0,
    heldMs: 0,
    isDtx: false,
    isCopy: false,
    begins: false,
  };
}

/** The longest Opus packet: 120 ms. */
export const maxPacketSamples = 5_760;

/** Packets held at most, and samples per channel: 1.4 s. Powers of two, since counters wrap at 2^32. */
const slots = 1_024;
const capacity = 65_536;

/** Numbers of one packet in its slot. */
const headerNumbers = 9;

/** Where the counters are: packets written, packets read, samples read. Each wraps at 2^32. */
const control = { written: 0, read: 1, samplesRead: 2 } as const;
const controlBytes = 32;
const headerBytes = slots * headerNumbers * Float64Array.BYTES_PER_ELEMENT;
const channelBytes = capacity * Float32Array.BYTES_PER_ELEMENT;

/** Size of a ring's memory. */
export const soundRingBytes = controlBytes + headerBytes + 2 * channelBytes;

/**
 * Decoded packets on their way from the worker to the audio thread, in shared memory: one writer, one
 * reader, no locks, no waiting.
 *
 * INVARIANTS: `written` is stored by the writer only, after all that the packet consists of; `read` and
 * `samplesRead` by the reader only, after it has copied the packet. Atomic stores and loads order the rest
 * (ECMA-262 §29). Neither side allocates.
 */
export class SoundRing {
  readonly #control: Int32Array;
  readonly #headers: Float64Array;
  readonly #left: Float32Array;
  readonly #right: Float32Array;
  /** Writer: samples written so far, modulo 2^32. */
  #samplesWritten = 0;
  /** Writer: packets that found no room. */
  dropped = 0;

  /** Both sides make one of the same buffer, of {@link soundRingBytes} zeros at first. */
  constructor(buffer: SharedArrayBuffer) {
    this.#control = new Int32Array(buffer, 0, controlBytes / Int32Array.BYTES_PER_ELEMENT);
    this.#headers = new Float64Array(buffer, controlBytes, slots * headerNumbers);
    this.#left = new Float32Array(buffer, controlBytes + headerBytes, capacity);
    this.#right = new Float32Array(buffer, controlBytes + headerBytes + channelBytes, capacity);
  }

  /** Writer: appends a packet with the first `packet.samples` of each channel. False: there is no room, and it was dropped. */
  write(packet: Readonly<SoundPacket>, left: Float32Array, right: Float32Array): boolean {
    const written = Atomics.load(this.#control, control.written);
    const held = (written - Atomics.load(this.#control, control.read)) | 0;
    const samplesRead = Atomics.load(this.#control, control.samplesRead);
    const heldSamples = (this.#samplesWritten - samplesRead) | 0;
    if (held >= slots || heldSamples + packet.samples > capacity) {
      this.dropped += 1;
      return false;
    }
    const at = this.#samplesWritten & (capacity - 1);
    copyIn(this.#left, at, left, packet.samples);
    copyIn(this.#right, at, right, packet.samples);
    const header = (written & (slots - 1)) * headerNumbers;
    this.#headers[header] = packet.sequence;
    this.#headers[header + 1] = packet.timestamp;
    this.#headers[header + 2] = packet.samples;
    this.#headers[header + 3] = packet.captureTimeUs;
    this.#headers[header + 4] = packet.heldMs;
    this.#headers[header + 5] = packet.begins ? 1 : 0;
    this.#headers[header + 6] = packet.isDtx ? 1 : 0;
    this.#headers[header + 7] = packet.isCopy ? 1 : 0;
    this.#headers[header + 8] = at;
    this.#samplesWritten = (this.#samplesWritten + packet.samples) | 0;
    Atomics.store(this.#control, control.written, (written + 1) | 0);
    return true;
  }

  /** Reader: takes the oldest packet into `packet` and the channels, which hold {@link maxPacketSamples}. False: there is none. */
  read(packet: SoundPacket, left: Float32Array, right: Float32Array): boolean {
    const read = Atomics.load(this.#control, control.read);
    if (read === Atomics.load(this.#control, control.written)) return false;
    const header = (read & (slots - 1)) * headerNumbers;
    packet.sequence = this.#headers[header] ?? 0;
    packet.timestamp = this.#headers[header + 1] ?? 0;
    packet.samples = this.#headers[header + 2] ?? 0;
    packet.captureTimeUs = this.#headers[header + 3] ?? 0;
    packet.heldMs = this.#headers[header + 4] ?? 0;
    packet.begins = this.#headers[header + 5] === 1;
    packet.isDtx = this.#headers[header + 6] === 1;
    packet.isCopy = this.#headers[header + 7] === 1;
    const at = this.#headers[header + 8] ?? 0;
    copyOut(this.#left, at, left, packet.samples);
    copyOut(this.#right, at, right, packet.samples);
    const samplesRead = Atomics.load(this.#control, control.samplesRead);
    Atomics.store(this.#control, control.samplesRead, (samplesRead + packet.samples) | 0);
    Atomics.store(this.#control, control.read, (read + 1) | 0);
    return true;
  }
}

/** A loop, since a view for `set` would be an allocation a packet on the audio thread. */
function copyIn(ring: Float32Array, at: number, from: Float32Array, samples: number): void {
  for (let n = 0; n < samples; n += 1) ring[(at + n) & (capacity - 1)] = from[n] ?? 0;
}

function copyOut(ring: Float32Array, at: number, to: Float32Array, samples: number): void {
  for (let n = 0; n < samples; n += 1) to[n] = ring[(at + n) & (capacity - 1)] ?? 0;
}
