import * as v from 'valibot';
import { type DeviceMessage, deviceMessageSchema } from '../media/signaling-messages.ts';

/** A message of the device; undefined for what this page does not know, such as a newer device's. */
export function parseMessage(text: string): DeviceMessage | undefined {
  try {
    const result = v.safeParse(deviceMessageSchema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** A server of the device as the browser wants it. */
export function toIceServer({
  urls,
  username,
  credential,
}: {
  urls: string[];
  username?: string | undefined;
  credential?: string | undefined;
}): RTCIceServer {
  return {
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  };
}

/** Whether a server relays (RFC 7065), instead of only telling addresses. */
export function isRelay({ urls }: RTCIceServer): boolean {
  return [urls].flat().some((url) => /^turns?:/i.test(url));
}
