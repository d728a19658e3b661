import { after, before, describe } from 'node:test';
import { gadgetBench, HostReports } from '../fixtures/gadget-bench.ts';
import { GadgetCable } from '../fixtures/gadget-cable.ts';
import { hidHostContract } from '../fixtures/hid-host-contract.ts';
import { guestDenied } from '../lab/guest/guest.ts';

describe('in a guest', { skip: guestDenied() ?? false }, () => {
  let cable: GadgetCable;
  const reports = new HostReports();
  before(async () => {
    cable = await GadgetCable.start();
    await reports.start(cable);
  });
  after(() => cable?.stop());

  hidHostContract('the USB gadget', () => gadgetBench(cable, reports));
});
