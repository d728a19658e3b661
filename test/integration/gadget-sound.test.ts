import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { GadgetCable } from '../fixtures/gadget-cable.ts';
import { guestDenied } from '../lab/guest/guest.ts';

/**
 * The sound card that the host sees, on the device's side of it: the controller of USB/IP takes functions with
 * isochronous endpoints, which dummy_hcd does not, though it carries nothing over them.
 */

const skip = guestDenied() ?? false;
const controller = 'usbip-vudc.0';
let cable: GadgetCable;
before(async () => {
  if (skip !== false) return;
  cable = await GadgetCable.start();
  await cable.guest.shell('modprobe usbip-vudc');
});
after(() => cable?.stop());

const cards = () => cable.guest.shell('cat /proc/asound/cards');

for (const [kind, card] of [
  ['uac1', 'UAC1Gadget'],
  ['uac2', 'UAC2Gadget'],
] as const) {
  test(`the card of ${kind} is ${card}, in both directions`, { skip }, async () => {
    await cable.plugIn({ controller, storage: true, sound: { kind } });
    assert.match(await cards(), new RegExp(`\\[${card} *\\]`));
    assert.match(await cable.guest.shell('cat /proc/asound/pcm'), /playback 1 : capture 1/);
    await cable.call('stop');
    assert.doesNotMatch(await cards(), new RegExp(card));
  });
}

test('without a microphone the card only captures', { skip }, async () => {
  await cable.plugIn({ controller, sound: { kind: 'uac1', inputChannels: 0 } });
  assert.doesNotMatch(await cable.guest.shell('cat /proc/asound/pcm'), /playback/);
  await cable.call('stop');
});

test('a card that a program holds does not hang the end of the gadget', { skip }, async () => {
  await cable.plugIn({ controller, sound: { kind: 'uac1' } });
  const holder = cable.guest.spawn([
    ...['sh', '-c', 'exec 5</dev/snd/pcmC0D0c; echo held; exec sleep 60'],
  ]);
  await once(holder.stdout, 'data');
  await cable.call('stop');
  assert.equal(await cable.guest.shell('ls /sys/kernel/config/usb_gadget'), '');
  holder.kill('SIGKILL');
});
