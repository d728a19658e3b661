import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { silentLog } from '../../src/log/log.ts';
import { UdpMux } from '../../src/media/udp-mux.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { type ConnectingDevice, startConnectingDevice } from '../fixtures/connecting-device.ts';

const addresses = Object.values(networkInterfaces()).flatMap((infos) => infos ?? []);
const hasIpv6 = addresses.some(({ address }) => address === '::1');

describe('a device that is reached over IPv6 alone', {
  skip: !hasIpv6 && 'this machine has no IPv6',
}, () => {
  let device: ConnectingDevice;

  before(async () => {
    device = await startConnectingDevice({
      browser: await launchBrowser(),
      config: { tcpPort: 'udp', addresses: ['::1'], maxViewers: 2 },
    });
  });

  after(() => device.stop());

  for (const protocol of ['udp', 'tcp'] as const) {
    test(`is heard over ${protocol.toUpperCase()}`, async () => {
      const query = protocol === 'tcp' ? '?udp=no' : '';
      const viewer = await device.open(query);
      const { remote } = await viewer.hears();
      assert.equal(remote.protocol, protocol);
      assert.equal(remote.address.replace(/[[\]]/g, ''), '::1');
      assert.equal((await viewer.receives(50)).lost, 0);
    });
  }

  test('link-local IPv6 addresses, which a candidate cannot carry the zone of, are not offered', async () => {
    const mux = new UdpMux({
      portMin: 0,
      portMax: 0,
      addresses: [],
      loopback: true,
      tcpPort: 'udp',
      log: silentLog,
    });
    await mux.start();
    const offered = (await mux.endpoints()).map(({ address }) => address);
    await mux.stop();
    const usable = addresses.map(({ address }) => address).filter((a) => !a.startsWith('fe80:'));
    assert.deepEqual([...new Set(offered)].toSorted(), [...new Set(usable)].toSorted());
  });
});
