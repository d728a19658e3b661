import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { EarshotError } from '../errors/earshot-error.ts';

/**
 * Who may talk to the server, decided from the request line and headers alone.
 *
 * - Host (HTTP and HTTPS): an IP literal, `localhost`, the machine's own name (bare, its first label, or either
 *   with `.local`), or a name of `http.allowedHosts`. A page whose name was re-bound to this device's
 *   address (DNS rebinding) still sends its own name and is refused.
 * - Origin: requests that change something and WebSockets come from a page of this very scheme, host
 *   and port, or from a program that sends no Origin at all. Browsers always send one there.
 * - The control socket is for programs on the device: no page reaches it, so any Origin is refused.
 */

/** Where a request came in. */
export type ListenerKind = 'http' | 'https' | 'control';

export interface AdmissionRequest {
  readonly listener: ListenerKind;
  readonly method: string;
  readonly upgrade: boolean;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`, where the browser sends it. */
  readonly fetchSite: string | undefined;
}

/** Names this machine answers to beside IP literals. */
export function ownNames(allowedHosts: readonly string[], machine = hostname()): Set<string> {
  const full = machine.toLowerCase();
  const label = full.split('.')[0] ?? full;
  return new Set([
    'localhost',
    ...[full, label].filter((name) => name !== '').flatMap((name) => [name, `${name}.local`]),
    ...allowedHosts.map((name) => name.toLowerCase()),
  ]);
}

/** Throws API_HOST_REFUSED or API_ORIGIN_REFUSED. */
export function admit(request: AdmissionRequest, names: ReadonlySet<string>): void {
  const { listener, host = '', origin } = request;
  if (listener === 'control') {
    if (origin !== undefined) throw originRefused(origin, 'the control socket');
    return;
  }
  admitHost(host, names);
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (reads && !request.upgrade) return;
  if (origin !== undefined && !sameOrigin(origin, `${listener}://${host}`)) {
    throw originRefused(origin, `${listener}://${host}`);
  }
  const site = request.fetchSite;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw originRefused(`Sec-Fetch-Site: ${site}`, host);
  }
}

/** Throws API_HOST_REFUSED unless the Host header names this device. */
export function admitHost(host: string, names: ReadonlySet<string>): void {
  const name = hostName(host);
  if (name === undefined || !(isIP(name) !== 0 || names.has(name))) {
    throw new EarshotError(
      'API_HOST_REFUSED',
      `The Host header ${JSON.stringify(host.slice(0, 256))} does not name this device; use its IP address, localhost or ${[...names].filter((own) => own !== 'localhost').join(', ')}, or add the name to http.allowedHosts.`,
    );
  }
}

/** The name in a Host header, in small letters, without port, brackets and final dot. */
export function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}

/** Same scheme, host and port (RFC 6454 §5); `asked` is the listener as the client knows it. */
function sameOrigin(origin: string, asked: string): boolean {
  try {
    const page = new URL(origin);
    const own = new URL(asked);
    return page.protocol === own.protocol && page.host === own.host;
  } catch {
    return false; // `null`, or not a URL
  }
}

function originRefused(origin: string, host: string): EarshotError {
  return new EarshotError(
    'API_ORIGIN_REFUSED',
    `A page of ${JSON.stringify(origin.slice(0, 256))} may not do this on ${host}; open the device's own page.`,
  );
}
