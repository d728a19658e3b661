/** How large a packet may get. */

/**
 * Payload of one video packet: with the RTP header (12), its extensions (at most 24), the original
 * number of a retransmission (2, RFC 4588 §4) and the SRTP tag (16) a datagram stays within 1,200
 * bytes, which every path carries, tunnels included.
 */
export const maxVideoPayloadBytes = 1_144;

/** What a packet takes on the wire beyond RTP: SRTP tag, UDP and IPv4. */
export const wireOverheadBytes = 16 + 8 + 20;
