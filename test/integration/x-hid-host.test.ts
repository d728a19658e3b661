import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { absoluteReport, keyboardReport, relativeReport } from '../../src/control/hid/reports.ts';
import { SocketHost } from '../../src/control/hid/socket-host.ts';
import { silentLog } from '../../src/log/log.ts';
import { hidHostContract, type TakenReport } from '../fixtures/hid-host-contract.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { XClient } from '../lab/x-client.ts';
import { XHidHost } from '../lab/x-hid-host.ts';
import { startXScreen, type XScreen } from '../lab/x-screen.ts';

/** The demo's host of keyboard and mouse, on a real X server. */

let screen: XScreen;
let directory: string;
let desk: XClient;

before(async () => {
  screen = await startXScreen();
  directory = await mkdtemp(join(tmpdir(), 'earshot-x-hid-'));
  desk = await XClient.open(screen.display);
});

after(async () => {
  await desk?.close();
  await screen?.stop();
  await rm(directory, { recursive: true, force: true });
});

const capsLock = 66;
const numLock = 77;

/** A light of the keyboard changes by its key; `mask` is the one of HID. */
async function light(mask: number): Promise<void> {
  const lights = await desk.lights();
  const wanted = ((mask & 1) << 1) | ((mask & 2) >> 1);
  const toggle = (key: number) => {
    desk.key(key, true);
    desk.key(key, false);
  };
  if (((lights ^ wanted) & 1) !== 0) toggle(capsLock);
  if (((lights ^ wanted) & 2) !== 0) toggle(numLock);
  await desk.processed();
}

hidHostContract('an X display', async () => {
  const path = join(directory, 'contract.sock');
  const behind = await XHidHost.start({ path, display: screen.display });
  behind.become('detached');
  const taken: TakenReport[] = [];
  behind.on('report', ({ kind, bytes }) => taken.push({ kind, report: [...bytes] }));
  await light(0);
  return {
    host: new SocketHost({ path, log: silentLog, random: () => 0 }),
    taken: () => taken,
    become: (state) => behind.become(state),
    setLeds: light,
    hold: (holds) => screen.hold(holds),
    close: async () => {
      screen.hold(false);
      await light(0);
      await behind.stop();
    },
  };
});

describe('the X display', () => {
  /** A device and its host, from attached to the end. */
  async function attached(
    use: (device: SocketHost, host: XHidHost) => Promise<void>,
  ): Promise<void> {
    const path = join(directory, 'host.sock');
    const host = await XHidHost.start({ path, display: screen.display });
    const device = new SocketHost({ path, log: silentLog });
    await device.start();
    try {
      await waitFor('the host', () => device.state === 'attached');
      await use(device, host);
    } finally {
      await device.stop();
      await host.stop();
    }
    assert.deepEqual(await desk.keysDown(), []);
  }

  it('has a key down that was reported, and up when the device is gone', async () => {
    await attached(async (device, host) => {
      assert.ok(await device.write('keyboard', keyboardReport(0b10, [0x04])));
      await waitFor('both keys', async () => `${await desk.keysDown()}` === '38,50');
      await device.stop();
      await waitFor('the keys up', async () => (await desk.keysDown()).length === 0);
      assert.equal(host.hasDevice, false);
    });
  });

  it('has its keys up when the host is switched off', async () => {
    await attached(async (device, host) => {
      assert.ok(await device.write('keyboard', keyboardReport(1, [0x1d])));
      host.become('detached');
      await waitFor('the keys up', async () => (await desk.keysDown()).length === 0);
    });
  });

  const at = (x: number, y: number) =>
    waitFor(`the pointer at ${x}, ${y}`, async () => {
      const pointer = await desk.pointer();
      return pointer.x === x && pointer.y === y;
    });

  it('has the pointer to the pixel', async () => {
    await attached(async (device) => {
      for (const [x, y] of [
        [0, 0],
        [1_279, 719],
        [333, 444],
      ] as const) {
        const report = absoluteReport({
          buttons: 0,
          x: Math.round((x * 32_767) / 1_279),
          y: Math.round((y * 32_767) / 719),
        });
        assert.ok(await device.write('absolute', report));
        await at(x, y);
      }
      const motion = { dx: -33, dy: 6, wheel: 0, pan: 0 };
      assert.ok(await device.write('relative', relativeReport(0, motion)));
      await at(300, 450);
    });
  });

  it('hangs up on who does not keep to the protocol, and serves the next', async () => {
    await attached(async (device, host) => {
      const path = join(directory, 'host.sock');
      for (const bytes of [[9, 1, 0], [2, 77, 0], [0], [4, 6, 1, 1, 1]]) {
        const rogue = createConnection(path);
        rogue.on('error', () => undefined);
        rogue.resume();
        await new Promise<void>((resolve) => {
          rogue.once('close', () => resolve());
          rogue.end(Uint8Array.from(bytes));
        });
      }
      await waitFor('the device again', () => host.hasDevice && device.state === 'attached');
      assert.ok(await device.write('keyboard', keyboardReport(0, [])));
    });
  });

  it('cannot be had without an X server', async () => {
    const path = join(directory, 'none.sock');
    await assert.rejects(XHidHost.start({ path, display: ':9999' }), /X display :9999/);
  });
});
