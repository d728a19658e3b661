import { EventEmitter } from 'node:events';
import { RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport } from 'werift';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { describeTrouble } from './connection-trouble.ts';
import type { DataChannelName } from './data-channel-kinds.ts';
import type { DtlsPhase } from './dtls-records.ts';
import { DtlsTraffic } from './dtls-traffic.ts';
import type { HidChannelChange } from './hid-channels.ts';
import type { IceServer } from './ice-servers.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { RemoteTransportParameters } from './sdp-answer.ts';
import { type OfferedSection, writeOffer } from './sdp-offer.ts';
import { SrtpReceiver, SrtpSender } from './srtp-gcm.ts';
import type { Transport, TransportEvents, TransportState } from './transport.ts';
import type { MuxSession, UdpMux } from './udp-mux.ts';
import { WeriftAgents } from './werift-agents.ts';
import { handshakeFault, srtpGcm } from './werift-handshake.ts';
import type { WeriftIce } from './werift-ice.ts';

/** The flight with the answer to a hello that has its cookie (RFC 6347 §4.2.4, figure 1). */
const helloAnswerFlight = 4;

export interface WeriftTransportOptions {
  readonly mux: UdpMux;
  readonly iceServers: readonly IceServer[];
  readonly log: Log;
  /** For the offer's origin line. */
  readonly sessionId: bigint;
  /** The viewer may open the channels of keyboard and pointer too. */
  readonly hid?: boolean;
}

/**
 * The transport by werift: its ICE agents and DTLS server, with our own sockets below (the mux and its
 * guard) and our own SRTP beside. werift encrypts no media: with GCM, two senders on one key would
 * repeat nonces.
 */
export class WeriftTransport extends EventEmitter<TransportEvents> implements Transport {
  readonly #options: WeriftTransportOptions;
  readonly #mux: UdpMux;
  readonly #log: Log;
  readonly #agents: WeriftAgents;
  readonly #traffic: DtlsTraffic;
  #sections: readonly OfferedSection[] = [];
  #version = 0;
  #fingerprints: readonly string[] = [];
  #usedFragments: string[] = [];
  readonly #dtls: RTCDtlsTransport;
  readonly #session: MuxSession;
  #state: TransportState = 'new';
  #phase: DtlsPhase = 'handshaking';
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #offersData = false;
  #lastHeardMs = performance.now();
  #refused = 0;
  #answered = false;

