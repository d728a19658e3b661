import { createSocket } from 'node:dgram';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';

export interface MagicPacket {
  /** `00:1b:44:11:3a:b7` */
  readonly mac: string;
  /** SecureOn password in the same form; empty: none. */
  readonly password: string;
}

/** The magic packet (AMD, publication 20213): six bytes 0xff, the address 16 times, the SecureOn password. */
export function magicPacket({ mac, password }: MagicPacket): Buffer {
  const address = macBytes(mac);
  const synchronization = Buffer.alloc(6, 0xff);
  const repeated = Array.from({ length: 16 }, () => address);
  return Buffer.concat([synchronization, ...repeated, macBytes(password)]);
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(/[:-]/g, ''), 'hex');
}

/** Each machine is sent this many: a card that sleeps misses some. */
export const packetsPerWake = 3;

/** Sends a datagram to a broadcast address, or several; a test has its own. */
export type SendBroadcast = (options: {
  readonly packet: Uint8Array;
  readonly count: number;
  readonly address: string;
  readonly port: number;
}) => Promise<void>;

/** How long the system may take to send, in ms. */
const sendMs = 2_000;

/** Rejects with POWER_WAKE_FAILED. */
export const sendBroadcast: SendBroadcast = async ({ packet, count, address, port }) => {
  const socket = createSocket('udp4');
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not sent within ${sendMs} ms`)), sendMs);
      socket.once('error', reject);
      socket.bind(0, () => {
        socket.setBroadcast(true);
        let left = count;
        for (let index = 0; index < count; index += 1) {
          socket.send(packet, port, address, (error) => {
            left -= 1;
            if (error !== null) reject(error);
            else if (left === 0) resolve();
          });
        }
      });
    });
  } catch (cause) {
    throw new EarshotError(
      'POWER_WAKE_FAILED',
      `The Wake-on-LAN packet to ${address}:${port} could not be sent: ${messageOf(cause)}.`,
      { cause, details: { address, port } },
    );
  } finally {
    clearTimeout(timer);
    socket.close();
  }
};
