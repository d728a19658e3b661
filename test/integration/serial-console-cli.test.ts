import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import type { CliTerminal } from '../../src/cli/cli-terminal.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { ConsoleClient } from '../fixtures/console-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { PtyRun } from '../lab/pty-run.ts';

/** The real server and the real command, with a serial line in memory. */
async function start(t: TestContext): Promise<TestApi> {
  const api = await startApi();
  api.services.serial.start();
  t.after(async () => {
    await api.stop();
    await api.services.serial.stop();
  });
  await waitFor('the port', () => api.services.serial.status().state === 'open');
  return api;
}

/** `earshot console` with input from a pipe. */
function pipe(api: TestApi, line: string) {
  const input = new PassThrough();
  const run = { stdout: Buffer.alloc(0), stderr: '', input, done: Promise.resolve(0) };
  const terminal: CliTerminal = {
    isInteractive: false,
    input,
    write: (bytes) => {
      run.stdout = Buffer.concat([run.stdout, bytes]);
    },
    setRaw: () => undefined,
    onEnding: () => () => undefined,
    end: () => assert.fail('no signal came'),
  };
  run.done = runCli(['console', ...line.split(' ').filter((word) => word !== '')], {
    stdout: { write: () => undefined },
    stderr: {
      write: (text) => {
        run.stderr += text;
      },
    },
    env: { EARSHOT_SOCKET: api.socket },
    terminal: () => terminal,
  });
  return run;
}

/** `earshot console` on a terminal of its own. */
function onTerminal(t: TestContext, api: TestApi, ...options: readonly string[]): PtyRun {
  const run = new PtyRun([process.execPath, 'src/earshot.ts', 'console', ...options], {
    EARSHOT_SOCKET: api.socket,
  });
  t.after(() => run.kill());
  return run;
}

describe('earshot console on a terminal', () => {
  it('sends keys as they are typed, shows what comes, and leaves the terminal as it was', async (t) => {
    const api = await start(t);
    const { serialLine, serial } = api.services;
    serialLine.send('login: ');
    const run = onTerminal(t, api);
    await run.shows('[earshot: /dev/ttyTEST 115200 8N1; ^] . leaves, ^] ? helps]');
    await run.shows('login: ');
    await waitFor('the place', () => serial.status().writer === 'c1');
    run.type('\x03\x1a\x04ls\r\x1d\x1d');
    let typed = '';
    await waitFor('the keys', () => {
      typed += serialLine.take().toString('latin1');
      return typed === '\x03\x1a\x04ls\r\x1d';
    });
    run.type('\x1d?');
    await run.shows('^] b  send a break');
    run.type('\x1db');
    await waitFor('the break', () => serial.status().breaks === 1);
    assert.deepEqual(
      serialLine.signals.map((signals) => signals.break),
      [true, false],
    );
    serialLine.send('\x1b[1mbold\x1b[0m \u00e4\r\ndown\ndown');
    await run.shows('\x1b[1mbold\x1b[0m \u00e4\r\ndown\ndown');
    run.type('\x1d.');
    assert.deepEqual(await run.ended(), { code: 0, isSane: true });
    await waitFor('it left', () => serial.status().consoles === 0);
  });

  it('puts the terminal right when it is killed, and when the device goes', async (t) => {
    const api = await start(t);
    const { serial } = api.services;
    const killed = onTerminal(t, api, '--detach', '^A');
    await waitFor('the place', () => serial.status().writer === 'c1');
    killed.signal('SIGTERM');
    assert.deepEqual(await killed.ended(), { code: 128 + 15, isSane: true });
    const left = onTerminal(t, api, '--detach', '^A');
    await waitFor('the place', () => serial.status().writer === 'c2');
    await left.shows('^A . leaves');
    await api.server.stop();
    assert.deepEqual(await left.ended(), { code: 69, isSane: true });
    assert.match(left.shown, /The console broke off: the device is stopping\./);
  });

  it('reads only while another writes, until it takes the place', async (t) => {
    const api = await start(t);
    const { serial, serialLine } = api.services;
    const other = await ConsoleClient.open(api.server.address().port);
    other.ask({ type: 'writer', wanted: true });
    await waitFor('the place', () => other.last('writer')?.held);
    const run = onTerminal(t, api);
    await run.shows('The console c1 writes');
    run.type('x');
    await run.shows("this console only reads; ^] t takes the writer's place");
    run.type('\x1dt');
    await waitFor('the place', () => serial.status().writer === 'c2');
    await waitFor('the other was told', () => other.last('writer')?.held === false);
    run.type('y');
    await waitFor('the key', () => serialLine.take().toString() === 'y');
    other.ask({ type: 'writer', wanted: true, takeover: true });
    await run.shows(
      "The console c1 took the writer's place. This console only reads; ^] t writes.",
    );
    serialLine.unplug();
    await run.shows('[earshot: /dev/ttyTEST is not open: /dev/ttyTEST went away: hung up.]');
    run.type('\x1d.');
    assert.deepEqual(await run.ended(), { code: 0, isSane: true });
  });
});

