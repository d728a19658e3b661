import { EventEmitter } from 'node:events';
import { RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport } from 'werift';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { describeTrouble } from './connection-trouble.ts';
import { DataChannel } from './data-channel.ts';
import { DtlsData } from './dtls-data.ts';
import { contentTypes, type DtlsPhase, type DtlsRecord } from './dtls-records.ts';
import type { IceServer } from './ice-servers.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { RemoteTransportParameters } from './sdp-answer.ts';
import { type OfferedSection, writeOffer } from './sdp-offer.ts';
import { SrtpReceiver, SrtpSender } from './srtp-gcm.ts';
import type { StunMessage } from './stun-message.ts';
import type { Transport, TransportEvents, TransportState } from './transport.ts';
import type { DatagramSource, MuxSession, UdpMux } from './udp-mux.ts';
import { handshakeFault, srtpGcm } from './werift-handshake.ts';
import { WeriftIce } from './werift-ice.ts';

/** All records of a handshake, repetitions included. */
const maxHandshakeRecords = 256;
export interface WeriftTransportOptions {
  readonly mux: UdpMux;
  readonly iceServers: readonly IceServer[];
  readonly log: Log;
  /** For the offer's origin line. */
  readonly sessionId: bigint;
}

/**
 * The transport by werift: its ICE agents and DTLS server, with our own sockets below (the mux and its
 * guard) and our own SRTP beside. werift encrypts no media: with GCM, two senders on one key would
 * repeat nonces.
 *
 * Each ICE restart makes an agent of its own. Media goes over the one before until the new one has a
 * pair; the DTLS server sits on the first for good, and sends through whichever is in use.
 */
export class WeriftTransport extends EventEmitter<TransportEvents> implements Transport {
  readonly #options: WeriftTransportOptions;
  readonly #mux: UdpMux;
  readonly #log: Log;
  /** The agent that DTLS sits on. */
  readonly #carrier: WeriftIce;
  /** The agent whose pair carries media. */
  #ice: WeriftIce;
  /** The agent of a restart that is under way. */
  #next: WeriftIce | undefined;
  #sections: readonly OfferedSection[] = [];
  #version = 0;
  #fingerprints: readonly string[] = [];
  #usedFragments: string[] = [];
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
  #retiring: Promise<void> = Promise.resolve();

  constructor(options: WeriftTransportOptions) {
    super();
    this.#options = options;
    this.#mux = options.mux;
    this.#log = options.log;
    this.#carrier = this.#makeIce();
    this.#carrier.sendWith((datagram) => this.#ice.send([datagram]));
    this.#ice = this.#carrier;
    this.#dtls = new RTCDtlsTransport({}, this.#carrier.transport, undefined, [srtpGcm]);
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
    this.#sections = sections;
    this.#offersData = sections.some(({ kind }) => kind === 'application');
    this.#mux.attach(this.#session);
    this.#setState('connecting', '');
    return this.#offer(this.#ice, endpoints);
  }

