/** One packet on its way through the buffer. `P` is an Opus packet, decoded PCM, or whatever is played. */
export interface JitterItem<P> {
  /** The stream it belongs to (RFC 3550 §5.1): another one begins a new stream. */
  readonly ssrc: number;
  /** RTP sequence number, 16 bit, wraps. */
  readonly sequence: number;
  /** RTP timestamp, 32 bit, 48 kHz (RFC 7587 §4.1), wraps. */
  readonly timestamp: number;
  /** Samples per channel it plays for, 120 (2.5 ms) to 5,760 (120 ms). */
  readonly samples: number;
  /** The sender paused with this packet (DTX): nothing may follow for a while, and nothing is lost. */
  readonly isDtx?: boolean;
  /** It was lost, and this is the copy in the packet after it: how late it comes says nothing about the network. */
  readonly isCopy?: boolean;
  readonly payload: P;
  /** When it came, in ms on the clock that `next()` is asked with. */
  readonly arrivalMs: number;
}

/** What became of a packet: see `JitterBuffer.insert`. */
export type Insertion = 'queued' | 'late' | 'duplicate' | 'overflow' | 'reset';

/** When `JitterBuffer.next` is asked. */
export interface PlayoutMoment {
  /** Now, in ms, on the clock of `arrivalMs`; never goes back. */
  readonly nowMs: number;
  /** Sound handed on earlier that has not been played: the ring, the resampler and the device's buffer. */
  readonly queuedMs: number;
  /** The queue is about to run dry: a packet still missing will not be waited for. */
  readonly final: boolean;
}

/** Whether a block should be played faster or slower, to bring the delay to its target. */
export type Stretch = 'none' | 'shorten' | 'lengthen';

/**
 * What to play next. `samples` is a multiple of 120 (2.5 ms), at most 5,760 (120 ms). A step is valid
 * until the next call of `next()`, which writes over it.
 */
export type PlayoutStep<P> =
  | {
      readonly kind: 'decode';
      readonly item: JitterItem<P>;
      readonly stretch: Stretch;
      /** How much too long (too short) the delay is: no more should be taken out (put in). */
      readonly stretchMs: number;
    }
  /** Lost, and the packet after it is here: its in-band FEC if it has it, PLC if not. */
  | { readonly kind: 'recover'; readonly next: JitterItem<P>; readonly samples: number }
  | {
      readonly kind: 'conceal';
      readonly samples: number;
      /** Lost for good; the sender paused; or nothing has come, and what comes will still be played. */
      readonly because: 'loss' | 'dtx' | 'underrun';
    }
  /** Better wait for the packet: only when not `final`. */
  | { readonly kind: 'wait' }
  /** Play nothing: no stream, silent for more than a second, or filling up to the target before the first sound. */
  | { readonly kind: 'idle' };
