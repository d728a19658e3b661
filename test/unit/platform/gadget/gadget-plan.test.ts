import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { gadgetSchema } from '../../../../src/platform/gadget/gadget-config.ts';
import { type PlannedAttribute, planGadget } from '../../../../src/platform/gadget/gadget-plan.ts';

function plan(input: object = {}) {
  const config = v.parse(gadgetSchema, input);
  return planGadget({ config, serialNumber: 'serial', combined: false });
}

function value(attributes: readonly PlannedAttribute[], path: string): unknown {
  return attributes.find((attribute) => attribute.path === path)?.value;
}

function functionOf(input: object, name: string): readonly PlannedAttribute[] {
  const found = plan(input).functions.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found.attributes;
}

test('the identity is the configuration’s', () => {
  const identity = { vendorId: 0x12_34, productId: 0xab, deviceVersion: 0x02_10, product: 'Box' };
  const { attributes, strings } = plan({ identity });
  assert.equal(value(attributes, 'idVendor'), '0x1234');
  assert.equal(value(attributes, 'idProduct'), '0x00ab');
  assert.equal(value(attributes, 'bcdDevice'), '0x0210');
  assert.deepEqual(
    strings.map(({ value: text }) => text),
    ['Earshot', 'Box', 'serial'],
  );
});

test('remote wake-up and power are announced', () => {
  const asleep = plan({ remoteWakeup: false, maxPowerMa: 100 });
  assert.equal(value(plan().configuration, 'bmAttributes'), '0xa0');
  assert.equal(value(asleep.configuration, 'bmAttributes'), '0x80');
  assert.equal(value(asleep.configuration, 'MaxPower'), '100');
});

test('the keyboard is the first interface, and a boot keyboard', () => {
  assert.equal(plan().functions[0]?.name, 'hid.keyboard');
  const keyboard = functionOf({}, 'hid.keyboard');
  assert.equal(value(keyboard, 'subclass'), '1');
  assert.equal(value(keyboard, 'protocol'), '1');
  assert.equal(value(keyboard, 'report_length'), '8');
});

test('keys with report ids are a byte longer', () => {
  assert.equal(value(functionOf({}, 'hid.keys'), 'report_length'), '3');
});

test('sound has the channels of each direction, as the gadget sees them', () => {
  const sound = { kind: 'uac2', rateHz: 44_100, outputChannels: 2, inputChannels: 1 };
  const attributes = functionOf({ sound }, 'uac2.sound');
  assert.equal(value(attributes, 'c_chmask'), '3');
  assert.equal(value(attributes, 'p_chmask'), '1');
  assert.equal(value(attributes, 'c_srate'), '44100');
  assert.equal(value(attributes, 'c_sync'), 'adaptive');
});

test('several interfaces of one function are announced by the device class', () => {
  const hidOnly = plan({ serial: false, sound: { kind: 'none' } });
  assert.equal(value(hidOnly.attributes, 'bDeviceClass'), '0x00');
  assert.equal(value(plan().attributes, 'bDeviceClass'), '0xef');
});

test('what is switched off is not planned', () => {
  const off = { keyboard: false, absolute: false, relative: false, mediaKeys: false };
  const silent = { kind: 'uac1', outputChannels: 0, inputChannels: 0 };
  const { functions } = plan({ ...off, serial: false, sound: silent, storage: true });
  assert.deepEqual(
    functions.map(({ name }) => name),
    ['mass_storage.drive'],
  );
});
