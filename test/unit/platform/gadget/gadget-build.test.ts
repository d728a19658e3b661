import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import * as v from 'valibot';
import { silentLog } from '../../../../src/log/log.ts';
import { GadgetBuild } from '../../../../src/platform/gadget/gadget-build.ts';
import { gadgetSchema } from '../../../../src/platform/gadget/gadget-config.ts';
import { systemPaths } from '../../../../src/platform/gadget/platform-paths.ts';
import { machineSerialNumber } from '../../../../src/platform/gadget/serial-number.ts';
import { endpointSupply, findController } from '../../../../src/platform/gadget/udc.ts';
import {
  KernelConfigfs,
  type KernelOptions,
  kernelFunctions,
} from '../../../fixtures/kernel-configfs.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earshot-gadget-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A controller in sysfs, and devices of HID functions in the way the kernel numbers them. */
function putController(name = 'a.usb'): void {
  put(`class/udc/${name}/state`, 'not attached\n');
  put(`class/udc/${name}/function`, '');
  for (let minor = 0; minor < 16; minor += 1) {
    put(`dev/char/240:${minor}/uevent`, `MAJOR=240\nMINOR=${minor}\nDEVNAME=hidg${minor}\n`);
  }
}

function setUp(config: object = {}, kernel: Partial<KernelOptions> = {}) {
  const bound: string[][] = [];
  const configfs = new KernelConfigfs({
    functions: kernelFunctions,
    onBind(controller, functions) {
      put(`class/udc/${controller}/function`, 'earshot\n');
      bound.push([controller, ...functions]);
    },
    ...kernel,
  });
  const paths = {
    ...systemPaths,
    sys: root,
    proc: join(root, 'proc'),
    machineId: join(root, 'id'),
  };
  const start = () =>
    new GadgetBuild({ config: v.parse(gadgetSchema, config), configfs, paths, log: silentLog });
  return { configfs, start, bound };
}

const unfollowed = () => undefined;

test('the gadget is bound to the only controller, its devices found by their numbers', async () => {
  putController();
  const { start, bound } = setUp();
  const gadget = await start().up(unfollowed);
  assert.equal(gadget.controller, 'a.usb');
  assert.equal(gadget.kept, false);
  assert.deepEqual(
    gadget.interfaces.map(({ interface: one, path }) => [one.name, path]),
    [
      ['keyboard', '/dev/hidg0'],
      ['absolute', '/dev/hidg1'],
      ['relative', '/dev/hidg2'],
      ['keys', '/dev/hidg3'],
    ],
  );
  assert.equal(bound.length, 1);
});

test('an identical gadget of a run before is kept as it is', async () => {
  putController();
  const { configfs, start } = setUp();
  await start().up(unfollowed);
  configfs.changes.splice(0);
  const followed: unknown[] = [];
  const gadget = await start().up((...values) => followed.push(values));
  assert.equal(gadget.kept, true);
  assert.deepEqual(configfs.changes, []);
  assert.deepEqual(followed, [['a.usb', true]]);
});

test('another gadget of a run before is taken down and made anew', async () => {
  putController();
  const { configfs, start } = setUp();
  await start().up(unfollowed);
  const other = new GadgetBuild({
    config: v.parse(gadgetSchema, { maxPowerMa: 100 }),
    configfs,
    paths: { ...systemPaths, sys: root, proc: root, machineId: root },
    log: silentLog,
  });
  const gadget = await other.up(unfollowed);
  assert.equal(gadget.kept, false);
  assert.equal(String(configfs.attributes.get('usb_gadget/earshot/configs/c.1/MaxPower')), '100');
});

test('one that lost its controller, which came back, is bound again', async () => {
  putController();
  const { start, bound } = setUp();
  await start().up(unfollowed);
  put('class/udc/a.usb/function', '');
  const gadget = await start().up(unfollowed);
  assert.equal(gadget.kept, false);
  assert.equal(bound.length, 2);
});

test('too few endpoints for an interface each: pointers and media keys share one', async () => {
  putController();
  const { start } = setUp({ endpoints: { in: 5, out: 4 } });
  const gadget = await start().up(unfollowed);
  assert.deepEqual(
    gadget.interfaces.map(({ interface: one }) => one.name),
    ['keyboard', 'combined'],
  );
});

test('too few endpoints in any case: nothing is made, and the message says what is missing', async () => {
  putController();
  const { configfs, start } = setUp({ endpoints: { in: 4, out: 4 } });
  await assert.rejects(start().up(unfollowed), {
    code: 'GADGET_ENDPOINTS',
    message: /need 5 IN and 2 OUT endpoints .* has 4 IN and 4 OUT\. Switch off one of /,
  });
  assert.deepEqual(configfs.changes, []);
});

