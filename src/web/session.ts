import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import type { DeviceMessage, ViewerMessage } from '../media/signaling-messages.ts';
import type { ConnectionState } from './connection-state.ts';
import { describeUnreachable } from './connection-words.ts';
import { isRelay, parseMessage, toIceServer } from './device-messages.ts';
import { type Candidate, type OfferedMedia, ViewerPeer } from './viewer-peer.ts';

/** How long each step may take before it counts as failed. */
const signalingDeadlineMs = 10_000;
const mediaDeadlineMs = 20_000;

/** The device takes one media reset and one ICE restart in 2 s. */
const resetIntervalMs = 2_100;

/** How long no packets may come before ICE is restarted, and how long that may take to find a path. */
const interruptedMs = 2_000;
const restartDeadlineMs = 5_000;

/** Candidates kept while their offer is on its way; more come of no real device. */
const earlyCandidatesMax = 64;

/** Refusals after which the peer connection under way cannot come about. */
const fatalCodes = new Set(['MEDIA_ANSWER_INVALID', 'MEDIA_NO_OPUS', 'MEDIA_PORTS_EXHAUSTED']);

/** What the page tells the device of picture and sound. */
export type SyncReport = Extract<
  ViewerMessage,
  { type: 'av_sync_feedback' | 'av_calibration_config' | 'av_calibration_result' }
>;

/** What the device tells the page of picture and sound. */
export type SyncNotice = Extract<
  DeviceMessage,
  { type: 'av_segment_diagnostic' | 'av_calibration_marker' }
>;

export interface SessionOptions {
  /** WebSocket address of `/api/v1/session`, asked for at each connection. */
  readonly url: () => string;
  /** Fresh delays between tries, in ms. */
  readonly backoff: () => Iterator<number>;
  readonly onState: (state: ConnectionState) => void;
  /** The host's sound arrives (or, without a stream, no longer does). */
  readonly onAudio: (stream: MediaStream | undefined) => void;
  /** The host's picture arrives (or, without a stream, no longer does). */
  readonly onVideo: (stream: MediaStream | undefined) => void;
  /** Media is about to be agreed upon; undefined when it is gone. */
  readonly onNegotiation: (
    offer: (OfferedMedia & { readonly connection: RTCPeerConnection }) | undefined,
  ) => void;
  readonly onSync: (notice: SyncNotice) => void;
  /** What the microphone is sent with: another one whenever media is built anew, none in between. */
  readonly onMicrophone: (sender: RTCRtpSender | undefined) => void;
  /** The device's name for this session; undefined when it is lost. */
  readonly onSession: (id: string | undefined) => void;
}

/**
 * One viewer's connection to the device: signaling over a WebSocket, sound over the peer connection
 * that the device offers. Whatever breaks is built anew, for as long as the page is open: the path by an
 * ICE restart, media by asking the device for a reset, signaling by connecting again.
 *
 * INVARIANTS: one WebSocket and one peer at most; one timer, of the step under way or of the next try.
 */
export class Session {
  readonly #options: SessionOptions;
  #socket: WebSocket | undefined;
  #peer: ViewerPeer | undefined;
  #iceServers: RTCIceServer[] = [];
  #earlyCandidates: Candidate[] = [];
  #timer: number | undefined;
  #signalingDelays: Iterator<number>;
  #mediaDelays: Iterator<number>;
  #lastResetMs = Number.NEGATIVE_INFINITY;
  #lastRestartMs = Number.NEGATIVE_INFINITY;
  /** The timer is an ICE restart's. */
  #isRestarting = false;
  #state: ConnectionState | undefined;
  #refusal = '';
  #reportedPlaying = false;
  #microphone: MicrophoneSettings | undefined;
  /** Messages are worked off one after the other: descriptions and candidates depend on order. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#signalingDelays = options.backoff();
    this.#mediaDelays = options.backoff();
  }

  /** The peer connection under way, for diagnostics and measurements. */
  get connection(): RTCPeerConnection | undefined {
    return this.#peer?.connection;
  }

  /** What receives the host's sound. */
  get receiver(): RTCRtpReceiver | undefined {
    return this.#peer?.receiver;
  }