describe('earshot console in a pipe', () => {
  it('sends all of its input, waits for the answer, and ends', async (t) => {
    const api = await start(t);
    const { serialLine } = api.services;
    const run = pipe(api, '--wait 0.2');
    const text = Buffer.alloc(300_000, 'from a file, \x1d. \x00\xff and so on\n', 'latin1');
    run.input.end(text);
    let arrived = Buffer.alloc(0);
    await waitFor('every byte', () => {
      arrived = Buffer.concat([arrived, serialLine.take()]);
      return arrived.length === text.length;
    });
    assert.ok(arrived.equals(text));
    serialLine.send('done\n');
    assert.equal(await run.done, 0, run.stderr);
    assert.equal(run.stdout.toString(), 'done\n');
    assert.equal(run.stderr, '');
  });

  it('only shows with --read-only, until the device goes', async (t) => {
    const api = await start(t);
    const run = pipe(api, '--read-only');
    await waitFor('it reads', () => api.services.serial.status().consoles === 1);
    api.services.serialLine.send('boot\n');
    await waitFor('the text', () => run.stdout.toString() === 'boot\n');
    assert.equal(api.services.serial.status().writer, null);
    await api.server.stop();
    assert.equal(await run.done, 69);
  });

  it('fails where it cannot write', async (t) => {
    const api = await start(t);
    const { serialLine, serial } = api.services;
    const other = await ConsoleClient.open(api.server.address().port);
    other.ask({ type: 'writer', wanted: true });
    await waitFor('the place', () => other.last('writer')?.held);
    const held = pipe(api, '');
    assert.equal(await held.done, 1);
    assert.match(held.stderr, /^earshot: The console c1 writes.*--takeover/);
    const taking = pipe(api, '--takeover --wait 0');
    taking.input.end('mine');
    assert.equal(await taking.done, 0, taking.stderr);
    assert.equal(serialLine.take().toString(), 'mine');
    const losing = pipe(api, '--takeover');
    await waitFor('the place', () => serial.status().writer === 'c4');
    other.ask({ type: 'writer', wanted: true, takeover: true });
    assert.equal(await losing.done, 1);
    serialLine.unplug();
    await waitFor('the port is gone', () => serial.status().state === 'opening');
    const away = pipe(api, '--takeover');
    assert.equal(await away.done, 69);
    assert.match(away.stderr, /went away: hung up/);
  });

  it('tells what did not reach the host', async (t) => {
    const api = await start(t);
    const { serialLine, serial } = api.services;
    serialLine.roomBytes = 10;
    const run = pipe(api, '');
    run.input.write(Buffer.alloc(1_000));
    await waitFor('the bytes', () => serial.status().bytesOut === 10);
    serialLine.unplug();
    run.input.end();
    assert.equal(await run.done, 69);
    assert.match(run.stderr, /990 bytes did not reach the host: The port went away/);
  });

  it('says what is wrong with its command line', async (t) => {
    const api = await start(t);
    const wrong = ['--detach x', '--wait -1', '--wait x', '--read-only --takeover', 'word'];
    for (const line of wrong) assert.equal(await pipe(api, line).done, 2, line);
    await api.server.stop();
    assert.equal(await pipe(api, '').done, 69);
  });
});
