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
      onMicrophone: () => undefined,
      onAudio: (stream) => {
        const element = document.createElement('audio');
        element.srcObject = stream;
        void element.play();
      },
    });
    return await this.#peer.accept(offer);
  }

  /** Own candidates found since the last call. */
  takeCandidates(): Candidate[] {
    return this.#candidates.splice(0);
  }

  async addCandidate(candidate: Candidate): Promise<void> {
    await this.#peer?.addCandidate(candidate);
  }
}