  start(): void {
    if (this.#socket !== undefined) return;
    this.#refusal = '';
    this.#say({ kind: 'connecting', step: 'signaling' });
    const socket = new WebSocket(this.#options.url());
    this.#socket = socket;
    this.#within(signalingDeadlineMs, () => this.#lost('The device did not answer in time.'));
    socket.onopen = () => this.#awaitOffer({ type: 'webrtc_ready' });
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.#work = this.#work.then(() => this.#receive(socket, data));
    };
    socket.onclose = ({ reason }) =>
      this.#lost(reason || this.#refusal || 'The connection to the device was lost.');
  }

  stop(): void {
    this.#tearDown();
    this.#say({ kind: 'stopped' });
  }

  /** Tries at once instead of after the delay; does nothing where no delay is running. */
  retryNow(): void {
    if (this.#state?.kind === 'reconnecting') this.start();
    else if (this.#state?.kind === 'failed') this.resetMedia('viewer tried again');
  }

  /** The machine has another network, or one again: finds a new path at once. What plays goes on. */
  networkChanged(): void {
    this.retryNow();
    const kind = this.#state?.kind;
    if (kind === 'connected' || kind === 'interrupted') this.#restartIce();
  }

  /** Tells the device of picture and sound; nothing happens without a session. */
  report(report: SyncReport): void {
    this.#send(report);
  }

  /** Has the device build the media path anew; the session lives on. Nothing happens without a session: one that is lost comes back with new media anyway. */
  resetMedia(reason: string): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    // The old peer stays until the new offer: closed here first, the device would report a failure.
    this.#peer?.retire();
    this.#isRestarting = false;
    this.#say({ kind: 'connecting', step: 'negotiating' });
    this.#within(this.#lastResetMs + resetIntervalMs - performance.now(), () => {
      this.#lastResetMs = performance.now();
      this.#awaitOffer({ type: 'direct_media_reset_request', reason: reason.slice(0, 200) });
    });
  }

  /** Tells the device that sound is heard, once a session. */
  reportPlaying(): void {
    if (this.#reportedPlaying || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#reportedPlaying = true;
    this.#send({ type: 'client_media_ready' });
  }

  /** What the microphone's encoder is to run with, on this peer connection and every later one. */
  configureMicrophone(settings: MicrophoneSettings): void {
    this.#microphone = settings;
    // In line with the device's offers: two descriptions at once would be refused.
    this.#work = this.#work.then(() => this.#peer?.configureMicrophone(settings));
  }

  #awaitOffer(message: ViewerMessage): void {
    this.#say({ kind: 'connecting', step: 'negotiating' });
    this.#within(signalingDeadlineMs, () => this.#lost('The device made no offer in time.'));
    this.#send(message);
  }

