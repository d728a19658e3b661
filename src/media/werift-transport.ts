import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import {
  Candidate,
  candidateFoundation,
  candidatePriority,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceTransport,
  StunProtocol,
} from 'werift';
import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { clientProofFault, type HandshakeMessage } from './dtls-proof.ts';
import { contentTypes, type DtlsPhase, type DtlsRecord } from './dtls-records.ts';
import { readCandidate } from './ice-candidate.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { RemoteTransportParameters } from './sdp-answer.ts';
import { type OfferedSection, writeOffer } from './sdp-offer.ts';
import { SrtpReceiver, SrtpSender } from './srtp-gcm.ts';
import type { Transport, TransportEvents, TransportState } from './transport.ts';
import type { IngressPath, MuxEndpoint, MuxSession, UdpMux } from './udp-mux.ts';
import { type IceAgent, iceAgentOf, type StunPath, stunPathOf } from './werift-internals.ts';

/** SRTP_AEAD_AES_128_GCM (RFC 7714 §14.2), the one profile we speak. */
const srtpGcm = 7;
const maxRemoteCandidates = 64;
/** Pairs of local and remote candidates; a viewer that makes more is not looking for a path. */
const maxPairs = 256;
/** All records of a handshake, repetitions included. */
const maxHandshakeRecords = 256;
/** RFC 8445 §5.1.2.1: one local preference each, in the order of the addresses. */
const highestLocalPreference = 65_535;

export interface WeriftTransportOptions {
  readonly mux: UdpMux;
  readonly log: Log;
  readonly sessionId: bigint;
}

/**
 * The transport by werift: its ICE agent and DTLS server, with our own sockets below (the mux and its
 * guard) and our own SRTP beside. werift sees authenticated STUN and admitted DTLS records, nothing
 * else, and encrypts no media: with GCM, two senders on one key would repeat nonces.
 */
export class WeriftTransport extends EventEmitter<TransportEvents> implements Transport {
  readonly #mux: UdpMux;
  readonly #log: Log;
  readonly #sessionId: bigint;
  readonly #ice: RTCIceTransport;
  readonly #dtls: RTCDtlsTransport;
  readonly #agent: IceAgent;
  readonly #session: MuxSession;
  readonly #paths = new Map<IngressPath, StunPath>();
  readonly #endpoints = new Map<object, MuxEndpoint>();
  readonly #remoteCandidates: string[] = [];
  #state: TransportState = 'new';
  #phase: DtlsPhase = 'handshaking';
  #handshakeRecords = 0;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #lastHeardMs = performance.now();
  #refused = 0;
  #answered = false;

