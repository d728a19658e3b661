import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { Candidate, RTCIceGatherer, RTCIceTransport, StunProtocol } from 'werift';
import type { Log } from '../log/log.ts';
import { fragmentOf, mdnsNameOf, readCandidate } from './ice-candidate.ts';
import {
  allocateRelay,
  askReflexive,
  type IceServer,
  IceServerError,
  type IceServerUrl,
  iceServerUrls,
  releaseRelay,
} from './ice-servers.ts';
import { candidateText, hostCandidate, relayCandidate, sharedSocket } from './local-candidates.ts';
import type { IngressPath, MediaEndpoint } from './media-endpoint.ts';
import type { RemoteTransportParameters } from './sdp-answer.ts';
import type { StunMessage } from './stun-message.ts';
import type { DatagramSource, UdpMux } from './udp-mux.ts';
import {
  type IceAgent,
  type IceTransaction,
  iceAgentOf,
  pairSucceeded,
  stunPathOf,
  type TurnPath,
} from './werift-internals.ts';

const maxRemoteCandidates = 64;
/** Pairs of local and remote candidates; a viewer that makes more is not looking for a path. */
const maxPairs = 256;
const maxRememberedChecks = 256;
/** Checks of the viewer before its answer: a few seconds of them. */
const maxEarlyChecks = 64;
/** What UDP gets to work before a TCP pair is taken that works already: checks repeat after 50, 150 and 350 ms. */
const udpHeadStartMs = 750;
const probeTimeoutMs = 1_000;

/** What an admitted datagram is handed to. */
interface AgentPath {
  readonly kind: 'udp' | 'tcp' | 'relay';
  /** Authenticated STUN. */
  readonly stun: (datagram: Buffer, address: readonly [string, number]) => void;
  readonly transactions: Readonly<Record<string, IceTransaction>>;
}

export interface WeriftIceOptions {
  readonly mux: UdpMux;
  /** The device's own STUN and TURN servers. */
  readonly iceServers: readonly IceServer[];
  /** A candidate line for the viewer. */
  readonly onCandidate: (candidate: string) => void;
  readonly log: Log;
}

/** What came of the attempt so far; see ConnectionAttempt. */
export interface IceFacts {
  readonly localTypes: readonly string[];
  readonly remoteTypes: readonly string[];
  readonly checksReceived: { readonly udp: number; readonly tcp: number; readonly relay: number };
  readonly answersReceived: number;
  readonly pairFound: boolean;
  readonly serverTroubles: readonly string[];
  readonly udpPort: number;
  readonly tcpPort: number;
}

/**
 * One generation of werift's ICE agent on the mux's sockets: it enumerates and binds none of its own,
 * asks no server that was not configured, and is handed only what the guard admitted. An ICE restart
 * makes another beside it (docs/decisions/0009).
 */
export class WeriftIce {
  readonly transport: RTCIceTransport;
  readonly #options: WeriftIceOptions;
  readonly #agent: IceAgent;
  readonly #paths = new Map<IngressPath, AgentPath>();
  readonly #endpoints = new Map<object, MediaEndpoint>();
  readonly #ownPaths: StunProtocol[] = [];
  readonly #relays: TurnPath[] = [];
  readonly #remoteCandidates: string[] = [];
  readonly #remoteTypes: string[] = [];
  readonly #localTypes: string[] = [];
  readonly #serverTroubles: string[] = [];
  readonly #checksReceived = { udp: 0, tcp: 0, relay: 0 };
  #answersReceived = 0;
  #headStart: NodeJS.Timeout | undefined;
  #remoteFragment: string | undefined;
  #closed = false;

