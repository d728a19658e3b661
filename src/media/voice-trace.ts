/** One packet of the host's sound on its way, every time in ms since its first sample was captured. */
export interface TracedPacket {
  /** CLOCK_MONOTONIC when its first sample was captured, µs. */
  readonly capturedUs: number;
  /** Its last sample was captured: the packet's own length. */
  readonly completeMs: number;
  /** The encoder was done with it, in the capture thread. */
  readonly encodedMs: number;
  /** The audio-output child took it and gave it to the channel. */
  readonly sentMs: number;
  /** The main process had it. */
  readonly receivedMs: number;
  /** It was written to each viewer's socket, the first viewer first. */
  readonly written: readonly { readonly session: string; readonly ms: number }[];
}

/** What the child says of a packet, CLOCK_MONOTONIC ns. */
export interface ChildTimes {
  readonly encodedNs: bigint;
  readonly sentNs: bigint;
}

interface Underway {
  readonly captureNs: bigint;
  readonly samples: number;
  readonly receivedNs: bigint;
  readonly written: { readonly session: string; readonly ns: bigint }[];
}

type Listener = (packet: TracedPacket) => void;

/** Packets whose child has not said its part yet: a second of the shortest that are sent, several times over. */
const maxUnderway = 512;

/**
 * Follows packets of the host's sound from the capture to the write. Off while nobody listens, and then
 * costs one comparison a packet; `wanted` says when that changes, since the child has to tell its part.
 */
export class VoiceTrace {
  readonly #wanted: (on: boolean) => void;
  readonly #listeners = new Set<Listener>();
  readonly #underway = new Map<bigint, Underway>();
  #current: Underway | undefined;
  /** Packets of which the child said nothing. */
  incomplete = 0;

  constructor(wanted: (on: boolean) => void) {
    this.#wanted = wanted;
  }

  get isOn(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `listener` with each packet until the returned function is called. */
  follow(listener: Listener): () => void {
    const own: Listener = (packet) => listener(packet);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#wanted(true);
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      this.#underway.clear();
      this.#wanted(false);
    };
  }

  /** The main process has a packet and begins to send it. */
  received(
    packet: { readonly captureTimeNs: bigint; readonly samples: number },
    nowNs: bigint,
  ): void {
    if (!this.isOn) return;
    const { captureTimeNs: captureNs, samples } = packet;
    this.#current = { captureNs, samples, receivedNs: nowNs, written: [] };
    this.#underway.set(captureNs, this.#current);
    if (this.#underway.size <= maxUnderway) return;
    const [oldest] = this.#underway.keys();
    if (oldest !== undefined) this.#underway.delete(oldest);
    this.incomplete += 1;
  }

  /** The packet received last was written to a viewer's socket. */
  written(session: string, nowNs: bigint): void {
    if (this.isOn) this.#current?.written.push({ session, ns: nowNs });
  }

  /** The child tells its part, after the packet itself. */
  told(captureNs: bigint, { encodedNs, sentNs }: ChildTimes): void {
    const packet = this.#underway.get(captureNs);
    if (packet === undefined) return;
    this.#underway.delete(captureNs);
    const since = (ns: bigint): number => Number(ns - captureNs) / 1e6;
    const traced: TracedPacket = {
      capturedUs: Number(captureNs / 1_000n),
      completeMs: packet.samples / 48,
      encodedMs: since(encodedNs),
      sentMs: since(sentNs),
      receivedMs: since(packet.receivedNs),
      written: packet.written.map(({ session, ns }) => ({ session, ms: since(ns) })),
    };
    for (const listener of this.#listeners) listener(traced);
  }
}
