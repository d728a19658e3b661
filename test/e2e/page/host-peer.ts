/**
 * Runs in a browser page of its own and stands for the device's media peer: it offers a stereo track
 * of two tones, the left four times as strong as the right, and answers nothing else.
 */

declare global {
  interface Window {
    /** Given by the test: carries a message (JSON) to the viewer of a session. */
    readonly toViewer: (sessionId: string, message: string) => Promise<void>;
    /** Called by the test. */
    readonly hostOffer: (sessionId: string) => Promise<void>;
    readonly hostReceive: (sessionId: string, message: string) => Promise<void>;
    readonly hostClose: (sessionId: string) => void;
  }
}

const peers = new Map<string, RTCPeerConnection>();
const tones = startTones();

function startTones(): MediaStreamTrack {
  const context = new AudioContext();
  const merger = new ChannelMergerNode(context, { numberOfInputs: 2 });
  [
    { frequency: 440, gain: 0.4 },
    { frequency: 660, gain: 0.1 },
  ].forEach(({ frequency, gain }, channel) => {
    const oscillator = new OscillatorNode(context, { frequency });
    oscillator.connect(new GainNode(context, { gain })).connect(merger, 0, channel);
    oscillator.start();
  });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
  merger.connect(destination);
  const [track] = destination.stream.getAudioTracks();
  if (track === undefined) throw new Error('no track');
  return track;
}

function close(sessionId: string): void {
  peers.get(sessionId)?.close();
  peers.delete(sessionId);
}

async function offer(sessionId: string): Promise<void> {
  close(sessionId);
  const peer = new RTCPeerConnection();
  peers.set(sessionId, peer);
  const send = (message: object): Promise<void> =>
    window.toViewer(sessionId, JSON.stringify(message));
  peer.onicecandidate = ({ candidate }) =>
    void send({
      type: 'ice_candidate',
      candidate: candidate?.candidate ?? '',
      sdp_mid: candidate?.sdpMid ?? null,
      sdp_mline_index: candidate?.sdpMLineIndex ?? null,
    });
  peer.addTransceiver(tones, { direction: 'sendonly' });
  peer.addTransceiver('audio', { direction: 'recvonly' });
  await peer.setLocalDescription();
  await send({ type: 'webrtc_offer', sdp: peer.localDescription?.sdp ?? '' });
}

async function receive(sessionId: string, text: string): Promise<void> {
  const peer = peers.get(sessionId);
  const message: {
    type: string;
    sdp: string;
    candidate: string;
    sdp_mid: string | null;
    sdp_mline_index: number | null;
  } = JSON.parse(text);
  if (message.type === 'webrtc_answer') {
    await peer?.setRemoteDescription({ type: 'answer', sdp: message.sdp });
  } else if (message.type === 'ice_candidate') {
    await peer?.addIceCandidate({
      candidate: message.candidate,
      sdpMid: message.sdp_mid ?? '0',
      sdpMLineIndex: message.sdp_mline_index,
    });
  }
}

Object.assign(window, { hostOffer: offer, hostReceive: receive, hostClose: close });

export {};
