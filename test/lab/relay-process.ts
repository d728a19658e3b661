import { once } from 'node:events';
import { ImpairRelay } from './impair.ts';

/**
 * An {@link ImpairRelay} that only delays, as a process of its own: for a network namespace.
 * Usage: node relay-process.ts <device's address> <device's port> <ms each way> — prints its own {"address":…,"port":…}
 * and runs until it is killed.
 */

async function main(): Promise<void> {
  const [address = '', port = '', ms = ''] = process.argv.slice(2);
  const delayMs = Number(ms);
  const relay = new ImpairRelay({ seed: 1 });
  relay.toDevice.set({ delayMs });
  relay.toViewer.set({ delayMs });
  process.stdout.write(`${JSON.stringify(await relay.front({ address, port: Number(port) }))}\n`);
  await once(process, 'SIGTERM');
  await relay.stop();
}

await main();
