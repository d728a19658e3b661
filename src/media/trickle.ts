import { EarshotError } from '../errors/earshot-error.ts';
import type { Transport } from './transport.ts';

/** Candidates that may come before the answer they belong to. */
const maxEarly = 64;

/**
 * Candidates of both sides on their way past each other (trickle ICE, RFC 8838): one never overtakes the
 * description it belongs to. The viewer's wait for its answer, the device's for its offer.
 */
export class Trickle {
  readonly #send: (candidate: string) => void;
  readonly #early: string[] = [];
  readonly #held: string[] = [];

  /** `send` takes the device's to the viewer. */
  constructor({ send }: { readonly send: (candidate: string) => void }) {
    this.#send = send;
  }

  /** One of the viewer's that came before its answer. Throws MEDIA_SIGNALING_INVALID when there are too many. */
  keep(candidate: string): void {
    if (this.#early.length >= maxEarly) {
      throw new EarshotError(
        'MEDIA_SIGNALING_INVALID',
        `More than ${maxEarly} candidates came before the answer.`,
      );
    }
    this.#early.push(candidate);
  }

  /** The answer is there, and the transport has it. */
  answered(transport: Transport): void {
    for (const candidate of this.#early.splice(0)) transport.addCandidate(candidate);
  }

  /** One of the device's whose offer is not out yet. */
  hold(candidate: string): void {
    this.#held.push(candidate);
  }

  /** The offer is out. */
  offered(): void {
    for (const candidate of this.#held.splice(0)) this.#send(candidate);
  }

  /** Another offer is made, and those of the one before are of no use; the viewer's that came early may be its. */
  offerAgain(): void {
    this.#held.length = 0;
  }

  /** No answer is waited for any more. */
  forgetEarly(): void {
    this.#early.length = 0;
  }
}
