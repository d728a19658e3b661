import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { type ConnectingDevice, startConnectingDevice } from '../fixtures/connecting-device.ts';
import { autoplayFlag, chromiumLaunch } from '../lab/chromium-launch.ts';

const network = Object.values(networkInterfaces())
  .flatMap((infos) => infos ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal);

describe('a viewer whose candidates are mDNS names', {
  skip: network === undefined && 'this machine has no network but loopback',
}, () => {
  let device: ConnectingDevice;

  before(async () => {
    device = await startConnectingDevice({
      browser: await chromium.launch(chromiumLaunch([autoplayFlag])),
      config: { addresses: [network?.address ?? ''], maxViewers: 2 },
    });
  });

  after(() => device.stop());

  test('is heard by the checks of the device alone, which asked for the name', async () => {
    const viewer = await device.open('?deaf');
    await viewer.hears();
    const candidates = await viewer.strings('candidates');
    assert.ok(
      candidates.some((line) => /\.local \d+ typ host/.test(line)),
      candidates.join('\n'),
    );
    assert.ok(!candidates.some((line) => line.includes(network?.address ?? '')));
    assert.equal(device.hub.sessions()[0]?.candidateType, 'host');
  });

  test('is heard where nobody answers for the name, by its own checks', async () => {
    const viewer = await device.open('?host=no');
    await viewer.hears();
    assert.match(device.hub.sessions().at(-1)?.candidateType ?? '', /^prflx/);
  });
});