  constructor(options: WeriftIceOptions) {
    this.#options = options;
    this.transport = new RTCIceTransport(new RTCIceGatherer({ useIpv4: false, useIpv6: false }));
    this.transport.onIceCandidate.subscribe((candidate) => {
      if (candidate !== undefined) options.onCandidate(candidateText(candidate.toJSON()));
    });
    this.#agent = iceAgentOf(this.transport.connection);
    // werift's default is a public server; the configured ones are asked here.
    this.#agent.stunServer = undefined;
    this.#agent.iceControlling = true;
    useStrongCredentials(this.#agent);
    const nominateTcp = this.#agent.nominateTcpPairIfReady.bind(this.#agent);
    this.#agent.nominateTcpPairIfReady = () => this.#afterHeadStart(nominateTcp);
  }

  /** Remote candidate type of the pair in use, with ` tcp` where it is; empty before there is one. */
  get candidateType(): string {
    const pair = this.#agent.nominated;
    if (pair === undefined) return '';
    const isTcp = this.#endpoints.get(pair.protocol)?.protocol === 'tcp';
    return isTcp ? `${pair.remoteCandidate.type} tcp` : pair.remoteCandidate.type;
  }

  /** Of the last check of the pair in use; −1 before one was measured. */
  get roundTripMs(): number {
    const seconds = this.#agent.nominated?.rtt;
    return seconds === undefined ? -1 : seconds * 1_000;
  }

  get facts(): IceFacts {
    const endpoints = [...this.#endpoints.values()];
    const portOf = (protocol: string): number =>
      endpoints.find((endpoint) => endpoint.protocol === protocol)?.port ?? 0;
    return {
      localTypes: this.#localTypes,
      remoteTypes: this.#remoteTypes,
      checksReceived: this.#checksReceived,
      answersReceived: this.#answersReceived,
      pairFound: this.#agent.nominated !== undefined,
      serverTroubles: this.#serverTroubles,
      udpPort: portOf('udp'),
      tcpPort: portOf('tcp'),
    };
  }

  /** Has what a DTLS stack on this agent sends go another way: the agent of the moment's. */
  sendWith(send: (datagram: Buffer) => void): void {
    this.#agent.send = async (datagram) => send(datagram);
  }

  /** Hands a record to the DTLS stack that sits on this agent. */
  deliverDtls(record: Buffer): void {
    this.#agent.onData.execute(record);
  }

  /** Gives the agent a path with a host candidate over each socket. */
  open(endpoints: readonly MediaEndpoint[]): void {
    for (const [index, endpoint] of endpoints.entries()) this.#addPath(endpoint, index);
  }

  /** Announces the candidates; resolves when every server has answered or not. Never rejects. */
  async gather(): Promise<void> {
    const servers = iceServerUrls(this.#options.iceServers);
    await Promise.all([
      this.transport.gather(),
      ...servers.map((server) => this.#ask(server).catch((error) => this.#note(error))),
    ]);
  }

  setRemote(remote: RemoteTransportParameters): void {
    const { usernameFragment, password } = remote;
    this.transport.setRemoteParams({ iceLite: false, usernameFragment, password });
    this.#remoteFragment = usernameFragment;
    for (const line of [...this.#remoteCandidates, ...remote.candidates]) this.#tryCandidate(line);
  }

  addCandidate(line: string): void {
    if (this.#remoteCandidates.length >= maxRemoteCandidates) return;
    this.#remoteCandidates.push(line);
    if (this.#remoteFragment !== undefined) this.#tryCandidate(line);
  }

  /** The password of our fragment, where it is this one. */
  passwordOf(fragment: string): string | undefined {
    const { localUsername, localPassword } = this.#agent;
    return fragment === localUsername ? localPassword : undefined;
  }

  /** The key of the answer that a request of ours waits for: see IngressSession. */
  awaits(transactionId: string): string | undefined {
    for (const { transactions } of this.#paths.values()) {
      if (!Object.hasOwn(transactions, transactionId)) continue;
      return transactions[transactionId]?.integrityKey?.toString() ?? '';
    }
    return undefined;
  }

  /** An authenticated message: a request to our fragment, or what {@link awaits} knows of. */
  receiveStun(datagram: Buffer, message: StunMessage, from: DatagramSource): void {
    const { checkList, earlyChecks, nominated } = this.#agent;
    if (checkList.length > maxPairs || earlyChecks.length > maxEarlyChecks) return;
    // werift keeps the id of every check a pair ever had, a few a second while the viewer stays.
    const ids = nominated?.requestTransactionIds;
    if (ids !== undefined && ids.size > maxRememberedChecks) ids.clear();
    const path = this.#paths.get(from.path);
    if (path === undefined) return;
    if (message.class === 'request') this.#checksReceived[path.kind] += 1;
    else if (this.awaits(message.transactionId) !== '') this.#answersReceived += 1;
    path.stun(datagram, [from.address, from.port]);
  }

  /** Whether media goes over that TCP connection now. */
  uses({ path, address, port }: DatagramSource): boolean {
    const pair = this.#agent.nominated;
    return (
      pair !== undefined &&
      this.#endpoints.get(pair.protocol) === path &&
      pair.remoteAddr[0] === address &&
      pair.remoteAddr[1] === port
    );
  }

  /** Sends one datagram on the pair in use; false when there is none or its socket cannot take it. */
  send(parts: readonly Buffer[]): boolean {
    const pair = this.#agent.nominated;
    if (pair === undefined) return false;
    const endpoint = this.#endpoints.get(pair.protocol);
    if (endpoint !== undefined) {
      return endpoint.send(parts, pair.remoteAddr[1], pair.remoteAddr[0]);
    }
    // What a relay loses shows in the viewer's reports.
    pair.protocol.sendData(Buffer.concat(parts), pair.remoteAddr).catch(() => undefined);
    return true;
  }

  /** One connectivity check on the pair in use, outside the agent's own rhythm. */
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
        responseTimeout: probeTimeoutMs,
      })
      // Silence is what a probe is there to find out; whoever asked watches for the answer.
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#headStart);
    await Promise.allSettled(this.#relays.map(releaseRelay));
    await this.transport.stop();
  }

  #tryCandidate(line: string): void {
    if (this.#closed) return;
    // One that was found before the restart.
    const fragment = fragmentOf(line);
    if (fragment !== undefined && fragment !== this.#remoteFragment) return;
    const name = mdnsNameOf(line);
    if (name === undefined) {
      this.#addRemote(line, undefined);
      return;
    }
    this.#remoteTypes.push('name');
    // Unless it is found, the viewer is known by where its checks come from (RFC 8445 §7.3.1.3).
    void this.#options.mux.resolveName(name).then((address) => {
      if (address !== undefined && !this.#closed) this.#addRemote(line, address);
    });
  }

  #addRemote(line: string, resolved: string | undefined): void {
    const candidate = readCandidate(line, resolved);
    if (candidate === undefined) return;
    const { foundation, priority, address, port, type } = candidate;
    if (resolved === undefined) this.#remoteTypes.push(type);
    this.transport.connection
      .addRemoteCandidate(new Candidate(foundation, 1, 'udp', priority, address, port, type))
      // Only names can fail, and there are none.
      .catch(() => undefined);
  }

  #addPath(endpoint: MediaEndpoint, index: number): void {
    const protocol = new StunProtocol();
    const path = stunPathOf(protocol);
    path.transport = sharedSocket(endpoint);
    path.localIp = endpoint.address;
    path.localCandidate = hostCandidate(endpoint, index);
    this.#agent.ensureProtocol(path);
    this.#agent.protocols.push(path);
    if (endpoint.protocol === 'udp') this.#ownPaths.push(protocol);
    this.#localTypes.push(endpoint.protocol === 'tcp' ? 'host tcp' : 'host');
    this.#endpoints.set(path, endpoint);
    this.#paths.set(endpoint, {
      kind: endpoint.protocol,
      stun: (datagram, address) => path.datagramReceived(datagram, address),
      transactions: path.transactions,
    });
  }

  /** A TCP pair that works waits for UDP, which has no queue between the viewer and what is new. */
  #afterHeadStart(nominateTcp: () => void): void {
    const works = this.#agent.checkList.some(
      ({ protocol, state }) =>
        state === pairSucceeded && this.#endpoints.get(protocol)?.protocol === 'tcp',
    );
    if (!works || this.#headStart !== undefined || this.#closed) return;
    this.#headStart = setTimeout(() => {
      this.#agent.nominateTcpPairIfReady = nominateTcp;
      nominateTcp();
    }, udpHeadStartMs);
  }

  async #ask(server: IceServerUrl): Promise<void> {
    if (server.kind === 'turn') {
      await this.#addRelay(await allocateRelay(server));
      return;
    }
    await Promise.all(
      this.#ownPaths.map(async (path) => {
        const address = path.localIp ?? '';
        if (!isIPv4(address) || address.startsWith('127.')) return;
        const candidate = await askReflexive(path, server);
        if (this.#closed) return;
        this.#localTypes.push('srflx');
        this.#agent.appendLocalCandidate(candidate);
      }),
    );
  }

  /** What a relay unwraps comes from the open network too: it takes the same way through the guard. */
  async #addRelay(relay: TurnPath): Promise<void> {
    if (this.#closed) {
      await Promise.allSettled([releaseRelay(relay)]);
      await relay.turn.close();
      return;
    }
    this.#relays.push(relay);
    const path: IngressPath = { key: `relay-${this.#agent.localUsername}-${this.#relays.length}` };
    const stun = relay.handleStunMessage.bind(relay);
    relay.handleStunMessage = (datagram, [address, port]) => {
      this.#options.mux.receive(datagram, path, address, port);
    };
    this.#paths.set(path, { kind: 'relay', stun, transactions: relay.turn.transactions });
    relay.localCandidate = relayCandidate(relay);
    this.#localTypes.push('relay');
    this.#agent.ensureProtocol(relay);
    this.#agent.protocols.push(relay);
    this.#agent.appendLocalCandidate(relay.localCandidate);
    this.#agent.pairLocalProtocol(relay);
  }

  #note(error: unknown): void {
    if (this.#closed) return;
    if (!(error instanceof IceServerError)) throw error;
    if (!this.#serverTroubles.includes(error.message)) this.#serverTroubles.push(error.message);
    this.#options.log.warn({ reason: error.message }, 'ICE server of no use');
  }
}

/** werift's password has 88 random bits; RFC 8445 §5.3 asks for 128 at least. */
function useStrongCredentials(agent: IceAgent): void {
  agent.localUsername = randomBytes(6).toString('hex');
  agent.localPassword = randomBytes(18).toString('base64');
  agent.userHistory[agent.localUsername] = agent.localPassword;
}
