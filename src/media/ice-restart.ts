import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import { readAnswer } from './sdp-answer.ts';
import type { Transport } from './transport.ts';

/** What a restart is waiting for. */
export type IceRestartPhase = 'idle' | 'offering' | 'offered' | 'answered';

/** From each phase, the events that leave it; anything else is out of order. */
export const iceRestartTransitions = {
  idle: { request: 'offering' },
  offering: { request: 'offering', offered: 'offered', end: 'idle' },
  offered: { request: 'offering', answer: 'answered', end: 'idle' },
  answered: { request: 'offering', restarted: 'idle', end: 'idle' },
} as const satisfies Record<IceRestartPhase, Partial<Record<string, IceRestartPhase>>>;

export interface IceRestartLimits {
  /** Between two restarts. */
  readonly restartMs: number;
  /** From the request to a path that works. */
  readonly restartDeadlineMs: number;
}

/**
 * ICE restarts of one session (RFC 8839 §4.4.1.1.1): new credentials and candidates for the connection
 * there is, one restart at a time, each with a deadline. Media goes on over the path of before.
 */
export class IceRestart {
  readonly #limits: IceRestartLimits;
  readonly #nowMs: () => number;
  #phase: IceRestartPhase = 'idle';
  #lastMs = Number.NEGATIVE_INFINITY;
  #deadlineMs = Number.POSITIVE_INFINITY;
  /** Tells a request's offer from that of the request before it. */
  #round = 0;

  constructor(options: { readonly limits: IceRestartLimits; readonly nowMs: () => number }) {
    this.#limits = options.limits;
    this.#nowMs = options.nowMs;
  }

  get phase(): IceRestartPhase {
    return this.#phase;
  }

  /** The deadline of the restart under way has passed. */
  get isOverdue(): boolean {
    return this.#nowMs() >= this.#deadlineMs;
  }

  /** Begins a restart, in the place of one under way. Throws MEDIA_SIGNALING_INVALID when it is too soon. */
  begin(): void {
    const nowMs = this.#nowMs();
    const { restartMs, restartDeadlineMs } = this.#limits;
    if (nowMs - this.#lastMs < restartMs) {
      throw new EarshotError(
        'MEDIA_SIGNALING_INVALID',
        `An ICE restart may be asked for once in ${restartMs / 1_000} s.`,
      );
    }
    this.#lastMs = nowMs;
    this.#deadlineMs = nowMs + restartDeadlineMs;
    this.#round += 1;
    this.#phase = iceRestartTransitions[this.#phase].request;
  }

  /** The offer of the restart that was begun; undefined when it was overtaken. */
  async offer(transport: Transport): Promise<string | undefined> {
    const round = this.#round;
    const sdp = await transport.createRestartOffer();
    if (round !== this.#round || this.#phase !== 'offering' || sdp === '') return undefined;
    this.#phase = iceRestartTransitions.offering.offered;
    return sdp;
  }

  /**
   * The viewer's answer, while one is waited for. Throws MEDIA_SIGNALING_INVALID when it cannot be used: it is
   * the restart that fails by it, not the connection.
   */
  answer(transport: Transport, sdp: string): void {
    try {
      transport.setRestartAnswer(readAnswer(sdp).transport());
    } catch (cause) {
      throw new EarshotError('MEDIA_SIGNALING_INVALID', messageOf(cause), { cause });
    }
    this.#phase = iceRestartTransitions.offered.answer;
  }

  /** Why there is no path yet, in sentences. */
  trouble(transport: Transport): string {
    const why =
      this.#phase === 'answered'
        ? transport.trouble
        : 'The viewer did not answer the offer of the ICE restart in time.';
    return `The ICE restart found no new path. ${why}`;
  }

  /** It is over, whichever way. */
  end(): void {
    this.#phase = 'idle';
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }
}
