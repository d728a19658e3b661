import { type Candidate, ViewerPeer } from '../../../src/web/viewer-peer.ts';

/** The viewer of a peer that Earshot is compared with: the page's own receiving end, signaled by hand. */
export class RivalViewer {
  readonly #candidates: Candidate[] = [];
  #peer: ViewerPeer | undefined;

  /** Answers an offer and plays what comes. */
  async answer(offer: string): Promise<string> {
    this.#peer = new ViewerPeer({
      iceServers: [],
      onCandidate: (candidate) => this.#candidates.push(candidate),
      onState: () => undefined,
      onNegotiation: () => undefined,
      onMicrophone: () => undefined,
      onAudio: (stream) => {
        const element = document.createElement('audio');
        element.srcObject = stream;
        void element.play();
      },
    });
    return await this.#peer.accept(offer);
  }

  /** Answers an offer and sends this browser's microphone, with its echo cancelled and no other processing. */
  async speak(offer: string): Promise<string> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: true,
        noiseSuppression: false,
        autoGainControl: false,
      },
    });
    const peer = new ViewerPeer({
      iceServers: [],
      onCandidate: (candidate) => this.#candidates.push(candidate),
      onState: () => undefined,
      onNegotiation: () => undefined,
      onMicrophone: () => undefined,
      onAudio: () => undefined,
    });
    this.#peer = peer;
    const { connection } = peer;
    await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    const [transceiver] = connection.getTransceivers();
    const [track] = stream.getAudioTracks();
    if (transceiver === undefined || track === undefined) throw new Error('nothing to send');
    transceiver.direction = 'sendonly';
    await transceiver.sender.replaceTrack(track);
    const { sdp = '' } = await connection.createAnswer();
    await connection.setLocalDescription({ type: 'answer', sdp });
    return sdp;
  }

  /** Own candidates found since the last call. */
  takeCandidates(): Candidate[] {
    return this.#candidates.splice(0);
  }

  async addCandidate(candidate: Candidate): Promise<void> {
    await this.#peer?.addCandidate(candidate);
  }
}
