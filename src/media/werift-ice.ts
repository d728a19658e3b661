import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  Candidate,
  candidateFoundation,
  candidatePriority,
  parseIceServers,
  RTCIceGatherer,
  RTCIceTransport,
  StunProtocol,
  serverReflexiveCandidate,
} from 'werift';
import { readCandidate } from './ice-candidate.ts';
import type { RemoteTransportParameters } from './sdp-answer.ts';
import { guardTurnSocket } from './turn-guard.ts';
import type { IngressPath, MuxEndpoint, UdpMux } from './udp-mux.ts';
import {
  type IceAgent,
  type IceTransaction,
  iceAgentOf,
  isTurnPath,
  stunPathOf,
  type TurnPath,
} from './werift-internals.ts';

const maxRemoteCandidates = 64;
/** Pairs of local and remote candidates; a viewer that makes more is not looking for a path. */
const maxPairs = 256;
const maxRememberedChecks = 256;
/** RFC 8445 §5.1.2.1: one local preference each, in the order of the addresses. */
const highestLocalPreference = 65_535;
const probeTimeoutMs = 1_000;

export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}

/** What an admitted datagram is handed to. */
interface AgentPath {
  /** Authenticated STUN. */
  readonly stun: (datagram: Buffer, address: readonly [string, number]) => void;
  readonly dtls: (record: Buffer) => void;
  readonly transactions: Readonly<Record<string, IceTransaction>>;
}

export interface WeriftIceOptions {
  readonly mux: UdpMux;
  /** The device's own STUN and TURN servers; werift takes the first of each. */
  readonly iceServers: readonly IceServer[];
  /** A candidate line for the viewer. */
  readonly onCandidate: (candidate: string) => void;
}

/**
 * werift's ICE agent on the mux's sockets: it enumerates and binds none of its own, asks no server that
 * was not configured, and is handed only what the guard admitted.
 */
export class WeriftIce {
  readonly transport: RTCIceTransport;
  readonly #mux: UdpMux;
  readonly #agent: IceAgent;
  readonly #stunServer: readonly [string, number] | undefined;
  readonly #paths = new Map<IngressPath, AgentPath>();
  readonly #endpoints = new Map<object, MuxEndpoint>();
  readonly #ownPaths: StunProtocol[] = [];
  readonly #relays: TurnPath[] = [];
  readonly #remoteCandidates: string[] = [];
  #answered = false;
  #closed = false;

