import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkInput } from '../../../../src/errors/check-input.ts';
import { gadgetSchema } from '../../../../src/platform/gadget/gadget-config.ts';

function fault(input: unknown): string {
  const checked = checkInput(gadgetSchema, input);
  assert.ok(!checked.ok);
  return checked.faults.map(({ message }) => message).join('\n');
}

test('left out, the device is no USB device', () => {
  const checked = checkInput(gadgetSchema, {});
  assert.ok(checked.ok);
  assert.equal(checked.value.enabled, false);
});

test('by default the sound card has the name that the sound’s configuration looks for', () => {
  const checked = checkInput(gadgetSchema, {});
  assert.ok(checked.ok);
  assert.equal(checked.value.sound.kind, 'uac1');
  assert.equal(checked.value.sound.rateHz, 48_000);
});

test('what is out of range is named', () => {
  assert.match(fault({ identity: { vendorId: 0x1_00_00 } }), /^identity\.vendorId: 65536/);
  assert.match(fault({ maxPowerMa: 501 }), /^maxPowerMa: 501/);
  assert.match(fault({ controller: '../etc' }), /^controller: /);
  assert.match(fault({ sound: { kind: 'uac3' } }), /^sound\.kind: uac3/);
  assert.match(fault({ endpoints: { in: 0, out: 1 } }), /^endpoints/);
  assert.match(fault({ identity: { product: 'a\nb' } }), /^identity\.product: /);
  assert.match(fault({ identity: { product: 'x'.repeat(127) } }), /^identity\.product: /);
  assert.match(fault({ identity: { product: 'é'.repeat(64) } }), /126 bytes of UTF-8/);
});
