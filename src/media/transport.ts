import type { EventEmitter } from 'node:events';
import type { HidChannel, HidChannelChange } from './hid-channels.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { RemoteTransportParameters } from './sdp-answer.ts';
import type { OfferedSection } from './sdp-offer.ts';

/**
 * The seam between the media path and whatever does ICE and DTLS: everything above it deals in clear
 * RTP and RTCP and never sees a socket, everything below it never sees a frame.
 */

export type TransportState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';

export interface TransportEvents {
  /** A local candidate line (RFC 8839 §5.1) for the viewer. */
  candidate: [string];
  /** `reason` says in a sentence why it failed or closed. */
  state: [TransportState, string];
  /** An authenticated RTP packet, valid during the call only. */
  rtp: [{ readonly header: Buffer; readonly payload: Buffer }];
  /** An authenticated compound RTCP packet, valid during the call only. */
  rtcp: [Buffer];
  /** A binary message on the viewer's fast-lane channel, 1–4,096 bytes, valid during the call only. */
  data: [Buffer];
  /** Whether the viewer's fast-lane channel is open now. */
  'data-channel': [boolean];
  /** A message on one of the viewer's channels of keyboard and pointer, 1–64 bytes, valid during the call only. */
  hid: [HidChannel, Buffer];
  'hid-channel': [HidChannel, HidChannelChange];
  /** An ICE restart found its path; everything takes it from now on. */
  restarted: [];
}

/** What may wait to be sent on the data channel, in bytes of messages: some 30 packets of sound. */
export const maxDataQueueBytes = 16_384;
/** What a viewer may leave unacknowledged on a reliable channel, in bytes of messages: some 2,000 of them. */
export const maxReliableQueueBytes = 65_536;
/** The longest message that goes in one datagram (IPv6's least MTU of 1,280 bytes holds it). */
export const maxDatagramMessageBytes = 1_160;

export interface Transport extends EventEmitter<TransportEvents> {
  /** Opens the transport and describes `sections` on it. Candidates follow as events. Once. */
  createOffer(sections: readonly OfferedSection[]): Promise<string>;
  /** Connects to the viewer. Once, after the offer. */
  setAnswer(remote: RemoteTransportParameters): void;
  /**
   * Begins an ICE restart (RFC 8445 §9) on a connected transport: the offer of before with new ICE
   * credentials and a higher version, and its candidates as events. What goes on over the path in use
   * goes on until the new one works. A restart under way is given up. Empty: not connected any more.
   */
  createRestartOffer(): Promise<string>;
  /** Throws MEDIA_ANSWER_INVALID when it is no restart of this connection. */
  setRestartAnswer(remote: RemoteTransportParameters): void;
  /** Gives up the restart that is under way, if one is. */
  abandonRestart(): void;
  /** A candidate line of the viewer; one that cannot be used is ignored, since others may do. */
  addCandidate(candidate: string): void;
  /**
   * Protects and sends packets; returns how many the socket took. Packets after the first that it
   * could not take are not tried.
   */
  sendRtp(packets: readonly RtpPacket[]): number;
  sendRtcp(compound: Buffer): void;
  readonly dataChannelOpen: boolean;
  /**
   * Sends one binary message of 1–4,096 bytes on the viewer's fast-lane channel: unordered, never a
   * second time. False: no channel is open, `maxDataQueueBytes` wait already, or the length is not
   * right; nothing was queued. The bytes are copied before it returns. Of one longer than
   * {@link maxDatagramMessageBytes} any lost part loses the whole.
   */
  sendData(message: Uint8Array): boolean;
  /** The viewer's channel of the keys is open. */
  readonly keysOpen: boolean;
  /**
   * Sends one binary message of 1–256 bytes on the viewer's channel of the keys: in order, and again until
   * the viewer has it. False: the channel is not open, or the length is not right. It is false too when
   * the viewer leaves more than {@link maxReliableQueueBytes} unacknowledged; the channel is closed then.
   */
  sendKeys(message: Uint8Array): boolean;
  readonly state: TransportState;
  /** What kept the connection, or the restart, from being made so far: a sentence or more. */
  readonly trouble: string;
  /** Type of the remote candidate in use (host, srflx, prflx, relay), with ` tcp` over TCP; empty before there is one. */
  readonly candidateType: string;
  /** Round trip of the last connectivity check in ms; −1 before one was measured. */
  readonly roundTripMs: number;
  /** When anything authenticated last arrived, in ms of performance.now(). */
  readonly lastHeardMs: number;
  readonly datagramsRefused: number;
  /** Asks the viewer for a sign of life; its answer moves `lastHeardMs`. */
  probe(): void;
  /** Frees everything; idempotent. */
  close(): Promise<void>;
}
