import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GadgetCable } from '../fixtures/gadget-cable.ts';
import { guestDenied } from '../lab/guest/guest.ts';

/** The gadget in a kernel that lacks something, after crashes, and with controllers that come and go. */

const skip = guestDenied() ?? false;
let cable: GadgetCable;
before(async () => {
  if (skip !== false) return;
  cable = await GadgetCable.start();
});
after(() => cable?.stop());

interface Status {
  readonly state: string;
  readonly reason: string;
  readonly controller: string;
  readonly faults: readonly string[];
}

async function status(): Promise<Status> {
  return Object.assign(
    { state: '', reason: '', controller: '', faults: [] },
    await cable.call('status'),
  );
}

const configured = '/sys/kernel/config/usb_gadget/earshot';
const devices = { all: 5 } as const;

/** How often the host has set up a device since it booted. */
async function enumerations(): Promise<number> {
  return Number(
    await cable.guest.shell("dmesg | grep -c 'New USB device found.*idProduct=0104' || true"),
  );
}

test('what the controller cannot do is told, and nothing is made', { skip }, async () => {
  await cable.plugIn({ sound: { kind: 'uac1' } });
  const { state, reason } = await status();
  assert.equal(state, 'none');
  assert.match(reason, /dummy_udc\.0 has no isochronous endpoints, which the function uac1 needs/);
  assert.equal(await cable.guest.shell('ls /sys/kernel/config/usb_gadget'), '');
  assert.equal(await cable.call('write', 'keyboard', '0000040000000000'), false);
  await cable.call('stop');
});

test('too few endpoints are told with what to switch off', { skip }, async () => {
  await cable.plugIn({ endpoints: { in: 3, out: 3 } });
  assert.match(
    (await status()).reason,
    /4 IN and 1 OUT .* has 3 IN and 3 OUT\. Switch off one of /,
  );
  await cable.call('stop');
});

test('a function that the kernel lacks is named, and the others work', { skip }, async () => {
  await cable.guest.shell(
    "echo 'install usb_f_mass_storage /bin/false' >/etc/modprobe.d/lacking.conf",
  );
  await cable.plugIn({ storage: true, combineHid: 'always' });
  await cable.untilState('attached');
  assert.match(
    (await status()).faults.join(),
    /function mass_storage cannot be made: the kernel lacks it/,
  );
  await cable.untilDevices(4);
  assert.equal(await cable.call('write', 'consumer', 'e900'), true);
  assert.equal(await cable.call('write', 'consumer', '0000'), true);
  assert.equal(await cable.call('write', 'absolute', '0001000100'), true);
  await cable.untilEvents(['1 115 1', '1 115 0', '3 0 1', '3 1 1']);
  await cable.call('stop');
  await cable.untilDevices(0);
});

test('killed and started again, the same gadget is kept: the host notices nothing', {
  skip,
}, async () => {
  await cable.plugIn();
  await cable.untilState('attached');
  await cable.untilDevices(devices.all);
  const before = await enumerations();
  cable.events.splice(0);
  assert.equal(await cable.call('write', 'keyboard', '0000040000000000'), true);
  await cable.untilEvents(['1 30 1']);
  await cable.crash();
  await cable.plugIn();
  await cable.untilState('attached');
  // The key that the run before left down.
  await cable.untilEvents(['1 30 0']);
  assert.equal(await cable.call('write', 'keyboard', '0000050000000000'), true);
  assert.equal(await cable.call('write', 'keyboard', '0000000000000000'), true);
  await cable.untilEvents(['1 48 1', '1 48 0']);
  assert.equal(await enumerations(), before);
});

test('killed and configured otherwise, it is made anew', { skip }, async () => {
  await cable.crash();
  await cable.plugIn({ relative: false, identity: { product: 'Other' } });
  await cable.untilState('attached');
  await cable.untilDevices(devices.all - 1);
  assert.equal(await cable.guest.shell(`cat ${configured}/strings/0x409/product`), 'Other\n');
  assert.equal(await cable.guest.shell(`ls -d ${configured}/functions/hid.relative || true`), '');
});

test('what a run left half made is taken down, and the whole made', { skip }, async () => {
  await cable.call('stop');
  await cable.untilDevices(0);
  await cable.guest.shell(
    `cd ${configured.replace('/earshot', '')}; mkdir -p earshot/functions/hid.keyboard earshot/functions/acm.serial earshot/configs/c.1/strings/0x409 earshot/configs/c.9; ln -s earshot/functions/acm.serial earshot/configs/c.9/some`,
  );
  await cable.plugIn();
  await cable.untilState('attached');
  await cable.untilDevices(devices.all);
});

test('switched off, what a run before it left is taken down', { skip }, async () => {
  await cable.crash();
  await cable.plugIn({ enabled: false });
  await cable.untilDevices(0);
  assert.match((await status()).reason, /usb\.enabled/);
  assert.equal(await cable.guest.shell('ls /sys/kernel/config/usb_gadget'), '');
  await cable.plugIn();
  await cable.untilState('attached');
  await cable.untilDevices(devices.all);
});

test('a controller that goes and comes back is bound again', { skip }, async () => {
  await cable.guest.shell('modprobe -r dummy_hcd');
  await cable.untilState('none');
  assert.equal(await cable.call('write', 'keyboard', '0000040000000000'), false);
  assert.match((await status()).reason, /controller/);
  await cable.guest.shell('modprobe dummy_hcd');
  await cable.untilState('attached');
  await cable.untilDevices(devices.all);
});

test('a serial port that is held does not hang the end of the gadget', { skip }, async () => {
  const holder = cable.guest.spawn([
    ...['sh', '-c', "trap '' HUP; exec 5<>/dev/ttyGS0; echo held; exec sleep 60"],
  ]);
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  await cable.call('stop');
  await cable.untilDevices(0);
  assert.equal(await cable.guest.shell(`cat ${configured}/UDC`), '\n');
  holder.kill('SIGKILL');
  await cable.plugIn();
  await cable.untilState('attached');
  await cable.call('stop');
  assert.equal(await cable.guest.shell('ls /sys/kernel/config/usb_gadget'), '');
});

test('no controller at all, and no gadgets in the kernel', { skip }, async () => {
  await cable.guest.shell('modprobe -r dummy_hcd');
  await cable.plugIn();
  assert.match(
    (await status()).reason,
    /no USB device controller in \/sys\/class\/udc: there are none/,
  );
  await cable.call('stop');
  await cable.guest.shell('modprobe -r usb_f_hid usb_f_acm libcomposite');
  await cable.plugIn();
  assert.match((await status()).reason, /the module libcomposite loaded/);
  await cable.call('stop');
});
