import { readFile } from 'node:fs/promises';
import {
  type Candidate,
  Message,
  parseIceServers,
  type StunProtocol,
  serverReflexiveCandidate,
} from 'werift';
import { messageOf } from '../errors/earshot-error.ts';
import { openTurnPath } from './turn-client.ts';
import type { TurnPath } from './werift-internals.ts';

/** Asking the device's own STUN and TURN servers, and why one of them was of no use, in words. */

export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
  /** PEM file of the authority that signed the certificate of `turns:` URLs; empty: the well-known ones. */
  readonly authority?: string | undefined;
}

/** One URL of a server. */
export type IceServerUrl =
  | { readonly kind: 'stun'; readonly url: string; readonly address: readonly [string, number] }
  | {
      readonly kind: 'turn';
      readonly url: string;
      readonly address: readonly [string, number];
      readonly transport: 'udp' | 'tcp' | 'tls';
      readonly username: string;
      readonly credential: string;
      readonly authority: string;
    };

/** More URLs than that are left out: each costs a socket a viewer. */
const maxUrls = 8;
/** A certificate authority's file; bundles of all of them have some 250 KB. */
const maxAuthorityBytes = 1_048_576;

/** The servers one by one, in their order. */
export function iceServerUrls(servers: readonly IceServer[]): IceServerUrl[] {
  return servers
    .flatMap((server) => server.urls.map((url) => ({ server, url })))
    .slice(0, maxUrls)
    .flatMap(({ server, url }) => readUrl(server, url));
}

function readUrl(server: IceServer, url: string): IceServerUrl[] {
  const { username = '', credential = '', authority = '' } = server;
  const { stunServer, turnServer, turnTransport = 'udp' } = parseIceServers([{ urls: url }]);
  if (turnServer !== undefined) {
    const transport = turnTransport;
    const account = { username, credential, authority };
    return [{ kind: 'turn', url, address: turnServer, transport, ...account }];
  }
  return stunServer === undefined ? [] : [{ kind: 'stun', url, address: stunServer }];
}

/** A server was of no use; the message says which and why. */
export class IceServerError extends Error {}

/** How `path` looks from outside. Throws {@link IceServerError}. */
export async function askReflexive(path: StunProtocol, server: IceServerUrl): Promise<Candidate> {
  const candidate = await serverReflexiveCandidate(path, [...server.address]);
  if (candidate === undefined) {
    throw new IceServerError(`The STUN server ${server.url} did not answer.`);
  }
  return candidate;
}

/** Allocates a relay. Throws {@link IceServerError}, within a few seconds. */
export async function allocateRelay(
  server: Extract<IceServerUrl, { kind: 'turn' }>,
): Promise<TurnPath> {
  const { url, username, credential, authority } = server;
  if (username === '' || credential === '') {
    throw new IceServerError(`The TURN server ${url} needs a username and a credential.`);
  }
  const isOwn = server.transport === 'tls' && authority !== '';
  const pem = isOwn ? await readAuthority(url, authority) : undefined;
  try {
    return await openTurnPath({ ...server, authority: pem });
  } catch (error) {
    throw new IceServerError(`The TURN server ${url} ${whyRefused(error)}.`, { cause: error });
  }
}

/** Gives an allocation back (RFC 8656 §7.2), which would count against the account for minutes. */
export async function releaseRelay(relay: TurnPath): Promise<void> {
  const refreshMethod = 0x004;
  const request = new Message(refreshMethod, 0);
  request.setAttribute('LIFETIME', 0);
  await relay.turn.request(request, relay.turn.server, undefined, {
    retransmissions: 1,
    responseTimeout: 250,
  });
}

async function readAuthority(url: string, file: string): Promise<string> {
  try {
    const text = await readFile(file, 'latin1');
    if (text.length <= maxAuthorityBytes && text.includes('-----BEGIN CERTIFICATE-----')) {
      return text;
    }
  } catch (error) {
    throw new IceServerError(
      `The TURN server ${url} was not asked: its authority cannot be read (${messageOf(error)}).`,
      { cause: error },
    );
  }
  throw new IceServerError(
    `The TURN server ${url} was not asked: ${file} is no PEM file of certificates.`,
  );
}

function whyRefused(error: unknown): string {
  const status = statusOf(error);
  if (status !== undefined) {
    const [code, phrase] = status;
    if (code === 401) return 'refused the user name or the credential (401)';
    if (code === 486) return 'has no more room for this user (486)';
    return `refused to relay (${code} ${phrase})`;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED|ALTNAME/.test(code)) {
    return `has a certificate that is not trusted (${code}); name its authority in media.iceServers`;
  }
  const text = messageOf(error);
  return text === '' || /timed? ?out/i.test(text) ? 'did not answer' : `was not reached (${text})`;
}

/** The error of a STUN response that an exception of the agent carries (RFC 8489 §14.8). */
function statusOf(error: unknown): readonly [number, string] | undefined {
  if (typeof error !== 'object' || error === null || !('response' in error)) return undefined;
  const { response } = error;
  if (!(response instanceof Message)) return undefined;
  const value: unknown = response.getAttributeValue('ERROR-CODE');
  return Array.isArray(value) ? [Number(value[0]), String(value[1])] : undefined;
}
