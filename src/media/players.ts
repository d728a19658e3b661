import { connectPlayer, type PlayerOptions, type PlayerSession } from './player-session.ts';

/** Players that are not the page (draft-ietf-wish-whep), by the ids of their sessions. */
export class Players {
  readonly #options: Omit<PlayerOptions, 'offer'>;
  readonly #sessions = new Map<string, PlayerSession>();

  constructor(options: Omit<PlayerOptions, 'offer'>) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Answers a player's SDP offer. Throws MEDIA_OFFER_INVALID, MEDIA_NO_OPUS or MEDIA_TOO_MANY_VIEWERS. */
  async open(offer: string): Promise<{ readonly id: string; readonly answer: string }> {
    let id = '';
    let isOver = false;
    const session = await connectPlayer({ ...this.#options, offer }, () => {
      isOver = true;
      this.#sessions.delete(id);
    });
    id = session.id;
    if (!isOver) this.#sessions.set(id, session);
    return { id, answer: session.answer };
  }

  /** False when there is no player of that id. */
  close(id: string): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    this.#sessions.delete(id);
    session.close('The player left.');
    return true;
  }
}