  async #receive(socket: WebSocket, data: unknown): Promise<void> {
    if (socket !== this.#socket || typeof data !== 'string') return;
    const message = parseMessage(data);
    // A message of a newer device that this page does not know asks nothing of it.
    if (message === undefined) return;
    try {
      await this.#act(message);
    } catch (error) {
      if (socket !== this.#socket) return;
      this.#mediaFailed(error instanceof Error ? error.message : String(error));
    }
  }

  async #act(message: DeviceMessage): Promise<void> {
    switch (message.type) {
      case 'webrtc_config':
        this.#iceServers = message.ice_servers.map(toIceServer);
        this.#options.onSession(message.session_id);
        return;
      case 'webrtc_offer':
        await this.#accept(message.sdp);
        return;
      case 'ice_candidate':
        if (this.#peer !== undefined) await this.#peer.addCandidate(message);
        else if (this.#earlyCandidates.length < earlyCandidatesMax) {
          this.#earlyCandidates.push(message);
        }
        return;
      case 'av_segment_diagnostic':
      case 'av_calibration_marker':
        this.#options.onSync(message);
        return;
      case 'session_state':
        // Where media has failed already, this is the device noticing that we closed our end.
        if (message.state === 'failed' && this.#state?.kind !== 'failed') {
          this.#mediaFailed(message.reason || 'The device could not set up the media connection.');
        } else if (message.state === 'closed') this.#refusal = message.reason ?? '';
        return;
      case 'error':
        this.#refusal = message.message;
        if (fatalCodes.has(message.code)) this.#mediaFailed(message.message);
    }
  }

  async #accept(offer: string): Promise<void> {
    if (!this.#peer?.isContinuedBy(offer)) {
      const early = this.#earlyCandidates;
      this.#dropPeer();
      this.#earlyCandidates = early;
      this.#peer = this.#createPeer();
      this.#say({ kind: 'connecting', step: 'media' });
      this.#within(mediaDeadlineMs, () => this.#mediaFailed(this.#unreachable()));
    }
    const peer = this.#peer;
    let sdp: string;
    try {
      sdp = await peer.accept(offer, this.#microphone);
    } catch (error) {
      // Given up meanwhile; whoever did so has said why.
      if (peer !== this.#peer) return;
      throw error;
    }
    if (peer !== this.#peer) return;
    this.#send({ type: 'webrtc_answer', sdp });
    for (const candidate of this.#earlyCandidates.splice(0)) await peer.addCandidate(candidate);
  }

  #createPeer(): ViewerPeer {
    let wasConnected = false;
    const peer = new ViewerPeer({
      iceServers: this.#iceServers,
      onCandidate: (candidate) => this.#send({ type: 'ice_candidate', ...candidate }),
      onAudio: (stream) => this.#options.onAudio(stream),
      onVideo: (stream) => this.#options.onVideo(stream),
      onMicrophone: (sender) => this.#options.onMicrophone(sender),
      onNegotiation: (offered) => {
        if (peer === this.#peer) {
          this.#options.onNegotiation({ connection: peer.connection, ...offered });
        }
      },
      onState: (state) => {
        if (state === 'connected') {
          wasConnected = true;
          this.#connected();
        } else if (wasConnected && state === 'disconnected') this.#interrupted(interruptedMs);
        else if (wasConnected && state === 'failed') this.#interrupted(0);
        else if (state === 'failed') this.#mediaFailed(this.#unreachable());
      },
    });
    return peer;
  }

  /** No packets come: if that lasts, another path is looked for. A restart under way has a deadline of its own. */
  #interrupted(patienceMs: number): void {
    this.#say({ kind: 'interrupted' });
    if (!this.#isRestarting) this.#within(patienceMs, () => this.#restartIce());
  }

  /** Has the device offer new ICE credentials for the connection there is; what cannot be restarted is built anew. */
  #restartIce(): void {
    if (this.#peer === undefined || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#isRestarting = true;
    this.#within(this.#lastRestartMs + resetIntervalMs - performance.now(), () => {
      this.#lastRestartMs = performance.now();
      this.#send({ type: 'ice_restart_request' });
      this.#within(restartDeadlineMs, () => this.#restartIsOver());
    });
  }

  #restartIsOver(): void {
    this.#isRestarting = false;
    const isUp = this.#peer?.connection.connectionState === 'connected';
    // Without any network nothing could come of a reset either; it would only cost the microphone.
    if (navigator.onLine === false) this.#interrupted(restartDeadlineMs);
    else if (!isUp) this.resetMedia('no path after an ICE restart');
    else if (this.#state?.kind !== 'connected') this.#connected();
  }

  #unreachable(): string {
    return describeUnreachable({
      own: this.#peer?.candidates.own ?? [],
      theirs: this.#peer?.candidates.theirs ?? [],
      isRelayConfigured: this.#iceServers.some(isRelay),
    });
  }

  #connected(): void {
    window.clearTimeout(this.#timer);
    this.#isRestarting = false;
    this.#signalingDelays = this.#options.backoff();
    this.#mediaDelays = this.#options.backoff();
    this.#say({ kind: 'connected' });
  }

  #mediaFailed(reason: string): void {
    this.#dropPeer();
    const delayMs = Math.max(this.#mediaDelays.next().value, resetIntervalMs);
    this.#say({ kind: 'failed', reason, retryAtMs: performance.now() + delayMs });
    this.#within(delayMs, () => this.resetMedia(reason));
  }

  #lost(reason: string): void {
    this.#tearDown();
    const delayMs = this.#signalingDelays.next().value;
    this.#say({ kind: 'reconnecting', reason, retryAtMs: performance.now() + delayMs });
    this.#within(delayMs, () => this.start());
  }

  #say(state: ConnectionState): void {
    this.#state = state;
    this.#options.onState(state);
  }

  /** The next step, in place of whichever was to come. */
  #within(delayMs: number, action: () => void): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(action, Math.max(0, delayMs));
  }

  #send(message: ViewerMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #dropPeer(): void {
    this.#earlyCandidates = [];
    if (this.#peer === undefined) return;
    this.#peer.close();
    this.#peer = undefined;
    this.#isRestarting = false;
    this.#options.onAudio(undefined);
    this.#options.onVideo(undefined);
    this.#options.onNegotiation(undefined);
    this.#options.onMicrophone(undefined);
  }

  #tearDown(): void {
    window.clearTimeout(this.#timer);
    this.#dropPeer();
    this.#reportedPlaying = false;
    this.#options.onSession(undefined);
    if (this.#socket === undefined) return;
    this.#socket.onopen = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = undefined;
  }
}
