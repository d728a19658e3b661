import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { HidSettings } from '../../src/control/hid/hid-config.ts';
import { HidControl } from '../../src/control/hid/hid-control.ts';
import { silentLog } from '../../src/log/log.ts';
import type { HidHostBench } from '../fixtures/hid-host-contract.ts';
import { type SocketHostProcess, socketHostBench } from '../fixtures/hid-socket-bench.ts';
import { TestViewer } from '../fixtures/hid-viewer.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Keyboard and mouse as they run: real timers, a real process as the host, a real socket between them. */
describe('HidControl on a host behind a socket', () => {
  let bench: HidHostBench & { process: SocketHostProcess };
  let control: HidControl;
  let settings: HidSettings;

  beforeEach(async () => {
    bench = await socketHostBench();
    settings = { jiggler: { enabled: false, seconds: 60 }, macros: [] };
    control = new HidControl({
      config: { wakeOnInput: true, layout: 'us' },
      host: bench.host,
      settings: {
        current: () => settings,
        replace: async (next) => {
          settings = next;
        },
      },
      log: silentLog,
    });
    await control.start();
    await bench.become('attached');
    await waitFor('the host', () => control.status().host === 'attached');
  });

  afterEach(async () => {
    await control.stop();
    await bench.close();
  });

  const openViewer = () =>
    new TestViewer(
      (link) => control.openViewer('s1', link),
      () => performance.timeOrigin + performance.now(),
    );
  const reports = () =>
    bench.process.taken.filter(({ kind }) => kind === 'keyboard').map(({ report }) => report);
  const isUp = () =>
    reports()
      .at(-1)
      ?.every((byte) => byte === 0) === true;

  it('types a text, each key down and up', async () => {
    const text = 'the quick brown fox';
    await control.type(text, { charactersPerSecond: 200 });
    await waitFor('all reports', () => reports().length >= 2 * text.length);
    const typed = reports().flatMap(([, , key]) => (key === undefined || key === 0 ? [] : [key]));
    const expected = [...text].map((each) => (each === ' ' ? 0x2c : each.charCodeAt(0) - 0x5d));
    assert.deepEqual(typed, expected);
    assert.ok(isUp());
  });

  it('answers a key with the time from the event to the write', async () => {
    const page = openViewer();
    page.send({ type: 'clock', offsetMs: 0 });
    page.key('a', true);
    const written = await waitFor('the answer', () => page.toldOf('written')[0]);
    assert.equal(written.taken, true);
    assert.ok(written.latencyMs >= 0);
    page.key('a', false);
    await waitFor('the end', isUp);
  });

  it('releases what a viewer holds that falls silent', async () => {
    const page = openViewer();
    page.key('shift', true);
    page.key('a', true);
    await waitFor('the notice', () => page.notices().includes('dead-man'));
    await waitFor('the release', isUp);
    assert.equal(control.status().heldKeys, 0);
  });

  it('wakes the host with a key', async () => {
    const page = openViewer();
    await bench.become('suspended');
    await waitFor('sleep', () => control.status().host === 'suspended');
    page.key('a', true);
    await waitFor('the host to wake', () => control.status().host === 'attached');
    assert.deepEqual(
      page.toldOf('host').map(({ state }) => state),
      ['attached', 'suspended', 'attached'],
    );
  });

  it('fails a text when the host dies under it, and types the next when it is back', async () => {
    const typing = control.type('x'.repeat(1_000));
    typing.catch(() => undefined);
    await waitFor('the first keys', () => reports().length > 10);
    await bench.process.kill();
    await assert.rejects(typing, { code: 'HID_NO_HOST' });
    await bench.process.start();
    await bench.process.tell({ do: 'state', state: 'attached' });
    await waitFor('the host', () => control.status().host === 'attached');
    const before = reports().length;
    await control.type('a');
    await waitFor('the key and its end', () => reports().length >= before + 2 && isUp());
  });
});
