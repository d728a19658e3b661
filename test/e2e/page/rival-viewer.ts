import { type Candidate, ViewerPeer } from '../../../src/web/viewer-peer.ts';

/** The viewer of a peer that Earshot is compared with: the page's own receiving end, signaled by hand. */
export class RivalViewer {
  readonly #candidates: Candidate[] = [];
  #peer: ViewerPeer | undefined;
  #pictures: RTCPeerConnection | undefined;

  /** Answers an offer and plays what comes. */
  async answer(offer: string): Promise<string> {
    this.#peer = new ViewerPeer({
      iceServers: [],
      onCandidate: (candidate) => this.#candidates.push(candidate),
      onState: () => undefined,
      onNegotiation: () => undefined,
      onMicrophone: () => undefined,
      onVideo: () => undefined,
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
      onVideo: () => undefined,
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

  /** Answers an offer of a picture and shows it in the page's only video element. */
  async watch(offer: string): Promise<string> {
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
    this.#pictures = connection;
    connection.onicecandidate = ({ candidate }) => {
      if (candidate === null) return;
      this.#candidates.push({
        candidate: candidate.candidate,
        sdp_mid: candidate.sdpMid,
        sdp_mline_index: candidate.sdpMLineIndex,
      });
    };
    connection.ontrack = ({ track, receiver }) => {
      receiver.jitterBufferTarget = 0;
      const element = document.createElement('video');
      element.muted = true;
      element.srcObject = new MediaStream([track]);
      document.body.append(element);
      void element.play();
    };
    await connection.setRemoteDescription({ type: 'offer', sdp: offer });
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
    await this.#pictures?.addIceCandidate({
      candidate: candidate.candidate,
      sdpMid: candidate.sdp_mid,
      sdpMLineIndex: candidate.sdp_mline_index,
    });
  }
}