  constructor(options: WeriftIceOptions) {
    this.#mux = options.mux;
    const { stunServer, ...relay } = parseIceServers(options.iceServers.map(asInit));
    this.#stunServer = stunServer;
    this.transport = new RTCIceTransport(
      new RTCIceGatherer({ ...relay, useIpv4: false, useIpv6: false }),
    );
    this.transport.onIceCandidate.subscribe((candidate) => {
      if (candidate === undefined) return;
      // werift pairs a relay only with what is known when checks begin; ours trickles in later.
      for (const relay of this.#relays) this.#agent.pairLocalProtocol(relay);
      options.onCandidate(candidateText(candidate.toJSON()));
    });
    this.#agent = iceAgentOf(this.transport.connection);
    // werift's default is a public server; a configured one is asked through the mux.
    this.#agent.stunServer = undefined;
    this.#agent.iceControlling = true;
    useStrongCredentials(this.#agent);
    const listen = this.#agent.ensureProtocol.bind(this.#agent);
    this.#agent.ensureProtocol = (protocol) => {
      listen(protocol);
      if (isTurnPath(protocol)) this.#addRelay(protocol);
    };
  }

  /** Remote candidate type of the pair in use; empty before there is one. */
  get candidateType(): string {
    return this.#agent.nominated?.remoteCandidate.type ?? '';
  }

  /** Of the last check of the pair in use; −1 before one was measured. */
  get roundTripMs(): number {
    const seconds = this.#agent.nominated?.rtt;
    return seconds === undefined ? -1 : seconds * 1_000;
  }

  /** Gives the agent a path with a host candidate over each socket. */
  open(endpoints: readonly MuxEndpoint[]): void {
    for (const [index, endpoint] of endpoints.entries()) this.#addPath(endpoint, index);
  }

  /** Announces the candidates; resolves when every server has answered or not. */
  async gather(): Promise<void> {
    await Promise.all([this.transport.gather(), this.#gatherReflexive()]);
  }

  setRemote(remote: RemoteTransportParameters): void {
    const { usernameFragment, password } = remote;
    this.transport.setRemoteParams({ iceLite: false, usernameFragment, password });
    this.#answered = true;
    for (const line of [...this.#remoteCandidates, ...remote.candidates]) this.#tryCandidate(line);
  }

  addCandidate(line: string): void {
    if (this.#remoteCandidates.length >= maxRemoteCandidates) return;
    this.#remoteCandidates.push(line);
    if (this.#answered) this.#tryCandidate(line);
  }

  /** The password of one of our fragments, older generations included. */
  passwordOf(fragment: string): string | undefined {
    const { userHistory } = this.#agent;
    return Object.hasOwn(userHistory, fragment) ? userHistory[fragment] : undefined;
  }

  /** The key of the answer that a request of ours waits for: see IngressSession. */
  awaits(transactionId: string): string | undefined {
    for (const { transactions } of this.#paths.values()) {
      if (!Object.hasOwn(transactions, transactionId)) continue;
      return transactions[transactionId]?.integrityKey?.toString() ?? '';
    }
    return undefined;
  }

  receiveStun(datagram: Buffer, path: IngressPath, address: string, port: number): void {
    if (this.#agent.checkList.length > maxPairs) return;
    // werift keeps the id of every check a pair ever had, a few a second while the viewer stays.
    const ids = this.#agent.nominated?.requestTransactionIds;
    if (ids !== undefined && ids.size > maxRememberedChecks) ids.clear();
    this.#paths.get(path)?.stun(datagram, [address, port]);
  }

  receiveDtls(record: Buffer, path: IngressPath): void {
    this.#paths.get(path)?.dtls(record);
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
    this.#closed = true;
    await this.transport.stop();
  }

  #tryCandidate(line: string): void {
    const candidate = readCandidate(line);
    if (candidate === undefined || this.#closed) return;
    const { foundation, priority, address, port, type } = candidate;
    this.transport.connection
      .addRemoteCandidate(new Candidate(foundation, 1, 'udp', priority, address, port, type))
      // Only names can fail, and there are none.
      .catch(() => undefined);
  }

  #addPath(endpoint: MuxEndpoint, index: number): void {
    const protocol = new StunProtocol();
    const path = stunPathOf(protocol);
    path.transport = sharedSocket(endpoint);
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
    this.#ownPaths.push(protocol);
    this.#endpoints.set(path, endpoint);
    this.#paths.set(endpoint, {
      stun: (datagram, address) => path.datagramReceived(datagram, address),
      dtls: (record) => path.onDataReceived.execute(record),
      transactions: path.transactions,
    });
  }

  /** What a relay unwraps comes from the open network too: it takes the same way through the guard. */
  #addRelay(relay: TurnPath): void {
    guardTurnSocket(relay);
    this.#relays.push(relay);
    const path: IngressPath = { key: `relay-${this.#agent.localUsername}` };
    const stun = relay.handleStunMessage.bind(relay);
    relay.handleStunMessage = (datagram, [address, port]) => {
      this.#mux.receive(datagram, path, address, port);
    };
    this.#paths.set(path, {
      stun,
      dtls: (record) => relay.onDataReceived.execute(record),
      transactions: relay.turn.transactions,
    });
  }

  /** Asks the configured STUN server, where there is one, how this device looks from outside. */
  async #gatherReflexive(): Promise<void> {
    const server = this.#stunServer;
    if (server === undefined) return;
    for (const path of this.#ownPaths) {
      const address = path.localIp ?? '';
      if (!isIPv4(address) || address.startsWith('127.')) continue;
      const candidate = await serverReflexiveCandidate(path, server);
      if (candidate !== undefined && !this.#closed) this.#agent.appendLocalCandidate(candidate);
    }
  }
}

/** werift's password has 88 random bits; RFC 8445 §5.3 asks for 128 at least. */
function useStrongCredentials(agent: IceAgent): void {
  agent.localUsername = randomBytes(6).toString('hex');
  agent.localPassword = randomBytes(18).toString('base64');
  agent.userHistory[agent.localUsername] = agent.localPassword;
}

/** What werift's path takes for a UDP socket of its own. It never closes the one it shares. */
function sharedSocket(endpoint: MuxEndpoint): object {
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

function asInit({ urls, username, credential }: IceServer) {
  return {
    urls: [...urls],
    ...(username !== undefined && { username }),
    ...(credential !== undefined && { credential }),
  };
}

function candidateText({ candidate }: { readonly candidate: string }): string {
  return candidate.startsWith('candidate:') ? candidate : `candidate:${candidate}`;
}
