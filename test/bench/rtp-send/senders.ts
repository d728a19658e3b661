/** Three ways to put 1,200-byte packets on the wire: a bare socket, ours, and werift's own. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RtpHeader, SrtpSession } from 'werift';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { silentLog } from '../../../src/log/log.ts';
import { NtpClock } from '../../../src/media/ntp-clock.ts';
import { Peer } from '../../../src/media/peer.ts';
import { readAnswer } from '../../../src/media/sdp-answer.ts';
import { SrtpSender } from '../../../src/media/srtp-gcm.ts';
import { UdpMux } from '../../../src/media/udp-mux.ts';
import { FakeTransport, goodAnswer } from '../../fixtures/fake-transport.ts';

export const packetBytes = 1_200;
const tagBytes = 16;
const headerBytes = 12;

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

/** Everything between an encoded frame and the socket: header, extensions, history, AES-GCM, send. */
export async function ownSender(port: number): Promise<Sender> {
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
  // Only ICE and DTLS are missing, which send nothing while media flows.
  const transport = new FakeTransport();
  transport.sendRtp = (packets) => {
    for (const { header, payload } of packets) {
      endpoint.send(srtp.protectRtp(header, payload), port, '127.0.0.1');
    }
    return packets.length;
  };
  transport.sendRtcp = (compound) => {
    endpoint.send(srtp.protectRtcp(compound), port, '127.0.0.1');
  };
  const nowNs = () => process.hrtime.bigint();
  const ntp = new NtpClock({ unixMs: Date.now(), monotonicNs: nowNs() });
  const peer = new Peer({ transport, ntp, nowNs, microphone: microphonePresets.medium });
  await peer.createOffer();
  peer.setAnswer(readAnswer(goodAnswer));
  transport.become('connected');
  // The answer agreed on the mid: header and one word of extension, and four bytes before it.
  const payload = randomBytes(packetBytes - headerBytes - 8 - tagBytes);
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
      await mux.stop();
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
