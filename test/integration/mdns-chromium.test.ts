import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { connectingPage } from '../fixtures/connecting-page.ts';
import { ConnectingViewer } from '../fixtures/connecting-viewer.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { autoplayFlag, chromiumLaunch } from '../lab/chromium-launch.ts';

const network = Object.values(networkInterfaces())
  .flatMap((infos) => infos ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal);

describe('a viewer whose candidates are mDNS names', {
  skip: network === undefined && 'this machine has no network but loopback',
}, () => {
  let browser: Browser;
  let hub: MediaHub;
  let server: MediaServer;
  let source: OpusSource;

  before(async () => {
    browser = await chromium.launch(chromiumLaunch([autoplayFlag]));
    hub = new MediaHub({
      config: {
        iceServers: [],
        udpPortMin: 0,
        udpPortMax: 0,
        addresses: [network?.address ?? ''],
        maxViewers: 2,
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

  test('is heard by the checks of the device alone, which asked for the name', async () => {
    const viewer = await ConnectingViewer.open(browser, `${server.url}?deaf`);
    await viewer.hears();
    const candidates = await viewer.strings('candidates');
    assert.ok(
      candidates.some((line) => /\.local \d+ typ host/.test(line)),
      candidates.join('\n'),
    );
    assert.ok(!candidates.some((line) => line.includes(network?.address ?? '')));
    assert.equal(hub.sessions()[0]?.candidateType, 'host');
  });

  test('is heard where nobody answers for the name, by its own checks', async () => {
    const viewer = await ConnectingViewer.open(browser, `${server.url}?host=no`);
    await viewer.hears();
    assert.match(hub.sessions().at(-1)?.candidateType ?? '', /^prflx/);
  });
});
