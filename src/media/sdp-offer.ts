import { maxFastLaneMessageBytes } from './fast-lane-packets.ts';

/** Writing the offer (RFC 8829 §5.2.1): one bundle, RTP/RTCP muxed, trickle ICE. */

/** What the transport brings into the description. */
export interface LocalTransportParameters {
  readonly usernameFragment: string;
  readonly password: string;
  /** SHA-256 of the DTLS certificate, colon-separated hexadecimal. */
  readonly fingerprint: string;
}

/** One section without its transport. */
export type OfferedSection = OfferedMedia | OfferedData;

export interface OfferedMedia {
  readonly kind: 'audio' | 'video';
  readonly mid: string;
  readonly direction: 'sendonly' | 'recvonly';
  readonly payloadTypes: readonly number[];
  /** Attribute lines without `a=`: rtpmap, fmtp, rtcp-fb, extmap, msid, ssrc … */
  readonly attributes: readonly string[];
}

/** Data channels (RFC 8841), which the viewer opens. */
export interface OfferedData {
  readonly kind: 'application';
  readonly mid: string;
}

/** Port of the SCTP association inside DTLS, at both ends (RFC 8841 §5). */
export const sctpPort = 5_000;

/** The offer as one string with CRLF line ends. `sessionId` is a number below 2⁶³ (RFC 8866 §5.2). */
export function writeOffer(options: {
  readonly sessionId: bigint;
  /** Raised at each offer of the session; 1 by default. */
  readonly version?: number;
  readonly transport: LocalTransportParameters;
  readonly sections: readonly OfferedSection[];
}): string {
  const { sessionId, version = 1, transport, sections } = options;
  const lines = [
    'v=0',
    `o=- ${sessionId} ${version} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${sections.map(({ mid }) => mid).join(' ')}`,
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS *',
    ...sections.flatMap((section) => writeSection(section, transport)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function writeSection(section: OfferedSection, transport: LocalTransportParameters): string[] {
  return section.kind === 'application'
    ? writeData(section, transport)
    : writeMedia(section, transport);
}

function writeMedia(section: OfferedMedia, transport: LocalTransportParameters): string[] {
  return [
    `m=${section.kind} 9 UDP/TLS/RTP/SAVPF ${section.payloadTypes.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    ...writeTransport(section.mid, transport),
    `a=${section.direction}`,
    'a=rtcp-mux',
    ...section.attributes.map((attribute) => `a=${attribute}`),
  ];
}

function writeData(section: OfferedData, transport: LocalTransportParameters): string[] {
  return [
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    ...writeTransport(section.mid, transport),
    `a=sctp-port:${sctpPort}`,
    `a=max-message-size:${maxFastLaneMessageBytes}`,
  ];
}

function writeTransport(mid: string, transport: LocalTransportParameters): string[] {
  return [
    `a=ice-ufrag:${transport.usernameFragment}`,
    `a=ice-pwd:${transport.password}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${transport.fingerprint}`,
    'a=setup:actpass',
    `a=mid:${mid}`,
  ];
}
