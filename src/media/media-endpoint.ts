/** What a datagram came through: a socket of the mux, or a relay's allocation. */
export interface IngressPath {
  /** Short and unique among paths with different peers; part of what identifies a source. */
  readonly key: string;
}

/** A local address and port that viewers reach the device at. */
export interface MediaEndpoint extends IngressPath {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** Sends one datagram made of `parts`. False when it cannot be taken now; nothing was sent then. */
  send(parts: Buffer | readonly Uint8Array[], port: number, address: string): boolean;
}
