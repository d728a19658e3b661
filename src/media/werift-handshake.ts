import type { RTCDtlsTransport } from 'werift';
import { clientProofFault, type HandshakeMessage } from './dtls-proof.ts';

/** SRTP_AEAD_AES_128_GCM (RFC 7714 §14.2), the one profile we speak. */
export const srtpGcm = 7;
/** The client's last flight (RFC 6347 §4.2.4, figure 1), and the type of its hello. */
const clientFlight = 5;
const clientHello = 1;

/** What is wrong with a handshake that werift calls finished, in a sentence; undefined: nothing. */
export function handshakeFault(socket: RTCDtlsTransport['dtls']): string | undefined {
  const certificate = socket?.remoteCertificate;
  if (socket === undefined || certificate === undefined) return 'The viewer has no certificate.';
  if (socket.srtp.srtpProfile !== srtpGcm) return 'The viewer does not speak SRTP with AES-GCM.';
  // werift files the client's hello with the server's answer to it, and each later flight apart.
  const transcript = Object.values(socket.dtls.handshakeCache)
    .sort((one, other) => one.flight - other.flight)
    .flatMap(({ flight, data }) =>
      [...data]
        .sort((one, other) => one.message_seq - other.message_seq)
        .map(
          (message): HandshakeMessage => ({
            type: message.msg_type,
            fromClient: flight === clientFlight || message.msg_type === clientHello,
            bytes: message.serialize(),
          }),
        ),
    );
  return clientProofFault({ transcript, certificate, masterSecret: socket.cipher.masterSecret });
}
