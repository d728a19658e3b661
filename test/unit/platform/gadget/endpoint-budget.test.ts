import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { isEarshotError } from '../../../../src/errors/earshot-error.ts';
import {
  checkEndpoints,
  type EndpointSupply,
  endpointsNeeded,
} from '../../../../src/platform/gadget/endpoint-budget.ts';
import { gadgetSchema } from '../../../../src/platform/gadget/gadget-config.ts';
import { planGadget } from '../../../../src/platform/gadget/gadget-plan.ts';

function plan(input: object = {}, combined = false) {
  return planGadget({ config: v.parse(gadgetSchema, input), serialNumber: '1', combined });
}

function refusal(input: object, supply: EndpointSupply): string {
  try {
    checkEndpoints(plan(input), supply, 'test.usb');
  } catch (error) {
    assert.ok(isEarshotError(error, 'GADGET_ENDPOINTS'));
    return error.message;
  }
  throw new Error('it fits');
}

test('every function’s endpoints are counted', () => {
  assert.deepEqual(endpointsNeeded(plan()), { in: 7, out: 2 });
  assert.deepEqual(endpointsNeeded(plan({}, true)), { in: 5, out: 2 });
  assert.deepEqual(endpointsNeeded(plan({ storage: true })), { in: 8, out: 3 });
  assert.deepEqual(endpointsNeeded(plan({ sound: { kind: 'none' } })), { in: 6, out: 1 });
  assert.deepEqual(endpointsNeeded(plan({ sound: { inputChannels: 0 } })), { in: 6, out: 2 });
});

test('what fits exactly is taken', () => {
  checkEndpoints(plan(), { in: 7, out: 2, isochronous: true }, 'test.usb');
});

test('what does not fit is told with all counts and what would help', () => {
  const message = refusal({}, { in: 5, out: 7, isochronous: true });
  assert.match(message, /need 7 IN and 2 OUT endpoints/);
  assert.match(message, /keyboard 1 IN and 0 OUT/);
  assert.match(message, /serial port 2 IN and 1 OUT/);
  assert.match(message, /controller test\.usb has 5 IN and 7 OUT/);
  assert.match(message, /Switch off one of usb\.serial\.$/);
});

test('where no single function is enough, all are named', () => {
  const message = refusal({}, { in: 2, out: 2, isochronous: true });
  assert.match(message, /Switch off some of usb\.keyboard, .*usb\.sound\.kind\.$/);
});

test('sound needs isochronous endpoints', () => {
  const message = refusal({}, { in: 16, out: 16, isochronous: false });
  assert.match(message, /no isochronous endpoints, which the function uac1 needs/);
  assert.match(message, /set usb\.sound\.kind to none/);
  checkEndpoints(
    plan({ sound: { kind: 'none' } }),
    { in: 16, out: 16, isochronous: false },
    'test.usb',
  );
});
