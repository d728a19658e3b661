import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { isEarshotError } from '../../../../src/errors/earshot-error.ts';
import { gadgetSchema } from '../../../../src/platform/gadget/gadget-config.ts';
import { planGadget } from '../../../../src/platform/gadget/gadget-plan.ts';
import { GadgetTree } from '../../../../src/platform/gadget/gadget-tree.ts';
import {
  KernelConfigfs,
  type KernelOptions,
  kernelFunctions,
} from '../../../fixtures/kernel-configfs.ts';

function plan(input: object = { storage: true }) {
  return planGadget({
    config: v.parse(gadgetSchema, input),
    serialNumber: '1',
    combined: false,
  });
}

function setUp(options: Partial<KernelOptions> = {}) {
  const fs = new KernelConfigfs({ functions: kernelFunctions, ...options });
  return { fs, tree: new GadgetTree(fs, 'ours') };
}

function untouched(fs: KernelConfigfs): void {
  assert.deepEqual([...fs.directories], ['.', 'usb_gadget']);
  assert.equal(fs.attributes.size + fs.links.size, 0);
}

test('a gadget is made, bound, and taken down whole', async () => {
  const { fs, tree } = setUp();
  const { missing, lacking } = await tree.make(plan());
  assert.deepEqual(missing, []);
  assert.deepEqual(
    [...lacking].filter((path) => path.startsWith('functions/hid.keyboard')),
    ['functions/hid.keyboard/wakeup_on_write'],
  );
  await tree.bind('a.usb');
  assert.equal(await tree.controller(), 'a.usb');
  assert.ok(await tree.matches(plan()));
  await tree.remove();
  untouched(fs);
  await tree.remove();
});

test('what is made is bound last, and unbound first', async () => {
  const { fs, tree } = setUp();
  await tree.make(plan());
  await tree.bind('a.usb');
  const made = fs.changes.splice(0);
  assert.equal(made.at(-1), 'write usb_gadget/ours/UDC');
  await tree.remove();
  assert.equal(fs.changes[0], 'write usb_gadget/ours/UDC');
  assert.equal(fs.changes.at(-1), 'rmdir usb_gadget/ours');
});

test('another plan is told apart, and so is a changed attribute, a missing link, a function too many', async () => {
  const { fs, tree } = setUp();
  await tree.make(plan());
  assert.ok(!(await tree.matches(plan({ storage: false }))));
  assert.ok(!(await tree.matches(plan({ storage: true, identity: { vendorId: 1 } }))));
  assert.ok(!(await tree.matches(plan({ storage: true, remoteWakeup: false }))));
  await fs.unlink('usb_gadget/ours/configs/c.1/acm.serial');
  assert.ok(!(await tree.matches(plan())));
  await fs.link('usb_gadget/ours/functions/acm.serial', 'usb_gadget/ours/configs/c.1/acm.serial');
  assert.ok(await tree.matches(plan()));
  await fs.makeDirectory('usb_gadget/ours/functions/acm.more');
  assert.ok(!(await tree.matches(plan())));
});

test('numbers are the same in any form, strings are not', async () => {
  const { fs, tree } = setUp();
  const input = { identity: { product: '7' } };
  await tree.make(plan(input));
  fs.attributes.set('usb_gadget/ours/configs/c.1/bmAttributes', Buffer.from('160\n'));
  assert.ok(await tree.matches(plan(input)));
  fs.attributes.set('usb_gadget/ours/strings/0x409/product', Buffer.from('007\n'));
  assert.ok(!(await tree.matches(plan(input))));
});

test('a function the kernel lacks is named and left out', async () => {
  const { uac1: _, ...functions } = kernelFunctions;
  const { fs, tree } = setUp({ functions });
  const { missing, plan: made } = await tree.make(plan());
  assert.deepEqual(
    missing.map(({ error }) => [error.code, error.details['function']]),
    [['GADGET_FUNCTION_MISSING', 'uac1']],
  );
  assert.ok(made.functions.every(({ type }) => type !== 'uac1'));
  assert.equal(fs.links.size, made.functions.length);
});

test('killed at any step, what is left is taken down whole by the next run', async () => {
  const whole = setUp();
  await whole.tree.make(plan());
  await whole.tree.bind('a.usb');
  await whole.tree.remove();
  for (let step = 1; step <= whole.fs.changes.length; step += 1) {
    let changes = 0;
    let alive = true;
    const { fs, tree } = setUp({
      beforeChange() {
        if (alive && ++changes === step) throw new Error('killed');
      },
    });
    const run = async () => {
      await tree.make(plan());
      await tree.bind('a.usb');
      await tree.remove();
    };
    await run().catch((error: unknown) => {
      assert.ok(isEarshotError(error), `step ${step}: ${String(error)}`);
    });
    alive = false;
    await tree.remove();
    untouched(fs);
  }
});

test('a kernel without gadgets is told apart', async () => {
  const { fs, tree } = setUp();
  fs.directories.delete('usb_gadget');
  await assert.rejects(tree.checkKernel(), { code: 'GADGET_NO_CONFIGFS' });
});

test('a controller that went away lets go of the gadget', async () => {
  const { fs, tree } = setUp();
  await tree.make(plan());
  await tree.bind('a.usb');
  const write = fs.write.bind(fs);
  fs.write = async (path, value) => {
    await write(path, value);
    if (path.endsWith('/UDC')) throw Object.assign(new Error('ENODEV'), { code: 'ENODEV' });
  };
  await tree.remove();
  untouched(fs);
});