test('an older kernel takes an OUT endpoint of every HID function', async () => {
  putController();
  const hid = (kernelFunctions['hid'] ?? []).filter((name) => name !== 'no_out_endpoint');
  const { configfs, start } = setUp(
    { endpoints: { in: 8, out: 3 } },
    { functions: { ...kernelFunctions, hid } },
  );
  await assert.rejects(start().up(unfollowed), { code: 'GADGET_ENDPOINTS', message: /6 OUT/ });
  assert.deepEqual([...configfs.directories], ['.', 'usb_gadget']);
});

test('a bind that fails leaves nothing behind', async () => {
  putController();
  const { configfs, start } = setUp();
  configfs.write = failingBind(configfs);
  await assert.rejects(start().up(unfollowed), {
    code: 'GADGET_FAILED',
    message: /binding it to the controller a\.usb: .*cannot serve these functions/,
  });
  assert.deepEqual([...configfs.directories], ['.', 'usb_gadget']);
});

/** A controller that refuses: the kernel then remembers no controller. */
function failingBind(configfs: KernelConfigfs): KernelConfigfs['write'] {
  const write = configfs.write.bind(configfs);
  return (path, value) =>
    path.endsWith('/UDC') && String(value).trim() !== ''
      ? Promise.reject(Object.assign(new Error('ENODEV'), { code: 'ENODEV' }))
      : write(path, value);
}

test('a controller that another gadget has is told by that gadget’s name', async () => {
  putController();
  put('class/udc/a.usb/function', 'g_ether\n');
  const { configfs, start } = setUp();
  configfs.write = failingBind(configfs);
  await assert.rejects(start().up(unfollowed), {
    code: 'GADGET_FAILED',
    message: 'The controller a.usb is in use by another USB gadget, g_ether.',
  });
});

test('a serial port that somebody has open keeps the gadget in configfs, unbound', async () => {
  putController();
  put('proc/42/comm', 'getty\n');
  mkdirSync(join(root, 'proc/42/fd'));
  symlinkSync('/dev/ttyGS0', join(root, 'proc/42/fd/5'));
  const { configfs, start } = setUp();
  const build = start();
  await build.up(unfollowed);
  await assert.rejects(build.down(), {
    code: 'GADGET_FAILED',
    message: /while its serial port ttyGS0 is open in getty \(42\); it is unbound/,
  });
  assert.equal(String(configfs.attributes.get('usb_gadget/earshot/UDC')), '');
  assert.ok(configfs.directories.has('usb_gadget/earshot/functions/acm.serial'));
});

test('no controller, too many, or not that one', async () => {
  await assert.rejects(findController(root, ''), {
    code: 'GADGET_NO_UDC',
    message: 'There is no USB device controller in /sys/class/udc: there are none.',
  });
  putController('b.usb');
  assert.equal(await findController(root, ''), 'b.usb');
  putController('a.usb');
  await assert.rejects(findController(root, ''), {
    message: /has to be said in usb\.controller: there are a\.usb, b\.usb\.$/,
  });
  await assert.rejects(findController(root, 'c.usb'), {
    message: /no USB device controller c\.usb .*there are a\.usb, b\.usb\.$/,
  });
  assert.equal(await findController(root, 'a.usb'), 'a.usb');
});

test('endpoints are counted in debugfs, or known by the driver, or unknown', async () => {
  putController();
  assert.equal(await endpointSupply(root, 'a.usb'), undefined);
  mkdirSync(join(root, 'class/udc/a.usb/device'));
  symlinkSync('../../drivers/dummy_udc', join(root, 'class/udc/a.usb/device/driver'));
  assert.equal((await endpointSupply(root, 'a.usb'))?.isochronous, false);
  put('class/udc/a.usb/device/of_node/compatible', 'brcm,bcm2711-usb\0brcm,bcm2835-usb\0');
  assert.deepEqual(await endpointSupply(root, 'a.usb'), { in: 7, out: 7, isochronous: true });
  for (const name of ['ep0in', 'ep0out', 'ep1in', 'ep1out', 'ep2in', 'ep10in', 'regdump']) {
    put(`kernel/debug/usb/a.usb/${name}`, '');
  }
  assert.deepEqual(await endpointSupply(root, 'a.usb'), { in: 3, out: 1, isochronous: true });
});

test('the serial number is the machine’s own, and does not tell its id', async () => {
  put('id', `${'0123456789abcdef'.repeat(2)}\n`);
  const one = await machineSerialNumber(join(root, 'id'));
  assert.match(one, /^[\da-f]{16}$/);
  assert.ok(!'0123456789abcdef'.repeat(3).includes(one));
  put('id', `${'fedcba9876543210'.repeat(2)}\n`);
  assert.notEqual(await machineSerialNumber(join(root, 'id')), one);
  assert.equal(await machineSerialNumber(join(root, 'none')), 'earshot');
});
