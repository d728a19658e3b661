import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, beforeEach, test } from 'node:test';

/** The whole main process, as a person or init starts it, on a machine without a sound card. */

const root = mkdtempSync(join(tmpdir(), 'earshot-main-'));
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(root, 'case-'));
});
after(() => rmSync(root, { recursive: true, force: true }));

interface Running {
  readonly process: ChildProcess;
  /** Resolves with the first log line whose message is `text`. */
  line(text: string): Promise<Record<string, unknown>>;
  readonly ended: Promise<{ code: number | null; stderr: string }>;
}

function start(config: unknown, args?: readonly string[]): Running {
  const file = join(directory, 'earshot.yaml');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  const child = spawn(process.execPath, ['src/earshot.ts', ...(args ?? ['--config', file])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Map<string, (line: Record<string, unknown>) => void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (!line.startsWith('{')) return;
    const fields = JSON.parse(line);
    waiting.get(fields.msg)?.(fields);
  });
  const ended = once(child, 'close').then(([code]) => ({ code, stderr: lines.join('\n') }));
  return {
    process: child,
    ended,
    line: (text) =>
      Promise.race([
        new Promise<Record<string, unknown>>((resolve) => waiting.set(text, resolve)),
        ended.then(({ code, stderr }) => {
          throw new Error(`ended with ${code} before "${text}":\n${stderr}`);
        }),
      ]),
  };
}

function config(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    http: { port: 0 },
    https: { port: 0 },
    audio: { output: { device: 'hw:CARD=NoSuchCard' } },
    control: { socket: join(directory, 'control.sock') },
    dataDir: join(directory, 'data'),
    ...overrides,
  };
}

async function refused(
  text: unknown,
  expected: { code: number; says: readonly RegExp[] },
): Promise<void> {
  const { code, stderr } = await start(text).ended;
  assert.equal(code, expected.code, stderr);
  for (const pattern of expected.says) assert.match(stderr, pattern);
}

test('an unknown key ends it with 78 and names the key and the nearest one', () =>
  refused(config({ audio: { outputt: {} } }), {
    code: 78,
    says: [/CONFIG_INVALID/, /audio\.outputt/, /audio\.output|output/],
  }));

test('a wrong type ends it with 78 and names the key, the value and what is allowed', () =>
  refused(config({ http: { port: 'eighty' } }), {
    code: 78,
    says: [/http\.port/, /eighty/, /number|integer/i],
  }));

test('a card by its index ends it with 78 and says how cards are named', () =>
  refused(config({ audio: { output: { device: 'hw:1' } } }), {
    code: 78,
    says: [/audio\.output\.device/, /hw:CARD=/],
  }));

test('what is no YAML ends it with 78', () =>
  refused('http: [', { code: 78, says: [/CONFIG_UNREADABLE/] }));

test('a missing configuration file is said, with its path', async () => {
  const { code, stderr } = await start({}, ['--config', join(directory, 'nowhere.yaml')]).ended;
  assert.equal(code, 78);
  assert.match(stderr, /nowhere\.yaml/);
});

test('a port in use ends it with 69, names address and port, and leaves no socket behind', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const address = blocker.address();
  assert.ok(address !== null && typeof address === 'object');
  const { code, stderr } = await start(config({ http: { port: address.port } })).ended;
  assert.equal(code, 69);
  assert.match(stderr, new RegExp(`API_PORT_IN_USE.*127\\.0\\.0\\.1.*${address.port}`));
  assert.ok(!existsSync(join(directory, 'control.sock')));
  blocker.close();
});

test('an owner’s certificate that cannot be read ends it with 78 and names its key', () =>
  refused(config({ https: { port: 0, certificate: '/nowhere/c.pem', key: '/nowhere/k.pem' } }), {
    code: 78,
    says: [/CONFIG_INVALID: https\.certificate: \/nowhere\/c\.pem cannot be read/],
  }));

test('a certificate without its key ends it with 78', () =>
  refused(config({ https: { port: 0, certificate: '/nowhere/c.pem' } }), {
    code: 78,
    says: [/CONFIG_INVALID/, /https\.key/],
  }));

test('without a sound card it serves, says what is wrong, and stops cleanly with its child', async () => {
  const earshot = start(config());
  const [{ url }, { pid }] = await Promise.all([
    earshot.line('listening'),
    earshot.line('child is running'),
    earshot.line('device lost'),
  ]);
  const status = await (await fetch(`${url}api/v1/status`)).json();
  assert.equal(status.audio.deviceState, 'opening');
  assert.match(status.audio.deviceError, /No such/);
  assert.equal(status.localOnly, true);
  assert.match(status.https.fingerprint256, /^(..:){31}..$/);
  assert.ok(existsSync(join(directory, 'data', 'tls', 'device.pem')));
  earshot.process.kill('SIGTERM');
  const { code, stderr } = await earshot.ended;
  assert.equal(code, 0, stderr);
  assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
  assert.ok(!existsSync(join(directory, 'control.sock')));
});

test('a preset survives a restart of everything', async () => {
  const first = start(config());
  const { url } = await first.line('listening');
  const answer = await fetch(`${url}api/v1/audio/quality`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ quality: 'high' }),
  });
  assert.equal(answer.status, 200);
  first.process.kill('SIGKILL');
  await first.ended;
  const stored = JSON.parse(readFileSync(join(directory, 'data', 'settings.json'), 'utf8'));
  assert.equal(stored.audioOutput.quality, 'high');

  const second = start(config());
  const { url: again } = await second.line('listening');
  const quality = await (await fetch(`${again}api/v1/audio/quality`)).json();
  assert.equal(quality.quality, 'high');
  second.process.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
});
