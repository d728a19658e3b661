import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ErrorCode } from '../errors/catalogue.ts';
import { EarshotError, isEarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { FastLaneSender } from './fast-lane-sender.ts';
import type { HidHook } from './hid-channels.ts';
import { HidLane } from './hid-lane.ts';
import { IceRestart } from './ice-restart.ts';
import type { MicrophoneFrame, SessionState, SessionStatus } from './media-types.ts';
import type { MicrophonePacket } from './microphone-reception.ts';
import type { Peer, SoundPacket } from './peer.ts';
import { noCounts } from './peer-counts.ts';
import { readAnswer } from './sdp-answer.ts';
import { defaultSessionLimits, type SessionLimits } from './session-limits.ts';
import { addPeer, describeSession, type SessionTotals } from './session-status.ts';
import type { AvMessage, DeviceMessage, ViewerMessage } from './signaling-messages.ts';
import { maxDatagramMessageBytes, type TransportState } from './transport.ts';
import { Trickle } from './trickle.ts';
import { invalidMessage, readViewerMessage } from './viewer-message.ts';

export interface SessionOptions {
  readonly send: (message: DeviceMessage) => void;
  readonly end: (reason: string) => void;
  /** ICE servers as the viewer needs them. */
  readonly iceServers: DeviceIceServers;
  /** Makes the media peer; again at each reset. */
  readonly createPeer: () => Peer;
  readonly log: Log;
  readonly nowMs: () => number;
  /** CLOCK_MONOTONIC in whole µs, the clock of the fast lane. */
  readonly nowUs: () => number;
  /** Where its keys and pointer go. */
  readonly hid?: HidHook | undefined;
  readonly limits?: Partial<SessionLimits>;
}

export type DeviceIceServers = Extract<DeviceMessage, { type: 'webrtc_config' }>['ice_servers'];

/** Refused messages in a row after which the WebSocket is closed: a page of ours sends none. */
const maxRefusals = 20;

export interface SessionEvents {
  /** The session's state changed. */
  state: [SessionState];
  /** A frame of the microphone, while the session holds it. Valid during the call only. */
  microphone: [MicrophoneFrame];
  /** What the viewer says of sound and picture together. */
  av: [AvMessage];
}

type Phase = 'idle' | 'offering' | 'offered' | 'answered';

/**
 * One viewer's session: its signaling over the WebSocket, and the media peer of the moment. It outlives
 * its peers: a media reset makes a new peer and a new offer in the same session.
 */
export class Session extends EventEmitter<SessionEvents> {
  readonly id = randomUUID();
  readonly fastLane: FastLaneSender;
  readonly hid: HidLane;
  readonly #options: SessionOptions;
  readonly #limits: SessionLimits;
  readonly #log: Log;
  readonly #startedMs: number;
  readonly #trickle: Trickle;
  readonly #restart: IceRestart;
  /** Counts of the peers before this one. */
  #earlier: SessionTotals = { ...noCounts(), datagramsRefused: 0 };
  #holdsMicrophone = false;
  #peer: Peer | undefined;
  #phase: Phase = 'idle';
  #state: SessionState = 'new';
  #reason = '';
  #deadlineMs = Number.POSITIVE_INFINITY;
  #lastResetMs = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #closing: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    super();
    this.#options = options;
    this.#limits = { ...defaultSessionLimits, ...options.limits };
    this.#restart = new IceRestart({ limits: this.#limits, nowMs: options.nowMs });
    this.#trickle = new Trickle({ send: (candidate) => this.#sendCandidate(candidate) });
    this.#log = options.log.child({ session: this.id.slice(0, 8) });
    this.#startedMs = options.nowMs();
    this.fastLane = new FastLaneSender({
      channel: {
        maxRedundantBytes: maxDatagramMessageBytes,
        send: (message) => this.#peer?.transport.sendData(message) ?? false,
      },
      nowUs: options.nowUs,
    });
    this.hid = new HidLane({ session: this.id, hook: options.hid, nowMs: options.nowMs });
  }

  /** Greets the viewer. */
  start(): void {
    this.#options.send({
      type: 'webrtc_config',
      session_id: this.id,
      ice_servers: this.#options.iceServers,
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The viewer can hear the host: over its peer connection, or over the WebSocket of its fast lane. */
  get isListening(): boolean {
    return this.#state === 'connected' || this.fastLane.isListeningBySocket;
  }

  /** One text frame of the WebSocket. A bad one is answered, never thrown. */
  receive(text: string): void {
    if (this.#state === 'closed') return;
    try {
      this.#handle(readViewerMessage(text));
      this.#refusals = 0;
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Sends one message to the viewer, while the session is open. */
  tell(message: DeviceMessage): void {
    if (this.#state !== 'closed') this.#options.send(message);
  }

  /** From now on frames of the viewer's microphone pass, or are dropped. Media resets change nothing of it. */
  holdMicrophone(holds: boolean): void {
    this.#holdsMicrophone = holds;
  }

  sendSound(sound: SoundPacket): void {
    this.#peer?.sendSound(sound);
  }

  /** Called a few times a second. */
  tick(): void {
    this.fastLane.tick();
    const nowMs = this.#options.nowMs();
    if (nowMs >= this.#deadlineMs) {
      this.#fail(
        this.#phase === 'answered' && this.#peer !== undefined
          ? this.#peer.transport.trouble
          : 'The viewer did not answer the offer in time.',
      );
      return;
    }
    const peer = this.#peer;
    if (peer === undefined || this.#state !== 'connected') return;
    const silentMs = nowMs - peer.transport.lastHeardMs;
    const isSilent = silentMs >= this.#limits.silenceMs;
    if (this.#restart.isOverdue) {
      this.#giveUpRestart(peer, isSilent);
      return;
    }
    // A viewer whose network changed is silent until the restart has a path, or its deadline passes.
    if (isSilent && this.#restart.phase === 'idle') {
      this.#fail('The viewer stopped answering; its network or its page is gone.');
      return;
    }
    if (silentMs >= this.#limits.probeMs) peer.transport.probe();
    peer.tick();
  }

  status(): SessionStatus {
    return describeSession({
      id: this.id,
      state: this.#state,
      reason: this.#reason,
      ageMs: this.#options.nowMs() - this.#startedMs,
      peer: this.#peer,
      totals: this.totals(),
      fastLane: this.fastLane.status(),
    });
  }

  /** Counts of this session, over all its peers. */
  totals(): SessionTotals {
    return addPeer(this.#earlier, this.#peer);
  }

  /** Frees everything; idempotent. The WebSocket is its owner's to close. */
  async close(reason: string): Promise<void> {
    if (this.#state !== 'closed') {
      this.#dropPeer();
      this.fastLane.endSocket(reason);
      this.hid.endSocket(reason);
      this.#setState('closed', reason);
    }
    await this.#closing;
  }

  #handle(message: ViewerMessage): void {
    switch (message.type) {
      case 'webrtc_ready':
        if (this.#phase !== 'idle') throw outOfOrder('webrtc_ready', 'an offer is already out');
        this.#offer();
        return;
      case 'webrtc_answer':
        this.#answer(message.sdp);
        return;
      case 'ice_candidate':
        this.#candidate(message.candidate);
        return;
      case 'direct_media_reset_request':
        this.#reset(message.reason ?? '');
        return;
      case 'ice_restart_request':
        this.#restartIce();
        return;
      case 'client_media_ready':
        this.#log.debug({}, 'viewer hears the host');
        return;
      case 'av_sync_feedback':
      case 'av_calibration_config':
      case 'av_calibration_result':
        this.emit('av', message);
        return;
    }
  }

  #offer(): void {
    const peer = this.#options.createPeer();
    this.#peer = peer;
    this.#phase = 'offering';
    this.#deadlineMs = this.#options.nowMs() + this.#limits.answerMs;
    this.#setState('connecting', '');
    this.#trickle.offerAgain();
    this.#follow(peer);
    this.hid.attach(peer.transport);
    peer.createOffer().then(
      (sdp) => {
        if (peer !== this.#peer) return;
        this.#phase = 'offered';
        this.#announce(sdp);
      },
      (error: unknown) => {
        this.#log.error({ error: messageOf(error) }, 'no offer could be made');
        if (peer !== this.#peer) return;
        this.#fail(`The device could not make an offer: ${messageOf(error)}`);
      },
    );
  }

  /** What it says is heard until another takes its place. */
  #follow(peer: Peer): void {
    peer.on('state', (state, reason) => {
      if (peer === this.#peer) this.#peerState(state, reason);
    });
    peer.on('microphone', (packet) => {
      if (peer === this.#peer) this.#hear(peer, packet);
    });
    peer.on('data', (message) => {
      if (peer === this.#peer) this.fastLane.receive('channel', message);
    });
    peer.on('data-channel', (open) => {
      if (peer === this.#peer && !open) this.fastLane.channelClosed();
    });
    peer.on('candidate', (candidate) => {
      if (peer === this.#peer) this.#offerCandidate(candidate);
    });
    peer.transport.on('restarted', () => {
      if (peer === this.#peer) this.#restarted();
    });
  }

  /** A new path for the peer connection there is; only one that once stood can be moved. */
  #restartIce(): void {
    const peer = this.#peer;
    if (peer === undefined || this.#state !== 'connected') {
      throw outOfOrder('ice_restart_request', 'there is no connection to restart');
    }
    this.#restart.begin();
    this.#trickle.forgetEarly();
    this.#trickle.offerAgain();
    this.#log.info({}, 'ICE restart');
    this.#restart.offer(peer.transport).then(
      (sdp) => {
        if (sdp !== undefined && peer === this.#peer) this.#announce(sdp);
      },
      (error: unknown) => {
        this.#log.error({ error: messageOf(error) }, 'no offer could be made');
        if (peer === this.#peer) this.#refuse(error);
      },
    );
  }

  #restarted(): void {
    this.#restart.end();
    this.#setState('connected', '');
  }

  /** The path of before is kept if it still works; the viewer may ask for a media reset either way. */
  #giveUpRestart(peer: Peer, isSilent: boolean): void {
    const reason = this.#restart.trouble(peer.transport);
    this.#endRestart();
    if (isSilent) this.#fail(reason);
    else this.#setState('connected', reason);
  }

  #endRestart(): void {
    this.#restart.end();
    this.#trickle.forgetEarly();
    this.#peer?.transport.abandonRestart();
  }

  #hear(peer: Peer, packet: MicrophonePacket): void {
    if (!this.#holdsMicrophone) {
      peer.counts.microphoneDrops.floor += 1;
      return;
    }
    const { ssrc, sequence, timestamp, marker, payload, arrivalNs } = packet;
    const session = this.id;
    this.emit('microphone', { session, ssrc, sequence, timestamp, marker, payload, arrivalNs });
  }

  #answer(sdp: string): void {
    const peer = this.#peer;
    if (peer !== undefined && this.#restart.phase === 'offered') {
      this.#answerRestart(peer, sdp);
      return;
    }
    if (peer === undefined || this.#phase !== 'offered') {
      throw outOfOrder('webrtc_answer', 'no offer waits for one');
    }
    const answer = readAnswer(sdp);
    peer.setAnswer(answer);
    this.#phase = 'answered';
    this.#deadlineMs = this.#options.nowMs() + this.#limits.connectMs;
    this.#trickle.answered(peer.transport);
  }

  #answerRestart(peer: Peer, sdp: string): void {
    try {
      this.#restart.answer(peer.transport, sdp);
    } catch (error) {
      this.#endRestart();
      throw error;
    }
    this.#trickle.answered(peer.transport);
  }

  #candidate(candidate: string): void {
    // An empty candidate ends the list (RFC 8838 §8.2); a peer-reflexive one may still come.
    if (candidate === '') return;
    const awaitsAnswer = this.#restart.phase === 'offering' || this.#restart.phase === 'offered';
    if (this.#phase === 'answered' && !awaitsAnswer) {
      this.#peer?.transport.addCandidate(candidate);
    } else {
      this.#trickle.keep(candidate);
    }
  }

  #reset(reason: string): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#lastResetMs < this.#limits.resetMs) {
      throw new EarshotError(
        'MEDIA_SIGNALING_INVALID',
        `A media reset may be asked for once in ${this.#limits.resetMs / 1_000} s.`,
      );
    }
    this.#lastResetMs = nowMs;
    this.#log.info({ reason }, 'media reset');
    this.#dropPeer();
    this.#offer();
  }

  #peerState(state: TransportState, reason: string): void {
    if (state === 'connected') {
      this.#deadlineMs = Number.POSITIVE_INFINITY;
      this.#setState('connected', '');
    } else if (state === 'failed') {
      this.#fail(reason);
    }
  }

  #fail(reason: string): void {
    this.#dropPeer();
    this.#setState('failed', reason);
  }

  #dropPeer(): void {
    const peer = this.#peer;
    this.#phase = 'idle';
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#trickle.forgetEarly();
    this.#restart.end();
    if (peer === undefined) return;
    this.#earlier = this.totals();
    this.#peer = undefined;
    this.fastLane.channelClosed();
    this.hid.detach();
    this.#closing = Promise.all([this.#closing, peer.close()]).then(
      () => undefined,
      (error: unknown) => {
        this.#log.warn({ error: messageOf(error) }, 'media peer did not close cleanly');
      },
    );
  }

  #setState(state: SessionState, reason: string): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#log.info({ state, reason }, 'viewer session');
    this.#options.send({ type: 'session_state', state, ...(reason !== '' && { reason }) });
    this.emit('state', state);
  }

  #announce(sdp: string): void {
    this.#options.send({ type: 'webrtc_offer', sdp });
    this.#trickle.offered();
  }

  #offerCandidate(candidate: string): void {
    if (this.#phase === 'offering' || this.#restart.phase === 'offering') {
      this.#trickle.hold(candidate);
    } else {
      this.#sendCandidate(candidate);
    }
  }

  #sendCandidate(candidate: string): void {
    this.#options.send({
      type: 'ice_candidate',
      candidate,
      sdp_mid: '0',
      sdp_mline_index: 0,
    });
  }

  #refuse(error: unknown): void {
    const code: ErrorCode = isEarshotError(error) ? error.code : 'INTERNAL';
    if (!isEarshotError(error)) this.#log.error({ error: messageOf(error) }, 'signaling failed');
    this.#options.send({ type: 'error', code, message: messageOf(error) });
    this.#refusals += 1;
    if (this.#refusals >= maxRefusals) {
      this.#options.end('Too many messages that could not be understood.');
    } else if (code === 'MEDIA_ANSWER_INVALID' || code === 'MEDIA_NO_OPUS') {
      // The offer had its answer, and nothing will come of it.
      this.#fail(messageOf(error));
    }
  }
}

function outOfOrder(type: string, why: string): EarshotError {
  return invalidMessage(`"${type}" came out of order: ${why}.`);
}
