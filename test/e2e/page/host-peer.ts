import { HostPicture } from './host-picture.ts';

/**
 * Runs in a browser page of its own and stands for the device's media peer: it offers a stereo track
 * of two tones, the left four times as strong as the right, and a picture where one is wanted, and listens
 * to the viewer's microphone.
 */

declare global {
  interface Window {
    /** Given by the test: carries a message (JSON) to the viewer of a session. */
    readonly toViewer: (sessionId: string, message: string) => Promise<void>;
    /** Called by the test. */
    readonly hostOffer: (sessionId: string) => Promise<void>;
    readonly hostReceive: (sessionId: string, message: string) => Promise<void>;
    readonly hostClose: (sessionId: string) => void;
    /** Offers have a picture from now on, whose flashes come so much after their chirps. */
    readonly hostShowPicture: (flashLateMs: number) => void;
    /** Puts flashes and chirps into picture and sound, or ends that. */
    readonly hostCalibrate: (sessionId: string, enabled: boolean) => void;
    /** Offers new ICE credentials for the connection there is. */
    readonly hostRestartIce: (sessionId: string) => Promise<void>;
    /** What has come of the viewer's microphone so far (webrtc-stats inbound-rtp), as JSON. */
    readonly hostHears: (sessionId: string) => Promise<string>;
  }
}

const peers = new Map<string, RTCPeerConnection>();
const context = new AudioContext();
const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
const tones = startTones();
let picture: HostPicture | undefined;

function startTones(): MediaStreamTrack {
  const merger = new ChannelMergerNode(context, { numberOfInputs: 2 });
  [
    { frequency: 440, gain: 0.4 },
    { frequency: 660, gain: 0.1 },
  ].forEach(({ frequency, gain }, channel) => {
    const oscillator = new OscillatorNode(context, { frequency });
    oscillator.connect(new GainNode(context, { gain })).connect(merger, 0, channel);
    oscillator.start();
  });
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
  const { receiver } = peer.addTransceiver('audio', { direction: 'recvonly' });
  listen(receiver.track);
  if (picture !== undefined) peer.addTransceiver(picture.track, { direction: 'sendonly' });
  await peer.setLocalDescription();
  await send({ type: 'webrtc_offer', sdp: peer.localDescription?.sdp ?? '' });
}

async function restartIce(sessionId: string): Promise<void> {
  const peer = peers.get(sessionId);
  if (peer === undefined) return;
  peer.restartIce();
  await peer.setLocalDescription();
  const sdp = peer.localDescription?.sdp ?? '';
  await window.toViewer(sessionId, JSON.stringify({ type: 'webrtc_offer', sdp }));
}

function calibrate(sessionId: string, enabled: boolean): void {
  picture?.calibrate(
    enabled
      ? (marker) =>
          void window.toViewer(sessionId, JSON.stringify({ type: 'av_calibration_marker', marker }))
      : undefined,
  );
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

/** Chromium measures and decodes only what is played. */
function listen(track: MediaStreamTrack): void {
  const element = document.createElement('audio');
  element.srcObject = new MediaStream([track]);
  void element.play();
}

async function hears(sessionId: string): Promise<string> {
  const receiver = peers
    .get(sessionId)
    ?.getTransceivers()
    .find(({ direction }) => direction === 'recvonly')?.receiver;
  const heard = { packets: 0, bytes: 0, energy: 0, ssrc: 0 };
  const report = await receiver?.getStats();
  report?.forEach((entry) => {
    if (entry.type !== 'inbound-rtp') return;
    heard.packets = entry.packetsReceived;
    heard.bytes = entry.bytesReceived;
    heard.energy = entry.totalAudioEnergy ?? 0;
    heard.ssrc = entry.ssrc;
  });
  return JSON.stringify(heard);
}

Object.assign(window, {
  hostHears: hears,
  hostOffer: offer,
  hostShowPicture: (flashLateMs: number) => {
    picture ??= new HostPicture({ context, destination });
    picture.flashLateMs = flashLateMs;
  },
  hostCalibrate: calibrate,
  hostRestartIce: restartIce,
  hostReceive: receive,
  hostClose: close,
});
