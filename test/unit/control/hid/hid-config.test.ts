import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { hidSchema, hidSettingsSchema } from '../../../../src/control/hid/hid-config.ts';
import { NoHost } from '../../../../src/control/hid/no-host.ts';
import { checkInput } from '../../../../src/errors/check-input.ts';

describe('the configuration of keyboard and mouse', () => {
  it('needs nothing', () => {
    assert.deepEqual(v.parse(hidSchema, {}), { host: 'none', wakeOnInput: true, layout: 'us' });
    assert.deepEqual(v.parse(hidSettingsSchema, {}), {
      jiggler: { enabled: false, seconds: 60 },
      macros: [],
    });
  });

  it('takes a socket as the host', () => {
    const ofHost = (host: string) => checkInput(hidSchema, { host });
    for (const host of ['none', 'usb', 'unix:/run/desktop.sock']) assert.ok(ofHost(host).ok, host);
    for (const host of ['', 'USB', 'unix:', 'unix:relative', `unix:/${'x'.repeat(107)}`]) {
      const checked = ofHost(host);
      assert.ok(!checked.ok, host);
      assert.match(checked.faults[0]?.message ?? '', /^host: /);
    }
  });

  it('refuses what it does not know', () => {
    const checked = checkInput(hidSchema, { layout: 'dvorak', wakeOnInputs: true });
    assert.ok(!checked.ok);
    assert.equal(checked.faults.length, 2);
  });
});

describe('NoHost', () => {
  it('takes nothing, and says why', async () => {
    const host = new NoHost();
    await host.start();
    assert.equal(host.state, 'none');
    assert.match(host.reason, /not configured/);
    assert.equal(await host.write(), false);
    assert.equal(await host.wake(), false);
    assert.equal(new NoHost('no UDC').reason, 'no UDC');
    await host.stop();
  });
});
