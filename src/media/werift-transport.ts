import { EventEmitter } from 'node:events';
import { RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport } from 'werift';
import { messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { DataChannel } from './data-channel.ts';
import { DtlsData } from './dtls-data.ts';
import { clientProofFault, type HandshakeMessage } from './dtls-proof.ts';
import { contentTypes, type DtlsPhase, type DtlsRecord } from './dtls-records.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { RemoteTransportParameters } from './sdp-answer.ts';
import { type OfferedSection, writeOffer } from './sdp-offer.ts';
import { SrtpReceiver, SrtpSender } from './srtp-gcm.ts';
import type { Transport, TransportEvents, TransportState } from './transport.ts';
import type { IngressPath, MuxSession, UdpMux } from './udp-mux.ts';
import { type IceServer, WeriftIce } from './werift-ice.ts';

/** SRTP_AEAD_AES_128_GCM (RFC 7714 §14.2), the one profile we speak. */
const srtpGcm = 7;
/** All records of a handshake, repetitions included. */
const maxHandshakeRecords = 256;
/** The client's last flight (RFC 6347 §4.2.4, figure 1), and the type of its hello. */
const clientFlight = 5;
const clientHello = 1;

export interface WeriftTransportOptions {
  readonly mux: UdpMux;
  readonly iceServers: readonly IceServer[];
  readonly log: Log;
  /** For the offer's origin line. */
  readonly sessionId: bigint;
}

/**
 * The transport by werift: its ICE agent and DTLS server, with our own sockets below (the mux and its
 * guard) and our own SRTP beside. werift encrypts no media: with GCM, two senders on one key would
 * repeat nonces.
 */
export class WeriftTransport extends EventEmitter<TransportEvents> implements Transport {
  readonly #mux: UdpMux;
  readonly #log: Log;
  readonly #sessionId: bigint;
  readonly #ice: WeriftIce;
  readonly #dtls: RTCDtlsTransport;
  readonly #session: MuxSession;
  #state: TransportState = 'new';
  #phase: DtlsPhase = 'handshaking';
  #handshakeRecords = 0;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #offersData = false;
  #data: DtlsData | undefined;
  #channel: DataChannel | undefined;
  #faultLogged = false;
  #lastHeardMs = performance.now();
  #refused = 0;
  #answered = false;

  constructor(options: WeriftTransportOptions) {
    super();
    this.#mux = options.mux;
    this.#log = options.log;
    this.#sessionId = options.sessionId;
    this.#ice = new WeriftIce({
      mux: options.mux,
      iceServers: options.iceServers,
      onCandidate: (candidate) => this.emit('candidate', candidate),
    });
    this.#dtls = new RTCDtlsTransport({}, this.#ice.transport, undefined, [srtpGcm]);
    this.#session = this.#muxSession();
  }

  get state(): TransportState {
    return this.#state;
  }

  get candidateType(): string {
    return this.#ice.candidateType;
  }

  get roundTripMs(): number {
    return this.#ice.roundTripMs;
  }

  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  get datagramsRefused(): number {
    return this.#refused;
  }

  get dataChannelOpen(): boolean {
    return this.#channel?.isOpen ?? false;
  }

  async createOffer(sections: readonly OfferedSection[]): Promise<string> {
    const certificate = await RTCDtlsTransport.SetupCertificate();
    const endpoints = await this.#mux.endpoints();
    if (this.#state !== 'new') return '';
    this.#dtls.localCertificate = certificate;
    this.#dtls.role = 'server';
    this.#offersData = sections.some(({ kind }) => kind === 'application');
    this.#mux.attach(this.#session);
    this.#setState('connecting', '');
    this.#ice.open(endpoints);
    // Not awaited: candidates trickle (RFC 8838), and the offer never waits for a server's answer.
    this.#ice.gather().catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'candidates not gathered');
    });
    const { usernameFragment, password } = this.#ice.transport.localParameters;
    const fingerprint = certificate.getFingerprints()[0]?.value ?? '';
    return writeOffer({
      sessionId: this.#sessionId,
      transport: { usernameFragment, password, fingerprint },
      sections,
    });
  }

  setAnswer(remote: RemoteTransportParameters): void {
    if (this.#answered || this.#state !== 'connecting') return;
    this.#answered = true;
    this.#ice.setRemote(remote);
    const fingerprints = remote.fingerprints.map(
      ({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value),
    );
    this.#dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, 'client'));
    this.#connect().catch((error: unknown) => {
      this.#fail(`The secure connection could not be made (${messageOf(error)}).`);
    });
  }

  addCandidate(line: string): void {
    this.#ice.addCandidate(line);
  }

  sendRtp(packets: readonly RtpPacket[]): number {
    const sender = this.#sender;
    if (sender === undefined) return 0;
    let taken = 0;
    for (const { header, payload } of packets) {
      if (!this.#ice.send(sender.protectRtp(header, payload))) break;
      taken += 1;
    }
    return taken;
  }

  sendRtcp(compound: Buffer): void {
    if (this.#sender !== undefined) this.#ice.send(this.#sender.protectRtcp(compound));
  }

  sendData(message: Uint8Array): boolean {
    return this.#channel?.send(message) ?? false;
  }

  probe(): void {
    this.#ice.probe();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    if (this.#state !== 'new') this.#mux.detach(this.#session);
    this.#setState('closed', '');
    // First, while it can still say so to the viewer.
    await this.#channel?.close();
    this.#data = undefined;
    this.#sender = undefined;
    this.#receiver = undefined;
    // Ends the repetition of a flight that nobody will answer any more.
    if (this.#dtls.dtls !== undefined) this.#dtls.dtls.dtls.flight = 255;
    await this.#dtls.stop();
    await this.#ice.close();
    this.removeAllListeners();
  }

  async #connect(): Promise<void> {
    await this.#ice.transport.start();
    if (this.#state !== 'connecting') return;
    this.#ice.transport.onStateChange.subscribe((state) => {
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
    this.#openData();
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

  #openData(): void {
    const { cipher: context } = this.#dtls.dtls ?? {};
    if (context === undefined) return;
    const { cipher, sessionType } = context;
    const data = new DtlsData({
      encrypt: (fragment, header) => cipher.encrypt(sessionType, fragment, header),
      decrypt: (fragment, header) => cipher.decrypt(sessionType, fragment, header),
    });
    this.#data = data;
    if (!this.#offersData) return;
    this.#channel = new DataChannel({
      dtls: this.#dtls,
      send: (packet) => this.#ice.send(data.seal(packet)),
      onOpen: (open) => this.emit('data-channel', open),
      onMessage: (message) => this.emit('data', message),
      onRefused: (error) => this.#refuseData(error),
    });
  }

  /** A fault of the association is told once: a viewer can make as many as it likes. */
  #refuseData(error: unknown): void {
    this.#refused += 1;
    if (error === undefined || this.#faultLogged) return;
    this.#faultLogged = true;
    this.#log.warn({ error: messageOf(error) }, 'data channel packet not taken');
  }

  #muxSession(): MuxSession {
    const refused = (): void => {
      this.#refused += 1;
    };
    return {
      passwordOf: (fragment) => this.#ice.passwordOf(fragment),
      awaits: (transactionId) => this.#ice.awaits(transactionId),
      dtlsPhase: () => this.#phase,
      refused,
      stun: (datagram, path, address, port) => {
        this.#lastHeardMs = performance.now();
        this.#ice.receiveStun(datagram, path, address, port);
      },
      dtls: (records, alerts, path) => this.#receiveDtls(records, alerts, path),
      rtp: (datagram) => {
        const packet = this.#receiver?.openRtp(datagram);
        if (packet === undefined) return refused();
        this.#heard();
        this.emit('rtp', packet);
      },
      rtcp: (datagram) => {
        const compound = this.#receiver?.openRtcp(datagram);
        if (compound === undefined) return refused();
        this.#heard();
        this.emit('rtcp', compound);
      },
    };
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
      if (record.contentType === contentTypes.data) {
        this.#receiveData(record);
        continue;
      }
      if (record.contentType === contentTypes.handshake) this.#handshakeRecords += 1;
      if (this.#handshakeRecords > maxHandshakeRecords) return;
      this.#ice.receiveDtls(record.bytes, path);
    }
    for (const record of alerts) this.#receiveAlert(record);
  }

  #receiveData(record: DtlsRecord): void {
    const packet = this.#data?.open(record);
    if (packet === undefined) {
      this.#refused += 1;
      return;
    }
    this.#heard();
    if (this.#channel === undefined) this.#refused += 1;
    else this.#channel.receive(packet);
  }

  /** A close_notify or fatal alert under the viewer's keys; any other record of that type is nobody's. */
  #receiveAlert(record: DtlsRecord): void {
    const alert = this.#data?.open(record);
    if (alert === undefined) {
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
