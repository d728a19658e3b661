import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { ConnectingViewer } from '../fixtures/connecting-viewer.ts';
import { TurnServer } from '../fixtures/turn-server.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { autoplayFlag, chromiumLaunch } from '../lab/chromium-launch.ts';
import { type Network, networkDenied, startNetwork } from '../lab/netns.ts';

const child = fileURLToPath(new URL('../fixtures/children/media-device.ts', import.meta.url));
const denied = networkDenied();
/** An address of the device that the viewer has no route to (RFC 5737). */
const hidden = '198.51.100.1';

describe('a viewer and a device in networks of their own', { skip: denied ?? false }, () => {
  let network: Network;
  let browser: Browser;

  before(async () => {
    network = await startNetwork();
    const { executablePath = '', ...launch } = chromiumLaunch([autoplayFlag]);
    browser = await chromium.launch({
      ...launch,
      executablePath: await network.viewer.launcher(executablePath),
    });
    await network.device.run('ip', ['addr', 'add', `${hidden}/32`, 'dev', 'lo']);
  });

  after(async () => {
    await browser.close();
    await network.stop();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  /** The device, and its page's address; signaling goes over IPv6, whatever media takes. */
  async function device(options: {
    readonly addresses: readonly string[];
    readonly iceServers?: readonly object[];
    readonly connectMs?: number;
  }): Promise<{ url: string; stop: () => Promise<void> }> {
    const { addresses, iceServers = [], connectMs = 15_000 } = options;
    const config = { page: network.device.ipv6, addresses, iceServers, connectMs };
    const process_ = network.device.spawn(process.execPath, [child, JSON.stringify(config)]);
    assert.ok(process_.stdout);
    const [line] = await once(process_.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    const stop = async (): Promise<void> => {
      const exit = once(process_, 'exit');
      process_.kill('SIGTERM');
      await exit;
    };
    return { url: String(line).trim(), stop };
  }

  /** Lets no UDP over IPv4 out of the device, as a firewall between the two would. */
  async function blockUdp(change: 'add' | 'del'): Promise<void> {
    const rule = ['ipproto', 'udp', 'priority', '10', 'blackhole'];
    await network.device.run('ip', ['rule', change, ...rule]);
  }

  test('with UDP blocked, the device is heard over TCP, the fast lane too', async () => {
    const { url, stop } = await device({ addresses: [network.device.ipv4] });
    try {
      await blockUdp('add');
      const viewer = await ConnectingViewer.open(browser, url);
      const { local, remote } = await viewer.hears();
      assert.deepEqual([local.protocol, remote.protocol], ['tcp', 'tcp']);
      assert.equal(remote.address, network.device.ipv4);
      await viewer.hearsFastLane(10);
      assert.equal((await viewer.receives(50)).lost, 0);
    } finally {
      await stop();
      await blockUdp('del');
    }
  });

  test('with no route but through coturn, the device is heard by relay', async () => {
    const turn = await TurnServer.start({
      address: network.device.ipv4,
      relayAddress: hidden,
      prefix: network.device.prefix,
    });
    const { url, stop } = await device({
      addresses: [hidden],
      iceServers: [{ urls: [turn.url('udp')], username: 'viewer', credential: 'secret' }],
    });
    try {
      const viewer = await ConnectingViewer.open(browser, url);
      const { local } = await viewer.hears();
      assert.equal(local.type, 'relay');
      assert.equal((await viewer.receives(50)).lost, 0);
    } finally {
      await stop();
      await turn.stop();
    }
  });

  test('without a route, the viewer is told what was tried', async () => {
    const { url, stop } = await device({ addresses: [hidden], connectMs: 3_000 });
    try {
      const viewer = await ConnectingViewer.open(browser, url);
      const failed = await waitFor('the failure', async () =>
        (await viewer.messages()).find(({ state }) => state === 'failed'),
      );
      assert.match(
        failed.reason ?? '',
        /^None of the viewer's checks reached UDP port 41234 or TCP port 41234; the viewer found no address/,
      );
    } finally {
      await stop();
    }
  });

  test("when the viewer's address changes, an ICE restart finds the way again", async () => {
    const { url, stop } = await device({ addresses: [network.device.ipv4] });
    try {
      const viewer = await ConnectingViewer.open(browser, url);
      const before = await viewer.hears();
      const link = ['dev', 'viewer'];
      await network.viewer.run('ip', ['addr', 'del', `${network.viewer.ipv4}/24`, ...link]);
      await network.viewer.run('ip', ['addr', 'add', '10.99.0.3/24', ...link]);
      await viewer.say('ice_restart_request');
      const after = await waitFor('the new pair', async () => {
        const look = await viewer.look();
        const fragment = look?.local.fragment ?? '';
        return fragment !== '' && fragment !== before.local.fragment && look;
      });
      assert.equal(after.dtls, 'connected');
      const { ssrc } = await viewer.receives(50);
      assert.equal(ssrc, before.ssrc, 'the stream of before');
      const states = (await viewer.messages()).filter(({ type }) => type === 'session_state');
      assert.deepEqual(
        states.map(({ state }) => state),
        ['connecting', 'connected'],
      );
    } finally {
      await stop();
    }
  });
});
