import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { connectingPage } from '../fixtures/connecting-page.ts';
import { ConnectingViewer } from '../fixtures/connecting-viewer.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { waitFor } from '../fixtures/wait-for.ts';

describe('ICE over TCP and Chromium', () => {
  let browser: Browser;
  let hub: MediaHub;
  let server: MediaServer;
  let source: OpusSource;

  before(async () => {
    browser = await launchBrowser();
    hub = new MediaHub({
      config: {
        iceServers: [],
        udpPortMin: 0,
        udpPortMax: 0,
        tcpPort: 'udp',
        addresses: ['127.0.0.1'],
        maxViewers: 4,
      },
      log: silentLog,
    });
    await hub.start();
    server = new MediaServer({ hub, page: connectingPage });
    await server.start();
    source = new OpusSource({ publish: (frame) => hub.publishAudio(frame), frameMs: 20 });
    source.start();
  });

  after(async () => {
    source.stop();
    await browser.close();
    await server.stop();
    await hub.stop();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await waitFor('every session to end', () => hub.sessions().length === 0);
  });

  test('without UDP, sound and the fast lane come over TCP, and an ICE restart finds it again', async () => {
    const viewer = await ConnectingViewer.open(browser, `${server.url}?udp=no`);
    const heard = await viewer.hears();
    assert.equal(heard.local.protocol, 'tcp');
    assert.equal(heard.remote.protocol, 'tcp');
    assert.equal(hub.sessions()[0]?.candidateType, 'prflx tcp');
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
    assert.equal(hub.sessions()[0]?.state, 'connected');
  });

  test('a connection that is the only pair there is has its head start, and is not taken for a failure', async () => {
    // The device is told of no candidate: all that it can check is what comes to it.
    const viewer = await ConnectingViewer.open(browser, `${server.url}?udp=no&host=no`);
    const heard = await viewer.hears();
    assert.equal(heard.local.protocol, 'tcp');
    assert.equal((await viewer.receives(50)).lost, 0);
  });

  test('where both work, UDP is taken', async () => {
    const viewer = await ConnectingViewer.open(browser, server.url);
    const heard = await viewer.hears();
    assert.equal(heard.local.protocol, 'udp');
    assert.doesNotMatch(hub.sessions()[0]?.candidateType ?? 'tcp', /tcp/);
    const offered = (await viewer.messages()).filter(({ type }) => type === 'ice_candidate');
    const tcp = offered.map(({ candidate }) => String(candidate)).filter((c) => / tcp /.test(c));
    assert.equal(tcp.length, 1);
    assert.match(tcp[0] ?? '', / typ host tcptype passive/);
  });

  test('when its connection closes, the session says so', async () => {
    const viewer = await ConnectingViewer.open(browser, `${server.url}?udp=no`);
    await viewer.hears();
    await viewer.page.evaluate('viewer.peer.close()');
    const session = await waitFor('the failure', () => {
      const [status] = hub.sessions();
      return status?.state === 'failed' && status;
    });
    assert.match(session.reason, /closed/);
  });
});
