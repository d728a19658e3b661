import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { IceServer } from './ice-servers.ts';
import type { StunMessage } from './stun-message.ts';
import type { DatagramSource, UdpMux } from './udp-mux.ts';
import { WeriftIce } from './werift-ice.ts';

export interface WeriftAgentsOptions {
  readonly mux: UdpMux;
  readonly iceServers: readonly IceServer[];
  readonly log: Log;
  /** A candidate line of the agent that the last offer is of. */
  readonly onCandidate: (candidate: string) => void;
}

/**
 * The ICE agents of one connection. Each restart makes an agent of its own; media goes over the one before
 * until the new one has a pair. The DTLS server sits on the first for good, and sends through whichever is
 * in use.
 */
export class WeriftAgents {
  readonly #options: WeriftAgentsOptions;
  /** The agent that DTLS sits on. */
  readonly carrier: WeriftIce;
  #current: WeriftIce;
  #next: WeriftIce | undefined;
  #retiring: Promise<void> = Promise.resolve();

  constructor(options: WeriftAgentsOptions) {
    this.#options = options;
    this.carrier = this.#make();
    this.carrier.sendWith((datagram) => this.#current.send([datagram]));
    this.#current = this.carrier;
  }

  /** The agent whose pair carries media. */
  get current(): WeriftIce {
    return this.#current;
  }

  /** The agent of a restart that is under way. */
  get next(): WeriftIce | undefined {
    return this.#next;
  }

  /** The one that the last offer is of. */
  get latest(): WeriftIce {
    return this.#next ?? this.#current;
  }

  /** Makes the agent of a restart, in the place of one under way. */
  restart(): WeriftIce {
    this.abandonRestart();
    this.#next = this.#make();
    return this.#next;
  }

  abandonRestart(): void {
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.#retire(next);
  }

  /** The restart found a pair: from here on media takes it, and the agent before is done. False when it was given up. */
  switchTo(next: WeriftIce): boolean {
    if (next !== this.#next) return false;
    const previous = this.#current;
    this.#current = next;
    this.#next = undefined;
    this.#retire(previous);
    return true;
  }

  passwordOf(fragment: string): string | undefined {
    return this.#next?.passwordOf(fragment) ?? this.#current.passwordOf(fragment);
  }

  awaits(transactionId: string): string | undefined {
    return this.#next?.awaits(transactionId) ?? this.#current.awaits(transactionId);
  }

  /** Hands an authenticated message to its agent; true: to the one in use. */
  receiveStun(datagram: Buffer, message: StunMessage, from: DatagramSource): boolean {
    const next = this.#next;
    const isNext =
      next !== undefined &&
      (message.class === 'request'
        ? next.passwordOf(message.usernameFragment) !== undefined
        : next.awaits(message.transactionId) !== undefined);
    (isNext ? next : this.#current).receiveStun(datagram, message, from);
    return !isNext;
  }

  /** Closes those there are; those that retired may take longer. */
  async close(): Promise<void> {
    await Promise.all([this.#next?.close(), this.#current.close()]);
  }

  /** Resolves when every agent that retired is closed. */
  get retired(): Promise<void> {
    return this.#retiring;
  }

  #make(): WeriftIce {
    const { onCandidate, ...options } = this.#options;
    const ice: WeriftIce = new WeriftIce({
      ...options,
      // A relay that answers late may be of an agent that is of no use any more.
      onCandidate: (candidate) => {
        if (ice === this.latest) onCandidate(candidate);
      },
    });
    return ice;
  }

  /** Closes an agent beside what goes on. */
  #retire(ice: WeriftIce): void {
    this.#retiring = Promise.all([this.#retiring, ice.close()]).then(
      () => undefined,
      (error: unknown) => {
        this.#options.log.warn({ error: messageOf(error) }, 'ICE agent did not close cleanly');
      },
    );
  }
}
