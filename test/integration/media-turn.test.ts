import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { silentLog } from '../../src/log/log.ts';
import type { IceServer } from '../../src/media/ice-servers.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { makeCertificate } from '../../src/tls/make-certificate.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { connectingPage } from '../fixtures/connecting-page.ts';
import { ConnectingViewer } from '../fixtures/connecting-viewer.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { freePort, TurnServer } from '../fixtures/turn-server.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';

const account = { username: 'viewer', credential: 'secret' };
/** Not of this machine: no host candidate is left, only what servers give. */
const noAddress = ['203.0.113.77'];

/** A certificate for 127.0.0.1 that is its own authority. */
function lanCertificate(): { certificate: string; key: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = makeCertificate({
    key: privateKey,
    commonName: 'TURN',
    names: ['127.0.0.1'],
    notBeforeMs: Date.now() - 86_400_000,
    notAfterMs: Date.now() + 86_400_000,
  });
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

describe('STUN and TURN against coturn', () => {
  let directory: string;
  let authority: string;
  let turn: TurnServer;
  let browser: Browser;
  let hub: MediaHub | undefined;
  let server: MediaServer | undefined;
  let source: OpusSource | undefined;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'earshot-ca-'));
    authority = join(directory, 'authority.pem');
    const tls = lanCertificate();
    await writeFile(authority, tls.certificate);
    turn = await TurnServer.start({ tls });
    browser = await launchBrowser();
  });

  after(async () => {
    await browser.close();
    await turn.stop();
    await rm(directory, { recursive: true });
  });

  afterEach(async () => {
    source?.stop();
    for (const context of browser.contexts()) await context.close();
    await server?.stop();
    await hub?.stop();
    server = undefined;
    hub = undefined;
  });

  async function start(options: {
    readonly iceServers: readonly IceServer[];
    readonly addresses?: readonly string[];
    readonly connectMs?: number;
  }): Promise<MediaHub> {
    const { iceServers, addresses = noAddress, connectMs = 15_000 } = options;
    const started = new MediaHub({
      config: { iceServers, udpPortMin: 0, udpPortMax: 0, addresses, maxViewers: 2 },
      log: silentLog,
      limits: { connectMs },
    });
    hub = started;
    await started.start();
    server = new MediaServer({ hub: started, page: connectingPage });
    await server.start();
    source = new OpusSource({ publish: (frame) => started.publishAudio(frame), frameMs: 20 });
    source.start();
    return started;
  }

  const open = (query = '') => ConnectingViewer.open(browser, (server?.url ?? '') + query);

  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    test(`the device is heard through its relay alone, asked for over ${transport.toUpperCase()}`, async () => {
      const media = await start({
        iceServers: [{ urls: [turn.url(transport)], ...account, authority }],
      });
      const viewer = await open();
      const heard = await viewer.hears();
      assert.equal(heard.remote.type, 'relay');
      const { lost } = await viewer.receives(50);
      assert.equal(lost, 0);
      await viewer.hearsFastLane(5);
      const [config] = await viewer.messages();
      assert.ok(!JSON.stringify(config).includes(directory), 'the file is nobody else’s business');
      await viewer.say('ice_restart_request');
      await waitFor('another relay', async () => {
        const look = await viewer.look();
        return look !== undefined && look.remote.port !== heard.remote.port && look;
      });
      await viewer.receives(50);
      assert.equal(media.sessions()[0]?.state, 'connected');
    });
  }

  test('a viewer that uses relays only is heard, over UDP and over TCP', async () => {
    const media = await start({
      iceServers: [{ urls: [turn.url('udp'), turn.url('tcp')], ...account }],
      addresses: ['127.0.0.1'],
    });
    const viewer = await open('?policy=relay');
    const { local } = await viewer.hears();
    assert.equal(local.type, 'relay');
    assert.match(media.sessions()[0]?.candidateType ?? '', /^(relay|prflx)$/);
    const offered = (await viewer.strings('candidates')).filter((line) => / typ relay/.test(line));
    assert.ok(offered.length >= 2, 'one relay for each transport');
    await viewer.receives(50);
  });

  test('a certificate that nobody vouches for is not trusted, and the reason says so', async () => {
    const media = await start({
      iceServers: [{ urls: [turn.url('tls')], ...account }],
      connectMs: 1_500,
    });
    await open();
    const session = await waitFor('the failure', () => {
      const [status] = media.sessions();
      return status?.state === 'failed' && status;
    });
    assert.match(session.reason, /^The device has no address to offer the viewer/);
    assert.match(
      session.reason,
      /turns:127\.0\.0\.1:\d+\?transport=tcp has a certificate that is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\); name its authority in media\.iceServers\.$/,
    );
  });

  test('wrong credentials are named as the reason', async () => {
    const media = await start({
      iceServers: [{ urls: [turn.url('udp')], username: 'viewer', credential: 'wrong' }],
      connectMs: 1_500,
    });
    const viewer = await open();
    const failed = await waitFor('the failure', async () =>
      (await viewer.messages()).find(({ state }) => state === 'failed'),
    );
    assert.match(failed.reason ?? '', /refused the user name or the credential \(401\)/);
    assert.ok(!failed.reason?.includes('wrong'), 'the credential itself is not told');
    assert.equal(media.sessions()[0]?.reason, failed.reason);
  });

  test('a server that is not there delays neither offer nor connection', async () => {
    // Takes everything and says nothing, which costs the longest.
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    const closed = await freePort();
    const media = await start({
      iceServers: [
        {
          urls: [
            `turn:127.0.0.1:${silent.address().port}?transport=udp`,
            `turn:127.0.0.1:${closed}?transport=tcp`,
            `stun:127.0.0.1:${silent.address().port}`,
          ],
          ...account,
        },
      ],
      addresses: ['127.0.0.1'],
    });
    const viewer = new WeriftViewer();
    const asked = new Promise((resolve) => silent.once('message', resolve));
    viewer.watch(media);
    await waitFor('packets', () => viewer.packets.length > 20);
    await asked;
    assert.equal(viewer.state, 'connected');
    await viewer.close();
    silent.close();
  });
});
