import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import { soundAnswer } from './answer-sdp.ts';
import { candidatesOf } from './connection-words.ts';
import { microphoneMid, offerWithMicrophone } from './microphone-sdp.ts';

/** A candidate as the signaling carries it; empty for end-of-candidates. */
export interface Candidate {
  readonly candidate: string;
  readonly sdp_mid: string | null;
  readonly sdp_mline_index: number | null;
}

/** What an offer has beside the sound. */
export interface OfferedMedia {
  /** Room for a data channel (RFC 8841). */
  readonly hasData: boolean;
  /** The host's picture. */
  readonly hasVideo: boolean;
}

/** Candidates kept for the words of a failure; more come of no real network. */
const candidatesMax = 64;

export interface ViewerPeerOptions {
  readonly iceServers: RTCIceServer[];
  readonly onCandidate: (candidate: Candidate) => void;
  readonly onState: (state: RTCPeerConnectionState) => void;
  /** The first offer is about to be answered, with this in it. */
  readonly onNegotiation: (offered: OfferedMedia) => void;
  readonly onAudio: (stream: MediaStream, receiver: RTCRtpReceiver) => void;
  /** The host's picture; not called where the device has none. */
  readonly onVideo: (stream: MediaStream, receiver: RTCRtpReceiver) => void;
  /** What the microphone is sent with, once it is negotiated. */
  readonly onMicrophone: (sender: RTCRtpSender) => void;
}

/** The viewer's end of one peer connection: it answers what the device offers. */
export class ViewerPeer {
  readonly connection: RTCPeerConnection;
  /** Rejects at `close()`. What a closed connection was asked is never answered (W3C webrtc §4.4.1.2), so everything asked of it is raced against this. */
  readonly #closed: Promise<never>;
  #reportClosed: (reason: Error) => void = () => undefined;
  readonly #onMicrophone: (sender: RTCRtpSender) => void;
  readonly #onNegotiation: (offered: OfferedMedia) => void;
  readonly #ownCandidates: string[] = [];
  readonly #theirCandidates: string[] = [];
  #receiver: RTCRtpReceiver | undefined;
  #videoReceiver: RTCRtpReceiver | undefined;

