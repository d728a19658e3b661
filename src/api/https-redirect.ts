import { isIPv6 } from 'node:net';
import { hostName } from './admission.ts';

/** How long browsers ask for HTTPS only, in s: thirty days. */
const strictTransportSeconds = 30 * 24 * 60 * 60;

/**
 * Where a request over plain HTTP is sent: the same host, path and query over HTTPS; undefined for what
 * is no path, such as `*`. `host` is a Host header that admission.ts has let pass, so it leads nowhere
 * but to this device; of an absolute URL in the request line only the path is taken.
 */
export function httpsLocation(request: {
  readonly host: string;
  readonly target: string;
  readonly port: number;
}): string | undefined {
  const name = hostName(request.host);
  const path = request.target.replace(/^https?:\/\/[^/?#]*/i, '');
  if (name === undefined || (path !== '' && !/^[/?]/.test(path))) return undefined;
  return `${httpsOrigin(name, request.port)}${path.startsWith('/') ? path : `/${path}`}`;
}

/** `https://` with a host name or IP address and a port. */
export function httpsOrigin(name: string, port: number): string {
  return `https://${isIPv6(name) ? `[${name}]` : name}${port === 443 ? '' : `:${port}`}`;
}

/**
 * The Strict-Transport-Security header (RFC 6797), or undefined where it would lock people out:
 * - With a certificate the device made, a browser that has seen it no longer lets anybody continue
 *   past its warning, at the latest when the certificate is made anew.
 * - A browser keeps any port but 80 (§8.3): it would speak TLS to `http.port` from then on, which does
 *   not, in place of following the redirect.
 */
export function strictTransportSecurity(server: {
  readonly own: boolean;
  readonly httpPort: number;
  readonly httpsPort: number;
}): string | undefined {
  const standard = server.httpPort === 80 && server.httpsPort === 443;
  return server.own && standard ? `max-age=${strictTransportSeconds}` : undefined;
}
