import {
  attributeValues,
  hasAttribute,
  readSections,
  type SdpSection,
  sdpInvalid,
} from './sdp-sections.ts';

/**
 * Reading a viewer's SDP answer (RFC 8866, RFC 8829 §5.3). What is not understood is skipped; what is needed and missing or
 * malformed is MEDIA_ANSWER_INVALID with a sentence that names it.
 */

export interface RemoteTransportParameters {
  readonly usernameFragment: string;
  readonly password: string;
  readonly fingerprints: readonly { readonly algorithm: string; readonly value: string }[];
  /** Candidate lines that came within the answer, without `a=`. */
  readonly candidates: readonly string[];
}

export interface AnsweredSection {
  readonly kind: string;
  readonly mid: string;
  /** Port 0: the viewer refused this section (RFC 3264 §6). */
  readonly rejected: boolean;
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  readonly payloadTypes: readonly number[];
  /** Encoding of each payload type, lower case, e.g. `opus/48000/2`. */
  readonly codecs: ReadonlyMap<number, string>;
  readonly formats: ReadonlyMap<number, string>;
  /** Feedback of each payload type, e.g. `nack`, `transport-cc`. */
  readonly feedback: ReadonlyMap<number, ReadonlySet<string>>;
  /** Id by URI of each header extension. */
  readonly extensions: ReadonlyMap<string, number>;
  /** What it says it sends under (RFC 5576 §4.1), at most {@link maxSsrcs}. */
  readonly ssrcs: readonly number[];
}

export interface Answer {
  /**
   * The transport of the bundle. Throws MEDIA_ANSWER_INVALID; apart, because an answer that refuses
   * every section has none, and the refusal is what its viewer should hear of.
   */
  readonly transport: () => RemoteTransportParameters;
  readonly sections: readonly AnsweredSection[];
}

const maxSsrcs = 8;

/** Fingerprint algorithms we accept (RFC 8122 §5; SHA-1 is out, RFC 8827 §6.5) and their length in bytes. */
const fingerprintBytes: Readonly<Record<string, number>> = {
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64,
};

/** Reads an answer. Throws MEDIA_ANSWER_INVALID. */
export function readAnswer(sdp: string): Answer {
  const { session, sections } = readSections(sdp, 'answer');
  if (sections.length === 0) throw sdpInvalid('answer', 'has no media section ("m=" line)');
  const owner = sections.find(({ attributes }) => hasAttribute(attributes, 'ice-ufrag'));
  return {
    transport: () => readTransport(session, owner?.attributes ?? session, sections),
    sections: sections.map(readSection),
  };
}

function readTransport(
  session: readonly string[],
  section: readonly string[],
  sections: readonly SdpSection[],
): RemoteTransportParameters {
  /** A section's own attribute counts before the session's. */
  const all = (name: string): string[] => {
    const own = attributeValues(section, name);
    return own.length > 0 ? own : attributeValues(session, name);
  };
  const one = (name: string): string => all(name)[0] ?? '';
  const usernameFragment = one('ice-ufrag');
  const password = one('ice-pwd');
  // RFC 8839 §5.4: ice-char, 4–256 and 22–256 of them.
  if (!/^[A-Za-z0-9+/=_-]{4,256}$/.test(usernameFragment)) {
    throw sdpInvalid('answer', 'has no usable "a=ice-ufrag" (4 to 256 letters and digits)');
  }
  if (!/^[A-Za-z0-9+/=_-]{22,256}$/.test(password)) {
    throw sdpInvalid('answer', 'has no usable "a=ice-pwd" (22 to 256 letters and digits)');
  }
  if (one('setup') !== 'active') {
    throw sdpInvalid('answer', 'must say "a=setup:active": the device is the DTLS server');
  }
  const fingerprints = all('fingerprint').slice(0, 8).flatMap(readFingerprint);
  if (fingerprints.length === 0) {
    throw sdpInvalid('answer', 'has no usable "a=fingerprint" (sha-256, sha-384 or sha-512)');
  }
  const candidates = sections.flatMap(({ attributes }) => attributeValues(attributes, 'candidate'));
  return {
    usernameFragment,
    password,
    fingerprints,
    candidates: candidates.map((candidate) => `candidate:${candidate}`),
  };
}

function readFingerprint(line: string): { algorithm: string; value: string }[] {
  const [name = '', value = ''] = line.split(' ');
  const algorithm = name.toLowerCase();
  const bytes = fingerprintBytes[algorithm];
  const digits = value.toUpperCase().split(':');
  const holds = digits.length === bytes && digits.every((digit) => /^[0-9A-F]{2}$/.test(digit));
  return holds ? [{ algorithm, value: digits.join(':') }] : [];
}

function readSection(raw: SdpSection, index: number): AnsweredSection {
  const values = (name: string): string[] => attributeValues(raw.attributes, name);
  const payloadTypes = raw.formats.filter((format) => /^\d{1,3}$/.test(format)).map(Number);
  const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
  const feedback = new Map<number, Set<string>>();
  for (const line of values('rtcp-fb')) {
    const [payloadType, ...rest] = line.split(' ');
    const known = feedback.get(Number(payloadType)) ?? new Set();
    feedback.set(Number(payloadType), known.add(rest.join(' ')));
  }
  return {
    kind: raw.kind,
    mid: values('mid')[0] ?? String(index),
    rejected: raw.port === 0 && !hasAttribute(raw.attributes, 'bundle-only'),
    direction: directions.find((name) => hasAttribute(raw.attributes, name)) ?? 'sendrecv',
    payloadTypes,
    codecs: readNumbered(values('rtpmap'), (value) => value.toLowerCase()),
    formats: readNumbered(values('fmtp'), (value) => value),
    feedback,
    extensions: readExtensions(values('extmap')),
    ssrcs: readSsrcs(values('ssrc')),
  };
}

function readNumbered(
  lines: readonly string[],
  map: (value: string) => string,
): Map<number, string> {
  return new Map(
    lines.flatMap((line) => {
      const match = /^(\d{1,3}) (\S.*)$/.exec(line);
      return match === null ? [] : [[Number(match[1]), map(match[2] ?? '')] as const];
    }),
  );
}

/** Several lines may speak of one source. */
function readSsrcs(lines: readonly string[]): number[] {
  const numbers = lines.flatMap((line) => {
    const value = Number(/^(\d{1,10})(?: |$)/.exec(line)?.[1]);
    return value <= 0xffffffff ? [value] : [];
  });
  return [...new Set(numbers)].slice(0, maxSsrcs);
}

/** RFC 8285 §5: `id[/direction] uri`; ids 1–14 fit the one-byte form we write. */
function readExtensions(lines: readonly string[]): Map<string, number> {
  return new Map(
    lines.flatMap((line) => {
      const match = /^(\d{1,2})(?:\/\w+)? (\S+)/.exec(line);
      const id = Number(match?.[1]);
      return match?.[2] !== undefined && id >= 1 && id <= 14 ? [[match[2], id] as const] : [];
    }),
  );
}
