import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runCli } from '../../src/cli/run-cli.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import type { InMemoryHid } from '../fixtures/in-memory-hid.ts';
import { waitFor } from '../fixtures/wait-for.ts';

let api: TestApi;
let hid: InMemoryHid;
let directory: string;
beforeEach(async () => {
  api = await startApi();
  assert.ok(api.services.hid);
  hid = api.services.hid;
  directory = await mkdtemp(join(tmpdir(), 'earshot-hid-cli-'));
});
afterEach(async () => {
  await api.stop();
  await rm(directory, { recursive: true });
});

/** Runs one command line; `stdin` is piped in. */
async function earshot(argv: readonly string[], stdin: readonly string[] = []) {
  let [stdout, stderr] = ['', ''];
  const code = await runCli(argv, {
    stdout: {
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        stderr += text;
      },
    },
    env: { EARSHOT_SOCKET: api.socket },
    stdin: (async function* () {
      for (const part of stdin) yield Buffer.from(part);
    })(),
  });
  return { code, stdout, stderr };
}

describe('earshot type', () => {
  it('types a text by a layout and at a rate', async () => {
    const line = ['type', 'hello, world', '--layout', 'de', '--rate', '100'];
    assert.deepEqual(await earshot(line), { code: 0, stdout: 'typed 12 characters\n', stderr: '' });
    assert.deepEqual(hid.typed, [{ text: 'hello, world', layout: 'de' }]);
  });

  it('types what is piped in, without the last line end', async () => {
    assert.equal((await earshot(['type', '-'], ['one\nt', 'wo\n'])).code, 0);
    assert.deepEqual(hid.typed, [{ text: 'one\ntwo', layout: 'us' }]);
  });

  it('types what looks like an option behind two dashes, and prints JSON', async () => {
    const { stdout } = await earshot(['type', '--json', '--', '--force']);
    assert.deepEqual(JSON.parse(stdout), { done: true, task: null });
    assert.equal(hid.typed[0]?.text, '--force');
  });

  it('waits for a long one to its end, and fails as it does', async () => {
    let end = (): void => undefined;
    hid.typing = new Promise((resolve) => {
      end = resolve;
    });
    const typing = earshot(['type', 'a long one']);
    await waitFor('it to begin', () => hid.status().task !== null);
    const busy = await earshot(['type', 'another']);
    assert.equal(busy.code, 1);
    assert.match(busy.stderr, /Another text.*\nearshot hid stop ends/);
    end();
    assert.equal((await typing).stdout, 'typed 10 characters\n');
    hid.typing = new Promise(() => undefined);
    const stopped = earshot(['type', 'never ends']);
    await waitFor('it to begin', () => hid.status().task !== null);
    assert.equal((await earshot(['hid', 'stop'])).stdout, 'stopped\n');
    assert.match((await stopped).stderr, /^earshot: What was typed was stopped\.\n$/);
    assert.equal((await earshot(['hid', 'stop'])).stdout, 'nothing was typed\n');
  });

  const wrong: [argv: string[], stdin: string[], stderr: RegExp][] = [
    [['type'], [], /type needs TEXT/],
    [['type', ''], [], /the text is empty/],
    [['type', '-'], ['\n'], /the text is empty/],
    [['type', '-'], ['a'.repeat(50_000)], /too long; 10000 characters/],
    [['type', 'a', 'b'], [], /does not take "b"/],
    [['type', 'a', '--rate', '0'], [], /--rate 0: expected a whole number from 1 to 200/],
    [['type', 'a', '--rate', 'fast'], [], /--rate fast: expected/],
    [['type', 'a', '--layout', 'xx'], [], /layout: xx is not allowed; expected one of us, uk, de/],
    [['type', 'a→b'], [], /no keys for →.*\n.*--layout/],
  ];
  for (const [argv, stdin, stderr] of wrong) {
    it(`refuses ${JSON.stringify(argv.join(' '))} ${stdin.length > 0 ? 'with what is piped in' : ''}`, async () => {
      const result = await earshot(argv, stdin);
      assert.match(result.stderr, stderr);
      assert.equal(result.code, 2);
      assert.equal(result.stdout, '');
    });
  }
});