  constructor(options: WeriftTransportOptions) {
    super();
    this.#mux = options.mux;
    this.#log = options.log;
    this.#sessionId = options.sessionId;
    // Addresses come from the mux: werift enumerates and binds none of its own.
    const gatherer = new RTCIceGatherer({ useIpv4: false, useIpv6: false });
    this.#ice = new RTCIceTransport(gatherer);
    this.#dtls = new RTCDtlsTransport({}, this.#ice, undefined, [srtpGcm]);
    this.#agent = iceAgentOf(this.#ice.connection);
    // werift's default is a public server.
    this.#agent.stunServer = undefined;
    this.#agent.iceControlling = true;
    useStrongCredentials(this.#agent);
    this.#session = this.#muxSession();
  }

  get state(): TransportState {
    return this.#state;
  }

  get candidateType(): string {
    return this.#agent.nominated?.remoteCandidate.type ?? '';
  }

  get roundTripMs(): number {
    const seconds = this.#agent.nominated?.rtt;
    return seconds === undefined ? -1 : seconds * 1_000;
  }

  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  get datagramsRefused(): number {
    return this.#refused;
  }

  async createOffer(sections: readonly OfferedSection[]): Promise<string> {
    const certificate = await RTCDtlsTransport.SetupCertificate();
    const endpoints = await this.#mux.endpoints();
    if (this.#state !== 'new') return '';
    this.#dtls.localCertificate = certificate;
    this.#dtls.role = 'server';
    this.#mux.attach(this.#session);
    this.#setState('connecting', '');
    for (const [index, endpoint] of endpoints.entries()) this.#addPath(endpoint, index);
    this.#ice.onIceCandidate.subscribe((candidate) => {
      if (candidate !== undefined) this.emit('candidate', candidateText(candidate.toJSON()));
    });
    // Not awaited: candidates trickle (RFC 8838), and the offer never waits for a server's answer.
    this.#ice.gather().catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'candidates not gathered');
    });
    const local = this.#ice.localParameters;
    return writeOffer({
      sessionId: this.#sessionId,
      transport: {
        usernameFragment: local.usernameFragment,
        password: local.password,
        fingerprint: certificate.getFingerprints()[0]?.value ?? '',
      },
      sections,
    });
  }

  setAnswer(remote: RemoteTransportParameters): void {
    if (this.#answered || this.#state !== 'connecting') return;
    this.#answered = true;
    this.#ice.setRemoteParams({
      iceLite: false,
      usernameFragment: remote.usernameFragment,
      password: remote.password,
    });
    const fingerprints = remote.fingerprints.map(
      ({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value),
    );
    this.#dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, 'client'));
    for (const candidate of [...remote.candidates, ...this.#remoteCandidates.splice(0)]) {
      this.addCandidate(candidate);
    }
    this.#connect().catch((error: unknown) => {
      this.#log.debug({ error: messageOf(error) }, 'transport did not connect');
      this.#fail(`The secure connection could not be made (${messageOf(error)}).`);
    });
  }

  addCandidate(line: string): void {
    if (this.#remoteCandidates.length >= maxRemoteCandidates) return;
    this.#remoteCandidates.push(line);
    if (!this.#answered || this.#state !== 'connecting') return;
    const candidate = readCandidate(line);
    if (candidate === undefined) return;
    const { foundation, priority, address, port, type } = candidate;
    // Never rejects for a literal address; a failed check is ICE's own business.
    void this.#ice.connection.addRemoteCandidate(
      new Candidate(foundation, 1, 'udp', priority, address, port, type),
    );
  }

  sendRtp(packets: readonly RtpPacket[]): number {
    const sender = this.#sender;
    if (sender === undefined) return 0;
    let taken = 0;
    for (const { header, payload } of packets) {
      if (!this.#send(sender.protectRtp(header, payload))) break;
      taken += 1;
    }
    return taken;
  }

  sendRtcp(compound: Buffer): void {
    if (this.#sender !== undefined) this.#send(this.#sender.protectRtcp(compound));
  }

  probe(): void {
    const pair = this.#agent.nominated;
    if (pair === undefined) return;
    const { localUsername, remoteUsername, remotePassword, iceControlling } = this.#agent;
    const request = this.#agent.buildRequest({
      nominate: false,
      localUsername,
      remoteUsername,
      iceControlling,
      localCandidate: pair.localCandidate,
    });
    pair.protocol
      .request(request, pair.remoteAddr, Buffer.from(remotePassword), {
        retransmissions: 0,
        responseTimeout: 1_000,
      })
      // Silence is what the probe is there to find out; the caller watches lastHeardMs.
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const wasOpen = this.#state !== 'new';
    this.#setState('closed', '');
    this.#sender = undefined;
    this.#receiver = undefined;
    if (wasOpen) this.#mux.detach(this.#session);
    // Ends the repetition of a flight that nobody will answer any more.
    if (this.#dtls.dtls !== undefined) this.#dtls.dtls.dtls.flight = 255;
    await this.#dtls.stop();
    this.removeAllListeners();
  }

  async #connect(): Promise<void> {
    await this.#ice.start();
    if (this.#state !== 'connecting') return;
    this.#ice.onStateChange.subscribe((state) => {
      if (state === 'failed') this.#fail('The viewer stopped answering.');
    });
    this.#dtls.onStateChange.subscribe((state) => {
      if (state === 'failed') this.#fail('The secure connection (DTLS) failed.');
    });
    await this.#dtls.start();
    if (this.#state !== 'connecting') return;
    const fault = this.#proofFault();
    if (fault !== undefined) {
      this.#fail(fault);
      return;
    }
    this.#openSrtp();
    this.#phase = 'connected';
    this.#lastHeardMs = performance.now();
    this.#setState('connected', '');
  }

  #proofFault(): string | undefined {
    const socket = this.#dtls.dtls;
    const certificate = socket?.remoteCertificate;
    if (socket === undefined || certificate === undefined) return 'The viewer has no certificate.';
    if (socket.srtp.srtpProfile !== srtpGcm) return 'The viewer does not speak SRTP with AES-GCM.';
    // werift files the client's hello with the server's answer to it, and each later flight apart.
    const transcript = Object.values(socket.dtls.handshakeCache)
      .sort((one, other) => one.flight - other.flight)
      .flatMap(({ flight, data }) =>
        [...data]
          .sort((one, other) => one.message_seq - other.message_seq)
          .map(
            (message): HandshakeMessage => ({
              type: message.msg_type,
              fromClient: flight === clientFlight || message.msg_type === clientHello,
              bytes: message.serialize(),
            }),
          ),
      );
    return clientProofFault({ transcript, certificate, masterSecret: socket.cipher.masterSecret });
  }

  #openSrtp(): void {
    const keys = this.#dtls.dtls?.extractSessionKeys(16, 12);
    if (keys === undefined) return;
    this.#sender = new SrtpSender({ key: keys.localKey, salt: keys.localSalt });
    this.#receiver = new SrtpReceiver({ key: keys.remoteKey, salt: keys.remoteSalt });
  }

  #send(parts: readonly Buffer[]): boolean {
    const pair = this.#agent.nominated;
    if (pair === undefined) return false;
    const [address, port] = pair.remoteAddr;
    const endpoint = this.#endpoints.get(pair.protocol);
    if (endpoint !== undefined) return endpoint.send(parts, port, address);
    pair.protocol.sendData(Buffer.concat(parts), pair.remoteAddr).catch(() => undefined);
    return true;
  }

  /** Gives the ICE agent a path over one socket of the mux, with its host candidate. */
  #addPath(endpoint: MuxEndpoint, index: number): void {
    const path = stunPathOf(new StunProtocol());
    path.transport = muxTransport(endpoint);
    path.localIp = endpoint.address;
    path.localCandidate = new Candidate(
      candidateFoundation('host', 'udp', endpoint.address),
      1,
      'udp',
      candidatePriority('host', highestLocalPreference - index),
      endpoint.address,
      endpoint.port,
      'host',
    );
    this.#agent.ensureProtocol(path);
    this.#agent.protocols.push(path);
    this.#paths.set(endpoint, path);
    this.#endpoints.set(path, endpoint);
  }

  #muxSession(): MuxSession {
    const session: MuxSession = {
      passwordOf: (fragment) =>
        Object.hasOwn(this.#agent.userHistory, fragment)
          ? this.#agent.userHistory[fragment]
          : undefined,
      awaits: (transactionId) => this.#awaits(transactionId),
      dtlsPhase: 'handshaking',
      refused: () => {
        this.#refused += 1;
      },
      stun: (datagram, path, address, port) => {
        this.#lastHeardMs = performance.now();
        if (this.#agent.checkList.length > maxPairs) return;
        this.#paths.get(path)?.datagramReceived(datagram, [address, port]);
      },
      dtls: (records, alerts, path) => this.#receiveDtls(records, alerts, path),
      rtp: (datagram) => {
        const packet = this.#receiver?.openRtp(datagram);
        if (packet === undefined) return session.refused();
        this.#heard();
        this.emit('rtp', packet);
      },
      rtcp: (datagram) => {
        const compound = this.#receiver?.openRtcp(datagram);
        if (compound === undefined) return session.refused();
        this.#heard();
        this.emit('rtcp', compound);
      },
    };
    return Object.defineProperty(session, 'dtlsPhase', { get: () => this.#phase });
  }

  #awaits(transactionId: string): string | undefined {
    for (const path of this.#paths.values()) {
      if (!Object.hasOwn(path.transactions, transactionId)) continue;
      return path.transactions[transactionId]?.integrityKey?.toString() ?? '';
    }
    return undefined;
  }

  /** Something only the viewer's keys could make: it has finished its handshake too. */
  #heard(): void {
    this.#lastHeardMs = performance.now();
    this.#phase = 'sealed';
  }

  #receiveDtls(
    records: readonly DtlsRecord[],
    alerts: readonly DtlsRecord[],
    path: IngressPath,
  ): void {
    for (const record of records) {
      if (record.contentType === contentTypes.handshake) this.#handshakeRecords += 1;
      if (this.#handshakeRecords > maxHandshakeRecords) return;
      this.#paths.get(path)?.onDataReceived.execute(record.bytes);
    }
    for (const record of alerts) this.#receiveAlert(record);
  }

  /** A close_notify or fatal alert under the viewer's keys; any other record of that type is nobody's. */
  #receiveAlert(record: DtlsRecord): void {
    const cipher = this.#dtls.dtls?.cipher;
    if (cipher === undefined) return;
    let alert: Buffer;
    try {
      alert = cipher.cipher.decrypt(cipher.sessionType, record.fragment, {
        type: record.contentType,
        version: record.bytes.readUInt16BE(1),
        epoch: record.epoch,
        sequenceNumber: record.sequence,
      });
    } catch {
      this.#refused += 1;
      return;
    }
    const closes = alert.length === 2 && (alert[0] === 2 || alert[1] === 0);
    if (closes) this.#fail('The viewer closed the connection.');
  }

  #fail(reason: string): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#setState('failed', reason);
  }

  #setState(state: TransportState, reason: string): void {
    this.#state = state;
    this.emit('state', state, reason);
  }
}

/** The client's last flight (RFC 6347 §4.2.4, figure 1), and the type of its hello. */
const clientFlight = 5;
const clientHello = 1;

/** werift's password has 88 random bits; RFC 8445 §5.3 asks for 128 at least. */
function useStrongCredentials(agent: IceAgent): void {
  agent.localUsername = randomBytes(6).toString('hex');
  agent.localPassword = randomBytes(18).toString('base64');
  agent.userHistory[agent.localUsername] = agent.localPassword;
}

/** What werift's STUN path takes for a UDP socket. It never closes the one it shares. */
function muxTransport(endpoint: MuxEndpoint): object {
  return {
    type: 'udp',
    closed: false,
    address: { address: endpoint.address, port: endpoint.port },
    addressFamily: endpoint.family,
    host: endpoint.address,
    port: endpoint.port,
    onData: () => undefined,
    send: async (datagram: Buffer, [address, port]: readonly [string, number]) => {
      endpoint.send(datagram, port, address);
    },
    close: async () => undefined,
  };
}

function candidateText({ candidate }: { readonly candidate: string }): string {
  return candidate.startsWith('candidate:') ? candidate : `candidate:${candidate}`;
}
