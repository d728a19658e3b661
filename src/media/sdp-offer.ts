/** Writing the offer (RFC 8829 §5.2.1): one bundle, RTP/RTCP muxed, trickle ICE. */

/** What the transport brings into the description. */
export interface LocalTransportParameters {
  readonly usernameFragment: string;
  readonly password: string;
  /** SHA-256 of the DTLS certificate, colon-separated hexadecimal. */
  readonly fingerprint: string;
}

/** One media section without its transport. */
export interface OfferedSection {
  readonly kind: 'audio' | 'video';
  readonly mid: string;
  readonly direction: 'sendonly' | 'recvonly';
  readonly payloadTypes: readonly number[];
  /** Attribute lines without `a=`: rtpmap, fmtp, rtcp-fb, extmap, msid, ssrc … */
  readonly attributes: readonly string[];
}

/** The offer as one string with CRLF line ends. `sessionId` is a number below 2⁶³ (RFC 8866 §5.2). */
export function writeOffer(options: {
  readonly sessionId: bigint;
  readonly transport: LocalTransportParameters;
  readonly sections: readonly OfferedSection[];
}): string {
  const { sessionId, transport, sections } = options;
  const lines = [
    'v=0',
    `o=- ${sessionId} 1 IN IP4 127.0.0.1`,
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
  return [
    `m=${section.kind} 9 UDP/TLS/RTP/SAVPF ${section.payloadTypes.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${transport.usernameFragment}`,
    `a=ice-pwd:${transport.password}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${transport.fingerprint}`,
    'a=setup:actpass',
    `a=mid:${section.mid}`,
    `a=${section.direction}`,
    'a=rtcp-mux',
    ...section.attributes.map((attribute) => `a=${attribute}`),
  ];
}
