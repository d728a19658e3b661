/** Ways to put 1,200-byte packets on the wire: a bare socket, ours for sound and for the picture, and werift's own. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RtpHeader, SrtpSession } from 'werift';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { silentLog } from '../../../src/log/log.ts';
import { BandwidthEstimator } from '../../../src/media/bandwidth/bandwidth-estimator.ts';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { PacketOutlet } from '../../../src/media/packet-outlet.ts';
import { maxVideoPayloadBytes } from '../../../src/media/packet-size.ts';
import { Peer } from '../../../src/media/peer.ts';
import { noCounts } from '../../../src/media/peer-counts.ts';
import { mids } from '../../../src/media/peer-offer.ts';
import { readAnswer } from '../../../src/media/sdp-answer.ts';
import { SrtpSender } from '../../../src/media/srtp-gcm.ts';
import { UdpMux } from '../../../src/media/udp-mux.ts';
import { agreeOnVideo } from '../../../src/media/video-sdp.ts';
import { VideoSender } from '../../../src/media/video-sender.ts';
import { VideoStream } from '../../../src/media/video-stream.ts';
import { FakeTransport, goodAnswer, videoAnswer } from '../../fixtures/fake-transport.ts';

export const packetBytes = 1_200;
const tagBytes = 16;
const headerBytes = 12;
const vp8DescriptorBytes = 4;

export interface Sender {
  readonly name: string;
  /** Sends so many packets now. */
  send(count: number): void;
  close(): Promise<void>;
}