describe('earshot key', () => {
  it('presses a combination', async () => {
    assert.equal((await earshot(['key', 'ctrl+alt+del'])).stdout, 'pressed ctrl+alt+del\n');
    assert.deepEqual(hid.pressed, ['ctrl+alt+del']);
  });

  it('refuses a key there is none of, and says what to do about a host that is not there', async () => {
    const unknown = await earshot(['key', 'ctrl+delete']);
    assert.deepEqual([unknown.code, unknown.stderr], [2, 'earshot: There is no key "delete".\n']);
    hid.host = 'suspended';
    const asleep = await earshot(['key', 'a']);
    assert.equal(asleep.code, 69);
    assert.match(asleep.stderr, /No host is connected\.\n.*earshot hid wake/);
  });
});

describe('earshot hid', () => {
  it('shows the host, its LEDs, who holds keys and the delay', async () => {
    const { stdout } = await earshot(['hid']);
    assert.match(stdout, /^Host +attached\nLEDs +num\nViewers +1, holding 2 keys and 1 button\n/);
    assert.match(stdout, /Delay +3\.5 ms from event to report, 95 % within 7\.3 ms/);
    assert.equal(JSON.parse((await earshot(['hid', '--json'])).stdout).layout, 'us');
  });

  it('releases, wakes, and chooses the layout', async () => {
    assert.equal((await earshot(['hid', 'release'])).stdout, 'everything is released\n');
    assert.equal(hid.releases, 1);
    assert.match((await earshot(['hid', 'wake'])).stdout, /was asked to wake/);
    hid.canWake = false;
    assert.match((await earshot(['hid', 'wake'])).stdout, /cannot be woken/);
    assert.match((await earshot(['hid', 'layout', 'fr'])).stdout, /by the layout fr\n/);
    assert.match((await earshot(['hid', 'layout', 'xx'])).stderr, /layout: xx is not allowed/);
    assert.match((await earshot(['hid', 'relase'])).stderr, /did you mean hid release\?/);
  });

  it('says that a device has none', async () => {
    api.services.hid = undefined;
    assert.match((await earshot(['hid'])).stdout, /has no keyboard and mouse/);
    assert.equal((await earshot(['hid', '--json'])).stdout, 'null\n');
    const key = await earshot(['key', 'a']);
    assert.equal(key.code, 78);
    assert.match(key.stderr, /hid\.host/);
  });
});

describe('earshot macro', () => {
  it('keeps, lists, runs and removes', async () => {
    assert.match((await earshot(['macro'])).stdout, /^There are no macros/);
    const file = join(directory, 'lock.json');
    await writeFile(file, '[{"press": "super+l"}, {"waitMs": 100}]');
    assert.equal((await earshot(['macro', 'save', 'lock', file])).stdout, 'lock has 2 steps\n');
    assert.match((await earshot(['macro', 'list'])).stdout, /\nlock +\{"press":"super\+l"\} \{/);
    assert.equal((await earshot(['macro', 'run', 'lock'])).stdout, 'lock is done\n');
    assert.equal((await earshot(['macro', 'remove', 'lock'])).stdout, 'lock is gone\n');
    const gone = await earshot(['macro', 'run', 'lock']);
    assert.equal(gone.code, 2);
    assert.match(gone.stderr, /no macro "lock".*\nSee earshot macro/);
  });

  it('refuses a file that is none, and steps that are none', async () => {
    const missing = await earshot(['macro', 'save', 'x', join(directory, 'none')]);
    assert.match(missing.stderr, /none cannot be read as JSON: ENOENT/);
    const file = join(directory, 'bad.json');
    await writeFile(file, '[{"jump": 1}]');
    const bad = await earshot(['macro', 'save', 'x', file]);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /steps/);
    assert.match((await earshot(['macro', 'sav', 'x'])).stderr, /did you mean macro save\?/);
  });
});

describe('earshot jiggler', () => {
  it('turns it on and off', async () => {
    assert.match((await earshot(['jiggler', 'on', '30'])).stdout, /after 30 s without input\n/);
    assert.equal((await earshot(['jiggler', 'off'])).stdout, 'the jiggler is off\n');
    assert.match((await earshot(['jiggler', 'on'])).stdout, /after 30 s/);
    assert.equal(hid.status().jiggler.enabled, true);
    assert.match((await earshot(['jiggler', 'on', '5'])).stderr, /from 10 to 3600/);
    assert.match(
      (await earshot(['jiggler'])).stderr,
      /needs another word: jiggler on, jiggler off/,
    );
  });
});
