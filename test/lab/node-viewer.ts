import * as v from 'valibot';
import { RTCPeerConnection, RTCRtpCodecParameters, useSdesMid, useTransportWideCC } from 'werift';
import { WebSocket } from 'ws';
import { type DeviceMessage, deviceMessageSchema } from '../../src/media/signaling-messages.ts';
import { PictureCounter } from './picture-counter.ts';
import { TransportFeedback } from './transport-feedback.ts';

/** What reached a viewer since it connected. */
export interface ReceivedCounts {
  readonly soundPackets: number;
  readonly videoPackets: number;
  /** RTP payloads of the picture. */
  readonly videoBytes: number;
  /** Pictures of which every packet came. */
  readonly pictures: number;
}

/**
 * A viewer without a browser: connects fast, counts what comes, plays nothing. It says of the packets what
 * a browser would say: feedback on all, and NACK for what is missing of the picture.
 */
export interface NodeViewer {
  /** When the first packet of sound came, ms of performance.now(). */
  readonly firstPacketMs: number;
  readonly counts: ReceivedCounts;
  close(): Promise<void>;
}

export interface NodeViewerOptions {
  readonly url: string;
  /** It is connected when a whole keyframe has come as well. False by default. */
  readonly picture?: boolean;
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

const rtx = new RTCRtpCodecParameters({
  mimeType: 'video/rtx',
  clockRate: 90_000,
  payloadType: 97,
  parameters: 'apt=96',
});

/** What a browser takes while it receives more than about 1 Mbit/s. */
const feedbackEveryMs = 50;
const transportSequence = useTransportWideCC();

/**
 * Connects to the Earshot at `url` and resolves with the first packet of sound. It takes a picture too. Throws
 * when nothing came within `deadlineMs`.
 */
export async function connectNodeViewer(
  options: NodeViewerOptions,
  deadlineMs = 15_000,
): Promise<NodeViewer> {
  const reception = new WeriftReception();
  const socket = new WebSocket(`${options.url.replace(/^http/, 'ws')}/api/v1/session`);
  try {
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => {
        const missing = reception.firstPacketMs === undefined ? 'sound' : 'whole keyframe';
        reject(new Error(`no ${missing} within ${deadlineMs} ms`));
      }, deadlineMs);
      reception.onPacket = () => {
        if (!reception.hasBegun(options)) return;
        clearTimeout(deadline);
        reception.onPacket = undefined;
        resolve();
      };
      socket.once('error', reject);
      socket.on('open', () => socket.send(JSON.stringify({ type: 'webrtc_ready' })));
      socket.on('message', (data: Buffer) => {
        const message = v.parse(deviceMessageSchema, JSON.parse(data.toString()));
        reception
          .act(message)
          .then((reply) => reply !== undefined && socket.send(JSON.stringify(reply)))
          .catch(reject);
      });
    });
  } catch (error) {
    socket.terminate();
    await reception.close();
    throw error;
  }
  return {
    firstPacketMs: reception.firstPacketMs ?? Number.NaN,
    get counts() {
      return reception.counts;
    },
    async close() {
      socket.terminate();
      await reception.close();
    },
  };
}

/** werift's peer connection with the feedback of a browser: its own is one for each stream, of numbers that all share. */
class WeriftReception {
  firstPacketMs: number | undefined;
  /** Called with each packet, after it was counted. */
  onPacket: (() => void) | undefined;
  readonly #peer = new RTCPeerConnection({
    iceServers: [],
    codecs: { audio: [opus], video: [vp8, rtx] },
    headerExtensions: {
      audio: [useSdesMid(), transportSequence],
      video: [useSdesMid(), transportSequence],
    },
  });
  readonly #feedback = new TransportFeedback({ senderSsrc: 1 });
  readonly #pictures = new PictureCounter();
  readonly #timer: NodeJS.Timeout;
  #soundPackets = 0;
  #videoPackets = 0;
  #videoBytes = 0;
  #mediaSsrc = 0;

  constructor() {
    this.#timer = setInterval(() => this.#sendFeedback(), feedbackEveryMs);
    this.#peer.onTrack.subscribe((track) => {
      this.#mediaSsrc = track.ssrc ?? 0;
      track.onReceiveRtp.subscribe((packet, extensions) => {
        const sequence: unknown = extensions?.[transportSequence.uri];
        if (typeof sequence === 'number') this.#feedback.note(sequence, performance.now() * 1_000);
        if (track.kind === 'video') {
          this.#videoPackets += 1;
          this.#videoBytes += packet.payload.length;
          this.#pictures.add(packet);
        } else {
          this.#soundPackets += 1;
          this.firstPacketMs ??= performance.now();
        }
        this.onPacket?.();
      });
    });
  }

  get counts(): ReceivedCounts {
    return {
      soundPackets: this.#soundPackets,
      videoPackets: this.#videoPackets,
      videoBytes: this.#videoBytes,
      pictures: this.#pictures.whole,
    };
  }

  hasBegun({ picture = false }: NodeViewerOptions): boolean {
    const hasPicture = !picture || this.#pictures.wholeKeyframes > 0;
    return hasPicture && this.firstPacketMs !== undefined;
  }

  /** Does what the device says; what is to be said to it then. */
  async act(message: DeviceMessage): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (message.type === 'webrtc_offer') {
      const sdp = message.sdp.replace(/^a=rtcp-fb:\d+ transport-cc\r\n/gm, '');
      await this.#peer.setRemoteDescription({ type: 'offer', sdp });
      await this.#peer.setLocalDescription(await this.#peer.createAnswer());
      return { type: 'webrtc_answer', sdp: this.#peer.localDescription?.sdp };
    }
    if (message.type === 'ice_candidate' && message.candidate !== '') {
      await this.#peer.addIceCandidate({
        candidate: message.candidate,
        ...(message.sdp_mid === null ? {} : { sdpMid: message.sdp_mid }),
        ...(message.sdp_mline_index === null ? {} : { sdpMLineIndex: message.sdp_mline_index }),
      });
    }
    return undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#peer.close();
  }

  #sendFeedback(): void {
    const [dtls] = this.#peer.dtlsTransports;
    const message = this.#feedback.take(this.#mediaSsrc);
    // What it cannot send now, the next message does not need to repeat: a network loses feedback too.
    if (message !== undefined) dtls?.sendRtcp([message]).catch(() => undefined);
  }
}
