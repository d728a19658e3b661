import { hidHostContract } from '../../../fixtures/hid-host-contract.ts';
import { InMemoryHidHost } from '../../../fixtures/in-memory-hid-host.ts';

hidHostContract('InMemoryHidHost', async () => {
  const host = new InMemoryHidHost();
  return {
    host,
    taken: () => host.taken,
    become: (state) => host.become(state),
    setLeds: (mask) => {
      host.emit('leds', mask);
    },
    hold: (holds) => host.hold(holds),
    close: () => undefined,
  };
});
