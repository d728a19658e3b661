import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { deviceCertificate, httpsStatus, outerAddress } from '../fixtures/https-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { chromiumLaunch, fakeMicrophoneFlags } from '../lab/chromium-launch.ts';

/** A real browser on another address than loopback, as on another machine. */

let api: TestApi;
let browser: Browser;
let httpsUrl = '';
let httpUrl = '';

before(async () => {
  api = await startApi({ listen: '0.0.0.0' });
  httpsUrl = (await httpsStatus(api)).url;
  httpUrl = `http://${outerAddress()}:${api.server.address().port}/`;
  const { publicKey } = new X509Certificate(await deviceCertificate(api));
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const spki = createHash('sha256').update(der).digest('base64');
  // What a person does who has compared the fingerprint: this key is trusted, and no other.
  const trust = `--ignore-certificate-errors-spki-list=${spki}`;
  browser = await chromium.launch(chromiumLaunch([trust, ...fakeMicrophoneFlags]));
});
after(async () => {
  await browser.close();
  await api.stop();
});

describe('a browser over HTTPS', () => {
  it('gives the page the microphone and a WebSocket', async () => {
    const page = await browser.newPage();
    await page.goto(httpsUrl);
    assert.equal(new URL(page.url()).hostname, outerAddress());
    await hasEverything(page);
    await page.close();
  });

  it('comes there from plain HTTP by itself, where changes work too', async () => {
    const page = await browser.newPage();
    await page.goto(`${httpUrl}?a=b`);
    assert.equal(page.url(), `${httpsUrl}?a=b`);
    const status = await page.evaluate(`fetch('/api/v1/audio/mute', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"muted":true}',
    }).then(({ status }) => status)`);
    assert.equal(status, 200);
    await page.close();
  });

  it('warns when nobody has trusted the certificate, and gives the same to a person who goes on', async () => {
    const wary = await chromium.launch(chromiumLaunch(fakeMicrophoneFlags));
    try {
      const page = await wary.newPage();
      await assert.rejects(page.goto(httpsUrl), /ERR_CERT_AUTHORITY_INVALID/);
      await page.locator('#details-button').click();
      await page.locator('#proceed-link').click();
      await page.waitForURL(httpsUrl);
      await hasEverything(page);
    } finally {
      await wary.close();
    }
  });
});

/** A secure context with shared memory, with the microphone, a worker, a worklet and the session's WebSocket. */
async function hasEverything(page: Page): Promise<void> {
  assert.equal(await page.evaluate('window.isSecureContext'), true);
  assert.equal(await page.evaluate('window.crossOriginIsolated'), true);
  const shared = await page.evaluate(`(async () => {
    await new AudioContext().audioWorklet.addModule('/assets/main.js');
    const memory = new SharedArrayBuffer(4);
    const worker = new Worker('/assets/echo.js', { type: 'module' });
    const answer = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = () => reject(new Error('no worker'));
      worker.postMessage(memory);
    });
    worker.terminate();
    return [answer, new Int32Array(memory)[0]];
  })()`);
  assert.deepEqual(shared, ['written', 42]);
  const tracks = await page.evaluate(`navigator.mediaDevices
    .getUserMedia({ audio: true })
    .then((stream) => stream.getAudioTracks().length)`);
  assert.equal(tracks, 1);
  const opened = api.services.openedSessions.length;
  const message = await page.evaluate(`new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace('https', 'wss') + '/api/v1/session');
    socket.onmessage = ({ data }) => {
      resolve(data);
      socket.close();
    };
    socket.onerror = () => reject(new Error('no WebSocket'));
  })`);
  assert.deepEqual(JSON.parse(String(message)), { type: 'session_state', state: 'new' });
  assert.equal(api.services.openedSessions.length, opened + 1);
  await waitFor('the session ends', () => api.server.stats().socketsOpen === 0);
}
