import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Endpoint } from './impair.ts';
import type { NetworkSide } from './netns.ts';

const program = fileURLToPath(new URL('relay-process.ts', import.meta.url));
const startMs = 10_000;

/** What the kernel here cannot do (no netem): a path that takes its time. `front` is for {@link routeThroughRelay}. */
export interface LongPath {
  /** Where viewers reach the device over it. */
  readonly endpoint: Endpoint;
  front(device: Endpoint): Promise<Endpoint>;
}

/**
 * A relay on the device's side, in front of its only UDP port, that holds every packet back for `delayMs`
 * each way; what the side may send is limited behind it. It ends with the network.
 */
export async function startLongPath(options: {
  readonly side: NetworkSide;
  readonly udpPort: number;
  readonly delayMs: number;
}): Promise<LongPath> {
  const { side, udpPort, delayMs } = options;
  const args = [program, side.ipv4, String(udpPort), String(delayMs)];
  const { stdout } = side.spawn(process.execPath, args);
  if (stdout === null) throw new Error('the relay has no output');
  const [line] = await once(createInterface(stdout), 'line', {
    signal: AbortSignal.timeout(startMs),
  });
  const endpoint = v.parse(v.object({ address: v.string(), port: v.number() }), JSON.parse(line));
  return {
    endpoint,
    front: async ({ address, port }) => {
      if (address !== side.ipv4 || port !== udpPort) {
        throw new Error(`the device is at ${address}:${port}, not at ${side.ipv4}:${udpPort}`);
      }
      return await Promise.resolve(endpoint);
    },
  };
}
