import { InMemoryLine } from '../../../fixtures/in-memory-serial-port.ts';
import { serialPortContract } from '../../../fixtures/serial-port-contract.ts';

serialPortContract('the port in memory', async () => {
  const line = new InMemoryLine();
  return {
    open: line.open,
    path: line.path,
    send: (bytes) => line.send(bytes),
    take: () => line.take(),
    unplug: async () => line.unplug(),
    plug: async () => {
      line.isPlugged = true;
    },
  };
});
