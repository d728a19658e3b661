import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../fixtures/browser.ts';
import { type ConnectingDevice, startConnectingDevice } from '../fixtures/connecting-device.ts';
import type { ConnectingViewer } from '../fixtures/connecting-viewer.ts';
import { clientHello, plaintextAlert, rtpWithHugeExtension } from '../fixtures/dtls-datagrams.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const originOf = (sdp: string | undefined) => /^o=- (\d+) (\d+)/m.exec(sdp ?? '')?.slice(1) ?? [];
const fragmentsOf = (sdp: string | undefined) => [
  ...new Set([...(sdp ?? '').matchAll(/^a=ice-ufrag:(.*)$/gm)].map(([, name]) => name)),
];
/** All that a restart must leave as it is. */
const restOf = (sdp: string | undefined) =>
  (sdp ?? '').replace(/^(o=- \d+) \d+/m, '$1').replace(/^a=ice-(ufrag|pwd):.*\r\n/gm, '');

describe('an ICE restart in Chromium', () => {
  let device: ConnectingDevice;
  let viewer: ConnectingViewer;

  before(async () => {
    device = await startConnectingDevice({
      browser: await launchBrowser(),
      config: { tcpPort: 'udp', addresses: ['127.0.0.1'], maxViewers: 2 },
    });
    viewer = await device.open('?microphone');
    await viewer.hears();
  });

  after(() => device.stop());

  test('makes new credentials for the connection there is, and nothing is lost', async () => {
    await viewer.hearsFastLane(5);
    const before = await viewer.receives(20);
    const microphoneBefore = device.hub.sessions()[0]?.microphonePackets ?? 0;
    await viewer.say('ice_restart_request');
    const now = await waitFor('the new pair', async () => {
      const look = await viewer.look();
      const fragment = look?.local.fragment ?? '';
      return fragment !== '' && fragment !== before.local.fragment && look;
    });
    assert.equal(now.dtls, 'connected');
    const [first, second] = await viewer.strings('offers');
    assert.deepEqual(originOf(second), [originOf(first)[0], '2']);
    assert.notDeepEqual(fragmentsOf(second), fragmentsOf(first));
    assert.equal(restOf(second), restOf(first), 'the same m-lines and certificate');
    const after = await viewer.receives(50);
    assert.equal(after.ssrc, before.ssrc);
    assert.equal(after.lost, before.lost);
    await viewer.hearsFastLane(20);
    await waitFor(
      'the microphone to go on',
      () => (device.hub.sessions()[0]?.microphonePackets ?? 0) > microphoneBefore + 20,
    );
    const states = (await viewer.messages()).filter(({ type }) => type === 'session_state');
    assert.deepEqual(
      states.map(({ state }) => state),
      ['connecting', 'connected'],
    );
  });

  test('may be asked for once in two seconds', async () => {
    await viewer.say('ice_restart_request');
    await viewer.say('ice_restart_request');
    const error = await waitFor('the refusal', async () =>
      (await viewer.messages()).find(({ type }) => type === 'error'),
    );
    assert.equal(error.message, 'An ICE restart may be asked for once in 2 s.');
    await viewer.receives(20);
  });

  test('LAB 9.2: the guard holds after it', async () => {
    const { port, address } = (await viewer.look())?.remote ?? assert.fail('no pair');
    const { datagramsRefused } = device.hub.stats();
    const stranger = createSocket('udp4');
    const killers = [plaintextAlert, rtpWithHugeExtension(), clientHello()];
    for (const killer of killers) {
      await new Promise((resolve) => stranger.send(killer, port, address, resolve));
    }
    stranger.close();
    await waitFor(
      'the refusals',
      () => device.hub.stats().datagramsRefused >= datagramsRefused + killers.length,
    );
    const look = await viewer.receives(50);
    assert.equal(look.dtls, 'connected');
    assert.equal(device.hub.sessions()[0]?.state, 'connected');
  });
});
