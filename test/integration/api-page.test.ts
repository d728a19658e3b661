import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiServer } from '../../src/api/server.ts';
import { silentLog } from '../../src/log/log.ts';
import { ask, startApi, type TestApi } from '../fixtures/api-server.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';

let api: TestApi;
before(async () => {
  api = await startApi();
});
after(() => api.stop());

describe('the page', () => {
  it('is served with its types', async () => {
    const index = await ask(api, '/');
    assert.equal(index.status, 200);
    assert.equal(index.headers['content-type'], 'text/html; charset=utf-8');
    assert.match(index.text, /<title>Earshot/);
    assert.equal((await ask(api, '/index.html')).text, index.text);
    const script = await ask(api, '/assets/main.js');
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(script.text, 'export {};');
  });

  it('answers HEAD without a body', async () => {
    const answer = await ask(api, '/', { method: 'HEAD' });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '');
    assert.ok(answer.headers.etag);
  });

  it('answers 304 to a browser that has it', async () => {
    const { headers } = await ask(api, '/');
    assert.equal(headers['cache-control'], 'no-cache');
    const etag = String(headers.etag);
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(api, '/', { headers: { 'if-none-match': tag } });
      assert.equal(again.status, 304, tag);
      assert.equal(again.text, '');
      assert.equal(again.headers.etag, etag);
    }
    const stale = await ask(api, '/', { headers: { 'if-none-match': '"other"' } });
    assert.equal(stale.status, 200);
  });

  it('lets a browser keep a file whose name has its content in it', async () => {
    const { headers } = await ask(api, '/assets/font-0123abcd.woff2');
    assert.match(String(headers['cache-control']), /immutable/);
    const plain = await ask(api, '/assets/main.js');
    assert.doesNotMatch(String(plain.headers['cache-control']), /immutable/);
  });

  it('refuses to be posted to', async () => {
    const answer = await ask(api, '/', { method: 'POST' });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET, HEAD');
  });

  const outside = [
    '/../secret.html',
    '/assets/../../secret.html',
    '/%2e%2e/secret.html',
    '/..%2fsecret.html',
    '/assets/..%2f..%2fsecret.html',
    '/%252e%252e/secret.html',
    '/..\\secret.html',
    '/..%5csecret.html',
    '//secret.html',
    '/./secret.html',
    '/secret.html%00.js',
    '/assets/notes.txt',
    '/assets',
    '/assets/',
    '/link.html',
    'http://127.0.0.1/../secret.html',
    '/.',
    '/..',
  ];
  for (const path of outside) {
    it(`serves no file for ${path}`, async () => {
      const answer = await ask(api, path);
      assert.doesNotMatch(answer.text, /secret$|not part/);
      if (answer.status === 200) assert.match(answer.text, /<title>Earshot/);
      else assert.ok(answer.status === 404 || answer.status === 400, String(answer.status));
    });
  }

  it('follows no symbolic link', async (t) => {
    const own = await startApi();
    t.after(own.stop);
    await symlink(join(own.directory, 'secret.html'), join(own.directory, 'web', 'link.html'));
    await own.server.stop();
    const next = new ApiServer({
      listen: '127.0.0.1',
      port: 0,
      https: { port: 0, certificate: '', key: '' },
      dataDir: own.directory,
      allowedHosts: [],
      controlSocket: own.socket,
      webRoot: join(own.directory, 'web'),
      services: new InMemoryServices(),
      log: silentLog,
      version: '0',
    });
    await next.start();
    assert.equal((await ask({ ...own, server: next }, '/link.html')).status, 404);
    await next.stop();
    await own.stop();
  });

  it('says how to build it where it is missing, and the API works', async (t) => {
    const own = await startApi({ webRoot: '/nonexistent/earshot-web' });
    t.after(own.stop);
    const answer = await ask(own, '/');
    assert.equal(answer.status, 404);
    assert.match(answer.text, /npm run build/);
    assert.equal((await ask(own, '/api/v1/status')).status, 200);
  });
});
