import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { launchBrowser } from '../fixtures/browser.ts';
import { type ConnectingDevice, startConnectingDevice } from '../fixtures/connecting-device.ts';
import { waitFor } from '../fixtures/wait-for.ts';

describe('ICE over TCP and Chromium', () => {
  let device: ConnectingDevice;

  before(async () => {
    device = await startConnectingDevice({
      browser: await launchBrowser(),
      config: { tcpPort: 'udp', addresses: ['127.0.0.1'], maxViewers: 4 },
    });
  });

  after(() => device.stop());

  afterEach(async () => {
    for (const context of device.browser.contexts()) await context.close();
    await waitFor('every session to end', () => device.hub.sessions().length === 0);
  });

  test('without UDP, sound and the fast lane come over TCP, and an ICE restart finds it again', async () => {
    const viewer = await device.open('?udp=no');
    const heard = await viewer.hears();
    assert.equal(heard.local.protocol, 'tcp');
    assert.equal(heard.remote.protocol, 'tcp');
    assert.equal(device.hub.sessions()[0]?.candidateType, 'prflx tcp');
    assert.ok(device.hub.stats().tcp.accepted > 0);
    await viewer.hearsFastLane(20);
    const { lost, ssrc } = await viewer.receives(100);
    assert.equal(lost, 0);

    await viewer.say('ice_restart_request');
    const restarted = await waitFor('the new pair', async () => {
      const look = await viewer.look();
      const fragment = look?.local.fragment ?? '';
      return fragment !== '' && fragment !== heard.local.fragment && look;
    });
    assert.equal(restarted.local.protocol, 'tcp');
    const after = await viewer.receives(50);
    assert.equal(after.ssrc, ssrc);
    assert.equal(device.hub.sessions()[0]?.state, 'connected');
  });

  test('a connection that is the only pair there is has its head start, and is not taken for a failure', async () => {
    // The device is told of no candidate: all that it can check is what comes to it.
    const viewer = await device.open('?udp=no&host=no');
    const heard = await viewer.hears();
    assert.equal(heard.local.protocol, 'tcp');
    assert.equal((await viewer.receives(50)).lost, 0);
  });

  test('where both work, UDP is taken', async () => {
    const viewer = await device.open();
    const heard = await viewer.hears();
    assert.equal(heard.local.protocol, 'udp');
    assert.doesNotMatch(device.hub.sessions()[0]?.candidateType ?? 'tcp', /tcp/);
    const offered = (await viewer.messages()).filter(({ type }) => type === 'ice_candidate');
    const tcp = offered.map(({ candidate }) => String(candidate)).filter((c) => / tcp /.test(c));
    assert.equal(tcp.length, 1);
    assert.match(tcp[0] ?? '', / typ host tcptype passive/);
  });

  test('when its connection closes, the session says so', async () => {
    const viewer = await device.open('?udp=no');
    await viewer.hears();
    await viewer.page.evaluate('viewer.peer.close()');
    const session = await waitFor('the failure', () => {
      const [status] = device.hub.sessions();
      return status?.state === 'failed' && status;
    });
    assert.match(session.reason, /closed/);
  });
});