  constructor(options: ViewerPeerOptions) {
    const { iceServers, onCandidate, onState, onAudio, onVideo } = options;
    this.#onMicrophone = options.onMicrophone;
    this.#onNegotiation = options.onNegotiation;
    this.#closed = new Promise((_, reject) => {
      this.#reportClosed = reject;
    });
    // Nobody may be waiting when it closes.
    this.#closed.catch(() => undefined);
    this.connection = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
    this.connection.onicecandidate = ({ candidate }) => {
      remember(this.#ownCandidates, candidate?.candidate ?? '');
      onCandidate({
        candidate: candidate?.candidate ?? '',
        sdp_mid: candidate?.sdpMid ?? null,
        sdp_mline_index: candidate?.sdpMLineIndex ?? null,
      });
    };
    this.connection.onconnectionstatechange = () => onState(this.connection.connectionState);
    this.connection.ontrack = ({ track, receiver }) => {
      const isVideo = track.kind === 'video';
      if ((isVideo ? this.#videoReceiver : this.#receiver) !== undefined) return;
      playAsSoonAsPossible(receiver);
      // A stream of its own each: in one element with the picture, the browser would hold sound back for it.
      const stream = new MediaStream([track]);
      if (isVideo) {
        this.#videoReceiver = receiver;
        onVideo(stream, receiver);
      } else {
        this.#receiver = receiver;
        onAudio(stream, receiver);
      }
    };
  }

  /** The candidate lines of both sides so far. */
  get candidates(): { readonly own: readonly string[]; readonly theirs: readonly string[] } {
    return { own: this.#ownCandidates, theirs: this.#theirCandidates };
  }

  /** What receives the host's sound. */
  get receiver(): RTCRtpReceiver | undefined {
    return this.#receiver;
  }

  /** True when the offer continues this connection (an ICE restart) instead of being a new one's. */
  isContinuedBy(offer: string): boolean {
    const current = this.connection.remoteDescription?.sdp;
    return current !== undefined && sessionIdOf(current) === sessionIdOf(offer);
  }

  /**
   * The answer to an offer, which is taken as if made with `microphone` where that is known. Throws
   * AnswerSdpError where the browser cannot receive Opus, the browser's own error where it refuses the
   * offer, and any error when closed meanwhile.
   */
  accept(offer: string, microphone?: MicrophoneSettings | undefined): Promise<string> {
    const sdp = microphone === undefined ? offer : offerWithMicrophone(offer, microphone);
    return Promise.race([this.#accept(sdp), this.#closed]);
  }

  /**
   * Has the microphone's encoder run with other settings from now on, without a word to the device.
   * Does nothing before there is an offer.
   */
  async configureMicrophone(microphone: MicrophoneSettings): Promise<void> {
    const current = this.connection.remoteDescription?.sdp;
    if (current === undefined || this.connection.signalingState !== 'stable') return;
    const offer = offerWithMicrophone(current, microphone);
    if (offer === current) return;
    try {
      await Promise.race([this.#accept(offer), this.#closed]);
    } catch {
      // The sender's maxBitrate holds all the same, and the connection goes on as it was.
      await this.#rollBack();
    }
  }

  async #rollBack(): Promise<void> {
    if (this.connection.signalingState !== 'have-remote-offer') return;
    try {
      await Promise.race([
        this.connection.setRemoteDescription({ type: 'rollback' }),
        this.#closed,
      ]);
    } catch {
      // Closed meanwhile: there is nothing left to roll back.
    }
  }

  async #accept(offer: string): Promise<string> {
    const isFirst = this.connection.remoteDescription === null;
    await this.connection.setRemoteDescription({ type: 'offer', sdp: offer });
    // A data channel made from here on is in the answer already.
    if (isFirst) this.#onNegotiation(mediaOf(offer));
    for (const candidate of candidatesOf(offer)) remember(this.#theirCandidates, candidate);
    const microphone = this.connection.getTransceivers().find(({ mid }) => mid === microphoneMid);
    // Agreed from the first answer on, though nothing is sent without a track: turning the microphone
    // on is no negotiation then.
    if (microphone !== undefined) microphone.direction = 'sendonly';
    const { sdp = '' } = await this.connection.createAnswer();
    // The local description too must ask for stereo: it is what sets up the browser's own decoder.
    const answer = soundAnswer(sdp);
    await this.connection.setLocalDescription({ type: 'answer', sdp: answer });
    if (microphone !== undefined) this.#onMicrophone(microphone.sender);
    return answer;
  }

  async addCandidate({ candidate, sdp_mid, sdp_mline_index }: Candidate): Promise<void> {
    remember(this.#theirCandidates, candidate);
    try {
      const added = this.connection.addIceCandidate({
        candidate,
        sdpMid: sdp_mid,
        sdpMLineIndex: sdp_mline_index ?? (sdp_mid === null ? 0 : null),
      });
      await Promise.race([added, this.#closed]);
    } catch {
      // One path less; when none is left, the connection fails and that is reported.
    }
  }

  /** From now on nothing is reported; what plays goes on until `close()`. */
  retire(): void {
    this.connection.onicecandidate = null;
    this.connection.onconnectionstatechange = null;
    this.connection.ontrack = null;
  }

  /** Idempotent; no callback runs afterwards. */
  close(): void {
    this.retire();
    this.connection.close();
    this.#reportClosed(new Error('The connection was closed.'));
  }
}

/** Asks for the smallest jitter buffer; the browser still raises it to what the network needs. */
function playAsSoonAsPossible(receiver: RTCRtpReceiver): void {
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
  // The name Chromium had for it before version 120, in seconds.
  if ('playoutDelayHint' in receiver) Reflect.set(receiver, 'playoutDelayHint', 0);
}

function remember(candidates: string[], candidate: string): void {
  if (candidate === '' || candidates.length >= candidatesMax) return;
  if (!candidates.includes(candidate)) candidates.push(candidate);
}

function mediaOf(offer: string): OfferedMedia {
  return {
    hasData: /^m=application [1-9]\d* UDP\/DTLS\/SCTP /m.test(offer),
    hasVideo: /^m=video [1-9]\d* /m.test(offer),
  };
}

/** Username, session id and address of the origin line, without the version (RFC 8866 §5.2). */
function sessionIdOf(sdp: string): string {
  return (/^o=(\S+ \S+) \S+ (.*)$/m.exec(sdp) ?? []).slice(1).join(' ').trim();
}