  async createRestartOffer(): Promise<string> {
    const endpoints = await this.#mux.endpoints();
    if (this.#state !== 'connected') return '';
    this.abandonRestart();
    const next = this.#makeIce();
    this.#next = next;
    return this.#offer(next, endpoints);
  }

  setRestartAnswer(remote: RemoteTransportParameters): void {
    const next = this.#next;
    if (next === undefined || this.#state !== 'connected') return;
    const fingerprints = fingerprintTexts(remote);
    if (!fingerprints.some((fingerprint) => this.#fingerprints.includes(fingerprint))) {
      throw invalidRestart('names another certificate; the secure connection stays the same');
    }
    if (this.#usedFragments.includes(remote.usernameFragment)) {
      throw invalidRestart('has the "a=ice-ufrag" of before');
    }
    this.#usedFragments.push(remote.usernameFragment);
    next.setRemote(remote);
    next.transport.start().then(
      () => this.#switchTo(next),
      (error: unknown) => {
        if (next === this.#next) this.#log.warn({ error: messageOf(error) }, 'ICE restart failed');
      },
    );
  }

  abandonRestart(): void {
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.#retire(next);
  }

  setAnswer(remote: RemoteTransportParameters): void {
    if (this.#answered || this.#state !== 'connecting') return;
    this.#answered = true;
    this.#fingerprints = fingerprintTexts(remote);
    this.#usedFragments.push(remote.usernameFragment);
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
    (this.#next ?? this.#ice).addCandidate(line);
  }

  get trouble(): string {
    const { facts } = this.#next ?? this.#ice;
    return describeTrouble({
      ...facts,
      dtls: this.#handshakeRecords > 0 ? 'begun' : 'not begun',
    });
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
    await Promise.all([this.#next?.close(), this.#ice.close()]);
    await this.#dtls.stop();
    await this.#retiring;
    this.removeAllListeners();
  }

  #makeIce(): WeriftIce {
    const { mux, iceServers, log } = this.#options;
    const ice: WeriftIce = new WeriftIce({
      mux,
      iceServers,
      log,
      // A relay that answers late may be of an agent that is of no use any more.
      onCandidate: (candidate) => {
        if (ice === (this.#next ?? this.#ice)) this.emit('candidate', candidate);
      },
    });
    return ice;
  }

  #offer(ice: WeriftIce, endpoints: readonly MediaEndpoint[]): string {
    ice.open(endpoints);
    // Not awaited: candidates trickle (RFC 8838), and the offer never waits for a server's answer.
    ice.gather().catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'candidates not gathered');
    });
    const { usernameFragment, password } = ice.transport.localParameters;
    const fingerprint = this.#dtls.localCertificate?.getFingerprints()[0]?.value ?? '';
    this.#version += 1;
    return writeOffer({
      sessionId: this.#options.sessionId,
      version: this.#version,
      transport: { usernameFragment, password, fingerprint },
      sections: this.#sections,
    });
  }

  /** The restart found a pair: from here on media takes it, and the agent before is done. */
  #switchTo(next: WeriftIce): void {
    if (next !== this.#next || this.#state !== 'connected') return;
    const previous = this.#ice;
    this.#ice = next;
    this.#next = undefined;
    this.#lastHeardMs = performance.now();
    this.#watch(next);
    this.#retire(previous);
    this.emit('restarted');
  }

  /** Closes an agent beside what goes on. */
  #retire(ice: WeriftIce): void {
    this.#retiring = Promise.all([this.#retiring, ice.close()]).then(
      () => undefined,
      (error: unknown) => {
        this.#log.warn({ error: messageOf(error) }, 'ICE agent did not close cleanly');
      },
    );
  }

  #watch(ice: WeriftIce): void {
    ice.transport.onStateChange.subscribe((state) => {
      // While a restart is under way, the way before may well be gone.
      if (state === 'failed' && ice === this.#ice && this.#next === undefined) {
        this.#fail('The viewer stopped answering.');
      }
    });
  }

  async #connect(): Promise<void> {
    await this.#ice.transport.start();
    if (this.#state !== 'connecting') return;
    this.#watch(this.#ice);
    this.#dtls.onStateChange.subscribe((state) => {
      if (state === 'failed') this.#fail('The secure connection (DTLS) failed.');
    });
    await this.#dtls.start();
    if (this.#state !== 'connecting') return;
    const fault = handshakeFault(this.#dtls.dtls);
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
      passwordOf: (fragment) => this.#agentOf(fragment)?.passwordOf(fragment),
      awaits: (transactionId) =>
        this.#next?.awaits(transactionId) ?? this.#ice.awaits(transactionId),
      dtlsPhase: () => this.#phase,
      refused,
      stun: (datagram, message, from) => this.#receiveStun(datagram, message, from),
      dtls: (records, alerts) => this.#receiveDtls(records, alerts),
      tcpClosed: (from) => {
        if (this.#next === undefined && this.#ice.uses(from)) {
          this.#fail('The TCP connection that media took was closed.');
        }
      },
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

  #agentOf(fragment: string): WeriftIce | undefined {
    return [this.#next, this.#ice].find((ice) => ice?.passwordOf(fragment) !== undefined);
  }

  #receiveStun(datagram: Buffer, message: StunMessage, from: DatagramSource): void {
    const { next, ice } = { next: this.#next, ice: this.#ice };
    const isNext =
      next !== undefined &&
      (message.class === 'request'
        ? next.passwordOf(message.usernameFragment) !== undefined
        : next.awaits(message.transactionId) !== undefined);
    // Only what goes on over the pair in use is a sign that it still works.
    if (!isNext) this.#lastHeardMs = performance.now();
    (isNext ? next : ice).receiveStun(datagram, message, from);
  }

  /** Something only the viewer's keys could make: it has finished its handshake too. */
  #heard(): void {
    this.#lastHeardMs = performance.now();
    this.#phase = 'sealed';
  }

  #receiveDtls(records: readonly DtlsRecord[], alerts: readonly DtlsRecord[]): void {
    for (const record of records) {
      if (record.contentType === contentTypes.data) {
        this.#receiveData(record);
        continue;
      }
      if (record.contentType === contentTypes.handshake) this.#handshakeRecords += 1;
      if (this.#handshakeRecords > maxHandshakeRecords) return;
      this.#carrier.deliverDtls(record.bytes);
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

function fingerprintTexts({ fingerprints }: RemoteTransportParameters): string[] {
  return fingerprints.map(({ algorithm, value }) => `${algorithm} ${value}`);
}

function invalidRestart(what: string): EarshotError {
  return new EarshotError('MEDIA_ANSWER_INVALID', `The answer to the ICE restart ${what}.`);
}
