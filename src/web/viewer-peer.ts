import { soundAnswer } from './answer-sdp.ts';

/** A candidate as the signaling carries it; empty for end-of-candidates. */
export interface Candidate {
  readonly candidate: string;
  readonly sdp_mid: string | null;
  readonly sdp_mline_index: number | null;
}

export interface ViewerPeerOptions {
  readonly iceServers: RTCIceServer[];
  readonly onCandidate: (candidate: Candidate) => void;
  readonly onState: (state: RTCPeerConnectionState) => void;
  readonly onAudio: (stream: MediaStream, receiver: RTCRtpReceiver) => void;
}

/** The viewer's end of one peer connection: it answers what the device offers. */
export class ViewerPeer {
  readonly connection: RTCPeerConnection;
  /** Rejects at `close()`. What a closed connection was asked is never answered (W3C webrtc §4.4.1.2), so everything asked of it is raced against this. */
  readonly #closed: Promise<never>;
  #reportClosed: (reason: Error) => void = () => undefined;
  #receiver: RTCRtpReceiver | undefined;

  constructor({ iceServers, onCandidate, onState, onAudio }: ViewerPeerOptions) {
    this.#closed = new Promise((_, reject) => {
      this.#reportClosed = reject;
    });
    // Nobody may be waiting when it closes.
    this.#closed.catch(() => undefined);
    this.connection = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
    this.connection.onicecandidate = ({ candidate }) =>
      onCandidate({
        candidate: candidate?.candidate ?? '',
        sdp_mid: candidate?.sdpMid ?? null,
        sdp_mline_index: candidate?.sdpMLineIndex ?? null,
      });
    this.connection.onconnectionstatechange = () => onState(this.connection.connectionState);
    this.connection.ontrack = ({ track, receiver }) => {
      if (track.kind !== 'audio' || this.#receiver !== undefined) return;
      this.#receiver = receiver;
      playAsSoonAsPossible(receiver);
      // A stream of its own: in one stream with the picture, the browser would hold sound back for it.
      onAudio(new MediaStream([track]), receiver);
    };
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
   * The answer to an offer. Throws AnswerSdpError where the browser cannot receive Opus, the
   * browser's own error where it refuses the offer, and any error when closed meanwhile.
   */
  accept(offer: string): Promise<string> {
    return Promise.race([this.#accept(offer), this.#closed]);
  }

  async #accept(offer: string): Promise<string> {
    await this.connection.setRemoteDescription({ type: 'offer', sdp: offer });
    const { sdp = '' } = await this.connection.createAnswer();
    // The local description too must ask for stereo: it is what sets up the browser's own decoder.
    const answer = soundAnswer(sdp);
    await this.connection.setLocalDescription({ type: 'answer', sdp: answer });
    return answer;
  }

  async addCandidate({ candidate, sdp_mid, sdp_mline_index }: Candidate): Promise<void> {
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
  else if ('playoutDelayHint' in receiver) Reflect.set(receiver, 'playoutDelayHint', 0);
}

/** Username, session id and address of the origin line, without the version (RFC 8866 §5.2). */
function sessionIdOf(sdp: string): string {
  return (/^o=(\S+ \S+) \S+ (.*)$/m.exec(sdp) ?? []).slice(1).join(' ').trim();
}
