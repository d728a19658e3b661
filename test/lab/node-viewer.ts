import * as v from 'valibot';
import { RTCPeerConnection, RTCRtpCodecParameters } from 'werift';
import { WebSocket } from 'ws';
import { type DeviceMessage, deviceMessageSchema } from '../../src/media/signaling-messages.ts';

/** A viewer without a browser: connects fast, counts packets, plays nothing. */
export interface NodeViewer {
  /** When the first packet of sound came, ms of performance.now(). */
  readonly firstPacketMs: number;
  close(): Promise<void>;
}

const opus = new RTCRtpCodecParameters({
  mimeType: 'audio/opus',
  clockRate: 48_000,
  channels: 2,
  payloadType: 111,
});

const vp8 = new RTCRtpCodecParameters({
  mimeType: 'video/VP8',
  clockRate: 90_000,
  payloadType: 96,
  rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
});

/** Connects to the Earshot at `url` and resolves with the first packet of sound. It takes a picture too. */
export async function connectNodeViewer(
  { url }: { readonly url: string },
  deadlineMs = 15_000,
): Promise<NodeViewer> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/v1/session`);
  const peer = new RTCPeerConnection({ iceServers: [], codecs: { audio: [opus], video: [vp8] } });
  const close = async (): Promise<void> => {
    socket.terminate();
    await peer.close();
  };
  const firstPacketMs = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no sound in time')), deadlineMs);
    peer.onTrack.subscribe((track) => {
      if (track.kind !== 'audio') return;
      track.onReceiveRtp.once(() => {
        clearTimeout(timer);
        resolve(performance.now());
      });
    });
    socket.once('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'webrtc_ready' })));
    socket.on('message', (data: Buffer) => {
      act(v.parse(deviceMessageSchema, JSON.parse(data.toString()))).catch(reject);
    });
  });

  async function act(message: DeviceMessage): Promise<void> {
    if (message.type === 'webrtc_offer') {
      await peer.setRemoteDescription({ type: 'offer', sdp: message.sdp });
      const answer = await peer.createAnswer();
      await peer.setLocalDescription(answer);
      socket.send(JSON.stringify({ type: 'webrtc_answer', sdp: peer.localDescription?.sdp }));
    } else if (message.type === 'ice_candidate' && message.candidate !== '') {
      await peer.addIceCandidate({
        candidate: message.candidate,
        ...(message.sdp_mid === null ? {} : { sdpMid: message.sdp_mid }),
        ...(message.sdp_mline_index === null ? {} : { sdpMLineIndex: message.sdp_mline_index }),
      });
    }
  }

  try {
    return { firstPacketMs: await firstPacketMs, close };
  } catch (error) {
    await close();
    throw error;
  }
}
