import { EarshotError } from '../errors/earshot-error.ts';

/**
 * Reading a viewer's SDP answer (RFC 8866, RFC 8829 §5.3). Bounded: the text by the signaling
 * schema, lines and sections here. What is not understood is skipped; what is needed and missing or
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

const maxLines = 1_000;
const maxSections = 16;
const maxLineLength = 4_096;
const maxSsrcs = 8;

/** Fingerprint algorithms we accept (RFC 8122 §5; SHA-1 is out, RFC 8827 §6.5) and their length in bytes. */
const fingerprintBytes: Readonly<Record<string, number>> = {
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64,
};

interface RawSection {
  readonly kind: string;
  readonly port: string;
  readonly formats: readonly string[];
  readonly attributes: Map<string, string[]>;
}

function invalid(message: string): EarshotError {
  return new EarshotError('MEDIA_ANSWER_INVALID', message);
}

/** Reads an answer. Throws MEDIA_ANSWER_INVALID. */
export function readAnswer(sdp: string): Answer {
  const { session, sections } = splitSections(sdp);
  if (sections.length === 0) throw invalid('The SDP answer has no media section ("m=" line).');
  const owner = sections.find(({ attributes }) => attributes.has('ice-ufrag'));
  return {
    transport: () => readTransport(session, owner?.attributes ?? session, sections),
    sections: sections.map(readSection),
  };
}

function splitSections(sdp: string): { session: Map<string, string[]>; sections: RawSection[] } {
  const lines = sdp.split(/\r\n|\n/);
  if (lines[0] !== 'v=0') throw invalid('The SDP answer does not begin with "v=0".');
  if (lines.length > maxLines) throw invalid(`The SDP answer has more than ${maxLines} lines.`);
  const session = new Map<string, string[]>();
  const sections: RawSection[] = [];
  let attributes = session;
  for (const line of lines) {
    if (line === '') continue;
    if (line.length > maxLineLength || !/^[a-z]=/.test(line)) {
      throw invalid('The SDP answer has a line that is not of the form "x=…".');
    }
    if (line.startsWith('m=')) {
      const section = readMediaLine(line);
      sections.push(section);
      if (sections.length > maxSections) throw invalid('The SDP answer has too many sections.');
      attributes = section.attributes;
    } else if (line.startsWith('a=')) {
      const colon = line.indexOf(':');
      const name = colon < 0 ? line.slice(2) : line.slice(2, colon);
      const values = attributes.get(name) ?? [];
      values.push(colon < 0 ? '' : line.slice(colon + 1).trim());
      attributes.set(name, values);
    }
  }
  return { session, sections };
}

function readMediaLine(line: string): RawSection {
  const [kind, port, protocol, ...formats] = line.slice(2).split(' ');
  if (kind === undefined || port === undefined || !/^\d{1,5}$/.test(port)) {
    throw invalid(`The SDP answer has a malformed media line: "${line.slice(0, 80)}".`);
  }
  if (protocol === undefined || !protocol.includes('/')) {
    throw invalid(`The SDP answer's media line names no protocol: "${line.slice(0, 80)}".`);
  }
  return { kind, port, formats, attributes: new Map() };
}

function readTransport(
  session: ReadonlyMap<string, readonly string[]>,
  section: ReadonlyMap<string, readonly string[]>,
  sections: readonly RawSection[],
): RemoteTransportParameters {
  const one = (name: string): string => section.get(name)?.[0] ?? session.get(name)?.[0] ?? '';
  const usernameFragment = one('ice-ufrag');
  const password = one('ice-pwd');
  // RFC 8839 §5.4: ice-char, 4–256 and 22–256 of them.
  if (!/^[A-Za-z0-9+/=_-]{4,256}$/.test(usernameFragment)) {
    throw invalid('The SDP answer has no usable "a=ice-ufrag" (4 to 256 letters and digits).');
  }
  if (!/^[A-Za-z0-9+/=_-]{22,256}$/.test(password)) {
    throw invalid('The SDP answer has no usable "a=ice-pwd" (22 to 256 letters and digits).');
  }
  if (one('setup') !== 'active') {
    throw invalid('The SDP answer must say "a=setup:active": the device is the DTLS server.');
  }
  const lines = section.get('fingerprint') ?? session.get('fingerprint') ?? [];
  const fingerprints = lines.slice(0, 8).flatMap(readFingerprint);
  if (fingerprints.length === 0) {
    throw invalid('The SDP answer has no usable "a=fingerprint" (sha-256, sha-384 or sha-512).');
  }
  const candidates = sections.flatMap(({ attributes }) => attributes.get('candidate') ?? []);
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

function readSection(raw: RawSection, index: number): AnsweredSection {
  const payloadTypes = raw.formats.filter((format) => /^\d{1,3}$/.test(format)).map(Number);
  const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
  const feedback = new Map<number, Set<string>>();
  for (const line of raw.attributes.get('rtcp-fb') ?? []) {
    const [payloadType, ...rest] = line.split(' ');
    const known = feedback.get(Number(payloadType)) ?? new Set();
    feedback.set(Number(payloadType), known.add(rest.join(' ')));
  }
  return {
    kind: raw.kind,
    mid: raw.attributes.get('mid')?.[0] ?? String(index),
    rejected: raw.port === '0' && !raw.attributes.has('bundle-only'),
    direction: directions.find((direction) => raw.attributes.has(direction)) ?? 'sendrecv',
    payloadTypes,
    codecs: readNumbered(raw.attributes.get('rtpmap'), (value) => value.toLowerCase()),
    formats: readNumbered(raw.attributes.get('fmtp'), (value) => value),
    feedback,
    extensions: readExtensions(raw.attributes.get('extmap')),
    ssrcs: readSsrcs(raw.attributes.get('ssrc')),
  };
}

function readNumbered(
  lines: readonly string[] = [],
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
function readSsrcs(lines: readonly string[] = []): number[] {
  const numbers = lines.flatMap((line) => {
    const value = Number(/^(\d{1,10})(?: |$)/.exec(line)?.[1]);
    return value <= 0xffffffff ? [value] : [];
  });
  return [...new Set(numbers)].slice(0, maxSsrcs);
}

/** RFC 8285 §5: `id[/direction] uri`; ids 1–14 fit the one-byte form we write. */
function readExtensions(lines: readonly string[] = []): Map<string, number> {
  return new Map(
    lines.flatMap((line) => {
      const match = /^(\d{1,2})(?:\/\w+)? (\S+)/.exec(line);
      const id = Number(match?.[1]);
      return match?.[2] !== undefined && id >= 1 && id <= 14 ? [[match[2], id] as const] : [];
    }),
  );
}