/** A connected socket that sends the same ready bytes: what the kernel and Node ask at least. */
export async function bareSender(port: number): Promise<Sender> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  const datagram = randomBytes(packetBytes);
  return {
    name: 'floor',
    send: (count) => {
      for (let index = 0; index < count; index += 1) socket.send(datagram);
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** A transport of ours that is connected: its own SRTP and UDP socket. Only ICE and DTLS are missing, which send nothing while media flows. */
async function openWire(port: number): Promise<{
  readonly transport: FakeTransport;
  /** Bytes of the last datagram. */
  lastBytes(): number;
  stop(): Promise<void>;
}> {
  const mux = new UdpMux({
    portMin: 0,
    portMax: 0,
    addresses: ['127.0.0.1'],
    loopback: true,
    log: silentLog,
  });
  await mux.start();
  const [endpoint] = await mux.endpoints();
  if (endpoint === undefined) throw new Error('no loopback address');
  const srtp = new SrtpSender({ key: randomBytes(16), salt: randomBytes(12) });
  const transport = new FakeTransport();
  let lastParts: readonly Buffer[] = [];
  transport.sendRtp = (packets) => {
    for (const { header, payload } of packets) {
      lastParts = srtp.protectRtp(header, payload);
      endpoint.send(lastParts, port, '127.0.0.1');
    }
    return packets.length;
  };
  transport.sendRtcp = (compound) => {
    endpoint.send(srtp.protectRtcp(compound), port, '127.0.0.1');
  };
  return {
    transport,
    lastBytes: () => lastParts.reduce((sum, part) => sum + part.length, 0),
    stop: () => mux.stop(),
  };
}

/** What browsers answer: they number the packets of the sound as well. */
const numberedAnswer = readAnswer(
  goodAnswer.replace(
    'a=recvonly',
    'a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\na=recvonly',
  ) + videoAnswer('vp8'),
);

/** Everything between a frame of sound and the socket: header, extensions, history, the estimator's notes, AES-GCM, send. */
export async function ownSender(port: number): Promise<Sender> {
  const { transport, lastBytes, stop } = await openWire(port);
  const nowNs = () => process.hrtime.bigint();
  const ntp = new NtpClock({ unixMs: Date.now(), monotonicNs: nowNs() });
  const peer = new Peer({ transport, ntp, nowNs, microphone: microphonePresets.medium });
  await peer.createOffer();
  peer.setAnswer(numberedAnswer);
  transport.become('connected');
  // The answer agreed on the mid and the number: header and two words of extensions, and four bytes before them.
  const payload = randomBytes(packetBytes - headerBytes - 12 - tagBytes);
  let timestamp = 0;
  return {
    name: 'own',
    send: (count) => {
      const captureTimeNs = nowNs();
      for (let index = 0; index < count; index += 1) {
        peer.sendSound({
          ...{ payload, samples: 480, timestamp, marker: false, captureTimeNs },
          discontinuity: false,
        });
        timestamp += 480;
      }
    },
    close: async () => {
      await peer.close();
      await stop();
      if (lastBytes() !== packetBytes) throw new Error(`packets of ${lastBytes()} bytes`);
    },
  };
}

/**
 * Everything between an encoded picture and the socket: payloads, pacer, header, extensions, history, the estimator's
 * notes, AES-GCM, send; pictures of `packetsPerFrame` packets that are as large as they may be. The path
 * carries any rate, so that the pacer holds nothing back.
 */
export async function videoSender(port: number, packetsPerFrame: number): Promise<Sender> {
  const { transport, lastBytes, stop } = await openWire(port);
  transport.become('connected');
  const nowNs = () => process.hrtime.bigint();
  const nowMs = () => Number(nowNs() / 1_000n) / 1_000;
  const ntp = new NtpClock({ unixMs: Date.now(), monotonicNs: nowNs() });
  const counts = noCounts();
  const outlet = new PacketOutlet({ transport, witness: new BandwidthEstimator(), nowMs });
  const stream = new VideoStream();
  const sender = new VideoSender({
    ...{ mid: mids.video, outlet, counts, ntp, nowMs },
    targetBps: () => 1e10,
    queueMs: () => 0,
    onKeyframeWanted: () => undefined,
  });
  const agreement = agreeOnVideo(numberedAnswer.sections, { mid: mids.video, codec: 'vp8' });
  if (typeof agreement === 'string') throw new Error(agreement);
  sender.agree(agreement);
  const payload = randomBytes(packetsPerFrame * (maxVideoPayloadBytes - vp8DescriptorBytes));
  let wanted = 0;
  return {
    name: 'video',
    send: (count) => {
      for (let sent = 0; sent < count; sent += packetsPerFrame) {
        const keyframe = wanted === 0;
        const frame = {
          codec: 'vp8',
          payload,
          keyframe,
          discontinuity: false,
          captureTimeNs: nowNs(),
        } as const;
        const picture = sender.takes(frame) ? stream.packetize(frame) : undefined;
        if (picture !== undefined) sender.send(picture);
        wanted += packetsPerFrame;
      }
    },
    close: async () => {
      sender.stop();
      await stop();
      if (counts.videoPackets !== wanted || lastBytes() > packetBytes || lastBytes() < 1_150) {
        throw new Error(
          `${counts.videoPackets} packets of ${lastBytes()} bytes were sent, not ${wanted} of 1,150–${packetBytes}`,
        );
      }
    },
  };
}

/** werift's transport from header and payload to its socket, with AES-GCM. */
export async function weriftSender(port: number): Promise<Sender> {
  const ice = new RTCIceTransport(new RTCIceGatherer({}));
  const dtls = new RTCDtlsTransport({}, ice, undefined, []);
  const key = randomBytes(16);
  const salt = randomBytes(12);
  dtls.srtp = new SrtpSession({
    keys: {
      localMasterKey: key,
      localMasterSalt: salt,
      remoteMasterKey: key,
      remoteMasterSalt: salt,
    },
    profile: 7,
  });
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  ice.connection.send = async (datagram) => {
    socket.send(datagram, port, '127.0.0.1');
  };
  const payload = randomBytes(packetBytes - headerBytes - tagBytes);
  let sequenceNumber = 0;
  return {
    name: 'werift',
    send: (count) => {
      for (let index = 0; index < count; index += 1) {
        sequenceNumber = (sequenceNumber + 1) & 0xffff;
        const header = new RtpHeader({
          version: 2,
          payloadType: 111,
          sequenceNumber,
          timestamp: sequenceNumber * 480,
          ssrc: 1,
        });
        // It reports its own errors; nothing here can wait for a packet.
        dtls.sendRtp(payload, header).catch(() => undefined);
      }
    },
    close: async () => {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      await dtls.stop();
    },
  };
}
