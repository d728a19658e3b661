import { setTimeout as delay } from 'node:timers/promises';
import { EarshotError } from '../errors/earshot-error.ts';
import { answerOfPage, answerToPlayer } from './player-sdp.ts';
import type { DeviceMessage, ViewerMessage } from './signaling-messages.ts';

/** The media path's end, as for a page. */
interface Viewer {
  readonly id: string;
  receive(text: string): void;
  close(reason: string): void;
}

export interface PlayerOptions {
  /** The player's SDP offer. */
  readonly offer: string;
  /** Opens a session as a page's WebSocket does. */
  readonly openSession: (viewer: {
    readonly send: (message: DeviceMessage) => void;
    readonly end: (reason: string) => void;
  }) => Viewer;
  /** How long candidates beyond the device's own addresses are waited for, since the answer has to have them all; ms. */
  readonly gatherMs: number;
}

/** A player's session (draft-ietf-wish-whep). */
export interface PlayerSession {
  readonly id: string;
  readonly answer: string;
  /** Ends it; idempotent. */
  close(reason: string): void;
}

/** The device's own offer is a matter of milliseconds. */
const offerMs = 5_000;

/**
 * Connects a player: a viewer's session of which this is the page. Throws what opening a session throws, and
 * MEDIA_OFFER_INVALID or MEDIA_NO_OPUS; nothing is left open then. `onEnded` is called once, when the session
 * is over by itself: the player went away, or the connection failed.
 */
export async function connectPlayer(
  { offer, openSession, gatherMs }: PlayerOptions,
  onEnded: () => void,
): Promise<PlayerSession> {
  // What can be wrong with it is known before anything is opened.
  const pageAnswer = answerOfPage(offer);
  const candidates: string[] = [];
  let offered: (sdp: string | undefined) => void = () => undefined;
  const deviceOffer = new Promise<string | undefined>((resolve) => {
    offered = resolve;
  });
  const deadline = setTimeout(() => offered(undefined), offerMs);
  let refusal: EarshotError | undefined;
  let isClosed = false;

  const viewer = openSession({
    send(message) {
      if (message.type === 'webrtc_offer') offered(message.sdp);
      else if (message.type === 'ice_candidate') candidates.push(message.candidate);
      else if (message.type === 'error') refusal ??= refused(message);
      else if (message.type === 'session_state' && message.state === 'failed') over();
    },
    end: () => over(),
  });
  const close = (reason: string): void => {
    if (isClosed) return;
    isClosed = true;
    viewer.close(reason);
  };
  /** A player does not ask for another try, so the session has no more use. */
  function over(): void {
    if (isClosed) return;
    queueMicrotask(() => {
      close('The connection to the player is over.');
      onEnded();
    });
  }
  const say = (message: ViewerMessage): void => viewer.receive(JSON.stringify(message));

  try {
    say({ type: 'webrtc_ready' });
    const sdp = await deviceOffer;
    if (sdp === undefined) throw new EarshotError('INTERNAL', 'The device made no offer in time.');
    say({ type: 'webrtc_answer', sdp: pageAnswer });
    if (refusal !== undefined) throw refusal;
    await delay(gatherMs);
    const found = candidates.filter((line) => line !== '');
    return {
      id: viewer.id,
      answer: answerToPlayer({ offer, deviceOffer: sdp, candidates: found }),
      close,
    };
  } catch (error) {
    close('The player’s offer could not be used.');
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

/** A fault found in the answer that stands for the player's offer is one of the offer. */
function refused({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): EarshotError {
  return new EarshotError(
    code === 'MEDIA_NO_OPUS' ? code : 'MEDIA_OFFER_INVALID',
    message.replace('SDP answer', 'SDP offer'),
  );
}