  constructor(options: WeriftTransportOptions) {
    super();
    this.#options = options;
    this.#mux = options.mux;
    this.#log = options.log;
    this.#agents = new WeriftAgents({
      mux: options.mux,
      iceServers: options.iceServers,
      log: options.log,
      onCandidate: (candidate) => this.emit('candidate', candidate),
    });
    this.#traffic = this.#dtlsTraffic();
    const { transport } = this.#agents.carrier;
    this.#dtls = new RTCDtlsTransport({}, transport, undefined, [srtpGcm]);
    this.#session = this.#muxSession();
  }

  get state(): TransportState {
    return this.#state;
  }

  get candidateType(): string {
    return this.#agents.current.candidateType;
  }

  get roundTripMs(): number {
    return this.#agents.current.roundTripMs;
  }

  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  get datagramsRefused(): number {
    return this.#refused;
  }

  get dataChannelOpen(): boolean {
    return this.#traffic.isOpen('fast-lane');
  }

  get keysOpen(): boolean {
    return this.#traffic.isOpen('keys');
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
    return this.#offer(this.#agents.current, endpoints);
  }

  async createRestartOffer(): Promise<string> {
    const endpoints = await this.#mux.endpoints();
    if (this.#state !== 'connected') return '';
    return this.#offer(this.#agents.restart(), endpoints);
  }

  setRestartAnswer(remote: RemoteTransportParameters): void {
    const { next } = this.#agents;
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
        if (next !== this.#agents.next) return;
        this.#log.warn({ error: messageOf(error) }, 'ICE restart failed');
      },
    );
  }

  abandonRestart(): void {
    this.#agents.abandonRestart();
  }

  setAnswer(remote: RemoteTransportParameters): void {
    if (this.#answered || this.#state !== 'connecting') return;
    this.#answered = true;
    this.#fingerprints = fingerprintTexts(remote);
    this.#usedFragments.push(remote.usernameFragment);
    this.#agents.current.setRemote(remote);
    const fingerprints = remote.fingerprints.map(
      ({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value),
    );
    this.#dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, 'client'));
    this.#connect().catch((error: unknown) => {
      this.#fail(`The secure connection could not be made (${messageOf(error)}).`);
    });
  }

  addCandidate(line: string): void {
    this.#agents.latest.addCandidate(line);
  }

  get trouble(): string {
    return describeTrouble({
      ...this.#agents.latest.facts,
      dtls: this.#traffic.handshakeBegun ? 'begun' : 'not begun',
    });
  }

  sendRtp(packets: readonly RtpPacket[]): number {
    const sender = this.#sender;
    if (sender === undefined) return 0;
    const ice = this.#agents.current;
    let taken = 0;
    for (const { header, payload } of packets) {
      if (!ice.send(sender.protectRtp(header, payload))) break;
      taken += 1;
    }
    return taken;
  }

  sendRtcp(compound: Buffer): void {
    if (this.#sender !== undefined) this.#agents.current.send(this.#sender.protectRtcp(compound));
  }

  sendData(message: Uint8Array): boolean {
    return this.#traffic.send('fast-lane', message);
  }

  sendKeys(message: Uint8Array): boolean {
    return this.#traffic.send('keys', message);
  }

  probe(): void {
    this.#agents.current.probe();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    if (this.#state !== 'new') this.#mux.detach(this.#session);
    this.#setState('closed', '');
    // First, while it can still say so to the viewer.
    await this.#traffic.close();
    this.#sender = undefined;
    this.#receiver = undefined;
    // Ends the repetition of a flight that nobody will answer any more.
    if (this.#dtls.dtls !== undefined) this.#dtls.dtls.dtls.flight = 255;
    await this.#agents.close();
    await this.#dtls.stop();
    await this.#agents.retired;
    this.removeAllListeners();
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
    if (this.#state !== 'connected' || !this.#agents.switchTo(next)) return;
    this.#lastHeardMs = performance.now();
    this.#watch(next);
    this.emit('restarted');
  }

  #watch(ice: WeriftIce): void {
    ice.transport.onStateChange.subscribe((state) => {
      // While a restart is under way, the way before may well be gone.
      if (state === 'failed' && ice === this.#agents.latest) {
        this.#fail('The viewer stopped answering.');
      }
    });
  }

  async #connect(): Promise<void> {
    const ice = this.#agents.current;
    await ice.transport.start();
    if (this.#state !== 'connecting') return;
    this.#watch(ice);
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
    this.#traffic.open(this.#dtls, { kinds: this.#offersData ? this.#channelKinds : [] });
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

  get #channelKinds(): readonly DataChannelName[] {
    return this.#options.hid === true ? ['fast-lane', 'keys', 'pointer'] : ['fast-lane'];
  }

  #channelChanged(name: DataChannelName, change: HidChannelChange): void {
    if (name === 'fast-lane') this.emit('data-channel', change === 'open');
    else this.emit('hid-channel', name, change);
  }

  #dtlsTraffic(): DtlsTraffic {
    return new DtlsTraffic({
      log: this.#log,
      deliver: (record) => this.#agents.carrier.deliverDtls(record),
      helloAccepted: () => (this.#dtls.dtls?.dtls.flight ?? 0) >= helloAnswerFlight,
      send: (parts) => this.#agents.current.send(parts),
      onHeard: () => this.#heard(),
      onRefused: () => {
        this.#refused += 1;
      },
      onClosed: () => this.#fail('The viewer closed the connection.'),
      onChange: (name, change) => this.#channelChanged(name, change),
      onMessage: (name, message) => {
        if (name === 'fast-lane') this.emit('data', message);
        else this.emit('hid', name, message);
      },
    });
  }

  #muxSession(): MuxSession {
    const refused = (): void => {
      this.#refused += 1;
    };
    return {
      passwordOf: (fragment) => this.#agents.passwordOf(fragment),
      awaits: (transactionId) => this.#agents.awaits(transactionId),
      dtlsPhase: () => this.#phase,
      refused,
      stun: (datagram, message, from) => {
        // Only what goes on over the pair in use is a sign that it still works.
        const isInUse = this.#agents.receiveStun(datagram, message, from);
        if (isInUse) this.#lastHeardMs = performance.now();
      },
      dtls: (records, alerts) => this.#traffic.receive(records, alerts),
      tcpClosed: (from) => {
        if (this.#agents.next === undefined && this.#agents.current.uses(from)) {
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

  /** Something only the viewer's keys could make: it has finished its handshake too. */
  #heard(): void {
    this.#lastHeardMs = performance.now();
    this.#phase = 'sealed';
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
