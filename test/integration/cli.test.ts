import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { statusSchema } from '../../src/api/schema.ts';
import { commandTable } from '../../src/cli/command-table.ts';
import { ControlClient } from '../../src/cli/control-client.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { EarshotError } from '../../src/errors/earshot-error.ts';
import { startApi, type TestApi } from '../fixtures/api-server.ts';
import { waitFor } from '../fixtures/wait-for.ts';

let api: TestApi;
before(async () => {
  api = await startApi();
});
after(() => api.stop());

/** What a command printed so far, and its exit code. */
class Run {
  stdout = '';
  stderr = '';
  readonly done: Promise<number>;
  readonly #abort = new AbortController();

  constructor(argv: readonly string[], env: Record<string, string>, isTTY = false) {
    this.done = runCli(argv, {
      stdout: {
        isTTY,
        write: (text) => {
          this.stdout += text;
        },
      },
      stderr: {
        write: (text) => {
          this.stderr += text;
        },
      },
      env,
      signal: this.#abort.signal,
    });
  }

  interrupt(): void {
    this.#abort.abort();
  }
}

async function earshot(line: string, socket = api.socket) {
  const argv = line.split(' ').filter((word) => word !== '');
  const run = new Run(argv, { EARSHOT_SOCKET: socket });
  const code = await run.done;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

describe('earshot', () => {
  const good: [line: string, stdout: RegExp][] = [
    [
      'status',
      /^Earshot 9\.8\.7, up .*\n\nHTTPS +https:.*\nCertificate +made by .*\nSHA-256 +(..:){31}..\n\nQuality +medium: 64 kbps stereo/,
    ],
    ['status', /audio-output +running +4242/],
    ['stats', /VIEWER +STATE .*\ns1 +connected/],
    ['stats', /FAST LANE +VIA .*\ns1 +channel +6100/],
    ['audio quality', /\* +medium +64 kbps stereo/],
    ['audio quality ultra', /^ultra: 256 kbps stereo.*\(applied live\)\n$/],
    [
      'audio quality custom --bitrate 96k --channels 1 --frame-ms 2.5 --dtx on',
      /^custom: 96 kbps mono, 2\.5 ms .*DTX/,
    ],
    ['audio quality custom', /^custom: 96 kbps mono/],
    ['audio quality', /\* +custom +96 kbps mono/],
    ['audio mute', /^not muted\n$/],
    ['audio mute on', /^muted\n$/],
    ['audio mute off', /^not muted\n$/],
    ['audio devices', /\* +hw:CARD=UAC1Gadget +USB sound/],
    ['audio device hw:CARD=HDMI', /^capturing from hw:CARD=HDMI\n$/],
    ['status', /\n\nMicrophone +off, nobody holds it; a viewer turns it on in the page\n/],
    ['mic', /^Microphone +off, nobody holds it/],
    ['mic status', /Quality +medium: 32 kbps mono, 20 ms frames, FEC\n/],
    ['mic quality', /\* +medium +32 kbps mono, 20 ms frames, FEC\n +high +64 kbps/],
    ['mic quality low', /^low: 16 kbps mono, 40 ms frames, DTX, FEC \(applied live\)\n$/],
    ['mic quality medium', /^medium: /],
    ['mic devices', /\* +hw:CARD=UAC1Gadget +USB sound/],
    ['mic device hw:CARD=Loopback', /^playing into hw:CARD=Loopback\n$/],
    ['mic device hw:CARD=UAC1Gadget', /^playing into hw:CARD=UAC1Gadget\n$/],
    ['mic reset', /^audio-input was started anew\n$/],
    ['mic stop', /^nobody holds the microphone\n$/],
    ['mic metrics', /^Connection +2 drops\n.*\nReceived +5001 packets, 4\.9 KiB\n/],
    ['help mic', /^The same as mic status\.\n/],
    ['restart audio-output', /^audio-output is running\n$/],
    ['version', /^earshot \d+\.\d+\.\d+\n$/],
    ['--version', /^earshot \d/],
    ['', /earshot COMMAND/],
    ['help', /Exit codes:/],
    ['--help', /Exit codes:/],
  ];
  for (const [line, stdout] of good) {
    it(`earshot ${line}`, async () => {
      const result = await earshot(line);
      assert.match(result.stdout, stdout);
      assert.equal(result.stderr, '');
      assert.equal(result.code, 0);
    });
  }

  for (const { words, options } of commandTable) {
    const line = words.join(' ');
    it(`explains ${line}`, async () => {
      const { stdout, code } = await earshot(`help ${line}`);
      assert.equal(code, 0);
      for (const option of ['json', 'socket', ...Object.keys(options)]) {
        assert.ok(stdout.includes(`--${option}`), option);
      }
      assert.equal((await earshot(`${line} --help`)).stdout, stdout);
    });
  }

  const json: [line: string, key: string][] = [
    ['status --json', 'uptimeMs'],
    ['stats --json', 'sessions'],
    ['audio quality --json', 'presets'],
    ['audio quality low --json', 'effective'],
    ['audio mute --json', 'muted'],
    ['audio devices --json', 'devices'],
    ['audio device hw:CARD=HDMI --json', 'current'],
    ['mic --json', 'holder'],
    ['mic status --json', 'holder'],
    ['mic stop --json', 'holder'],
    ['mic reset --json', 'holder'],
    ['mic quality --json', 'presets'],
    ['mic quality medium --json', 'effective'],
    ['mic devices --json', 'devices'],
    ['mic device hw:CARD=UAC1Gadget --json', 'current'],
    ['mic metrics --json', 'stats'],
    ['stats --json', 'microphoneMetrics'],
    ['restart audio-output --json', 'state'],
    ['version --json', 'version'],
  ];
  for (const [line, key] of json) {
    it(`earshot ${line} prints JSON and nothing else`, async () => {
      const { stdout, code } = await earshot(line);
      assert.equal(code, 0);
      assert.ok(key in JSON.parse(stdout));
    });
  }

  const usage: [line: string, stderr: RegExp][] = [
    ['statsx', /no command "statsx"; did you mean stats\?/],
    ['frobnicate', /no command "frobnicate"; there are: status/],
    ['audio', /audio needs another word: audio quality/],
    ['audio qualty', /did you mean audio quality\?/],
    ['help frobnicate', /no command "frobnicate"/],
    ['--frob', /no command "--frob"/],
    ['status now', /status does not take "now"/],
    ['status --frob', /--frob/],
    ['status --socket', /--socket/],
    ['status --json=yes', /--json/],
    ['audio quality turbo', /no quality "turbo".*low, medium, high, ultra, custom/],
    ['audio quality ulta', /did you mean ultra\?/],
    ['audio quality low high', /does not take "high"/],
    ['audio quality --bitrate 64000', /--bitrate goes with custom/],
    ['audio quality low --fec on', /--fec goes with custom/],
    [
      'audio quality custom --bitrate 1',
      /bitrateBps: 1 is not allowed; expected a whole number from 6000 to 510000/,
    ],
    ['audio quality custom --bitrate many', /bitrateBps: many/],
    ['audio quality custom --frame-ms 7', /frameMs: 7 .*2\.5, 5, 10, 20, 40, 60/],
    ['audio quality custom --dtx maybe', /dtx: maybe is not allowed; expected true or false/],
    ['audio mute loud', /"loud" is neither on nor off/],
    ['audio device', /audio device needs ID/],
    ['audio device hw:CARD=None', /no audio device "hw:CARD=None".\nSee earshot audio devices/],
    ['mic start', /cannot turn the microphone on.*open the page and press its microphone button/],
    ['mic start s1 --json', /cannot turn the microphone on/],
    ['help mic start', /cannot turn the microphone on/],
    ['mic qualty', /no command "mic qualty"; did you mean mic quality\?/],
    ['mic frobnicate', /no command "mic frobnicate"; there are: mic status, mic stop/],
    ['mic status now', /mic status does not take "now"/],
    ['mic --frob', /--frob/],
    ['mic quality turbo', /no quality "turbo".*low, medium, high, ultra\./],
    ['mic quality custom', /no quality "custom"/],
    ['mic quality ulta', /did you mean ultra\?/],
    ['mic quality low high', /does not take "high"/],
    ['mic mute on', /mic mute does not take "on"/],
    ['mic device', /mic device needs ID/],
    ['mic device hw:CARD=None', /no audio device "hw:CARD=None".\n.*earshot mic devices/],
    ['constructor', /no command "constructor"/],
    ['restart', /restart needs CHILD/],
    ['restart none', /no child "none"/],
    ['restart ../status', /no child/],
    ['logs --lines 0', /--lines 0: expected a whole number from 1 to 2000/],
    ['logs --lines many', /--lines many/],
  ];
  for (const [line, stderr] of usage) {
    it(`earshot ${line} is refused with exit code 2`, async () => {
      const { audio, microphone } = api.services;
      const now = () => [audio.quality(), microphone.quality(), microphone.status()];
      const before = now();
      const result = await earshot(line);
      assert.match(result.stderr, stderr);
      assert.match(result.stderr, /^(earshot: |\{"error":)/);
      assert.equal(result.stdout, '');
      assert.equal(result.code, 2);
      assert.deepEqual(now(), before);
    });
  }

  it('prints an error as JSON when asked to', async () => {
    const { stderr, code } = await earshot('audio quality turbo --json');
    assert.equal(JSON.parse(stderr).error.code, 'CLI_USAGE');
    assert.equal(code, 2);
  });

  it('tells what to do when a library is missing', async (t) => {
    const devices = api.services.audio.devices;
    t.after(() => {
      api.services.audio.devices = devices;
    });
    api.services.audio.devices = () =>
      Promise.reject(new EarshotError('AUDIO_NATIVE_MISSING', 'The module needs libopus.so.0.'));
    const { stderr, code } = await earshot('audio devices');
    assert.match(stderr, /^earshot: The module needs libopus\.so\.0\.\n.*restart audio-output/);
    assert.equal(code, 78);
  });

  it('names the cause when a change could not be kept', async (t) => {
    t.after(() => {
      api.services.beforeChange = async () => undefined;
    });
    api.services.beforeChange = () =>
      Promise.reject(new EarshotError('SETTINGS_WRITE_FAILED', 'cannot write: no space left'));
    const { stderr, code } = await earshot('audio mute on');
    assert.match(stderr, /no space left\n.*data directory/);
    assert.equal(code, 1);
  });
});

describe('earshot mic while a viewer holds it', () => {
  beforeEach(() => api.services.microphone.start({ session: 's1', takeover: true }));
  afterEach(() => api.services.microphone.stop({}));

  it('shows who, whether the host hears it, level, delay, target and what is concealed', async () => {
    const parts = [
      /^Microphone +held by s1 for \d+ ms, live$/m,
      /^Device +hw:CARD=UAC1Gadget \(open\)$/m,
      /^Level +peak -9\.5 dBFS, RMS -21\.3 dBFS$/m,
      /^Delay +41\.5 ms, 95 % within 48\.0 ms; buffer 32\.5 ms, target 30\.0 ms$/m,
      /^Concealed +3\.0 % of what was played \(FEC 1\.0 %, PLC 2\.0 %\)$/m,
    ];
    for (const line of ['mic', 'mic status', 'status', 'stats']) {
      const { stdout, code } = await earshot(line);
      assert.equal(code, 0);
      for (const part of parts) assert.match(stdout, part, line);
    }
  });

  it('mutes, unmutes and stops', async () => {
    assert.equal((await earshot('mic mute')).stdout, 'muted\n');
    assert.match((await earshot('mic')).stdout, /held by s1 for .*, muted\n/);
    assert.equal((await earshot('mic unmute')).stdout, 'not muted\n');
    assert.equal(JSON.parse((await earshot('mic mute --json')).stdout).muted, true);
    await earshot('mic stop');
    assert.equal(api.services.microphone.status().holder, null);
  });

  it('says that no sound arrives', async () => {
    api.services.microphone.setConnected(false);
    assert.match((await earshot('mic')).stdout, /held by s1 for .*, no sound arrives\n/);
  });

  it('resets while its holder keeps it', async () => {
    assert.equal((await earshot('mic reset')).code, 0);
    assert.equal(api.services.microphone.status().holder?.session, 's1');
  });
});

describe('earshot mic while nobody holds it', () => {
  for (const word of ['mute', 'unmute']) {
    it(`does not ${word}, and says what to do`, async () => {
      const { stderr, code } = await earshot(`mic ${word}`);
      assert.match(stderr, /^earshot: Nobody holds the microphone.*\n.*in the page/);
      assert.equal(code, 1);
    });
  }

  it('says when its process does not run', async (t) => {
    const { childStats } = api.services.microphone;
    t.after(() => {
      api.services.microphone.childStats = childStats;
    });
    api.services.microphone.childStats = undefined;
    assert.match((await earshot('mic metrics')).stdout, /The sound process is not running\.\n$/);
    assert.equal((await earshot('status')).code, 0);
  });
});

describe('earshot logs', () => {
  it('prints the last lines for people, or as they are', async () => {
    api.services.log.write(
      '{"level":"info","time":"T","role":"main","msg":"one"}\n{"msg":"two"}\n',
    );
    const text = await earshot('logs --lines 2');
    assert.equal(text.stdout, 'T INFO   main  one\n INFO     two\n');
    assert.equal((await earshot('logs -n 1 --json')).stdout, '{"msg":"two"}\n');
  });

  it('follows until it is interrupted', async () => {
    const run = new Run(['logs', '--follow', '-n', '1', '--json'], { EARSHOT_SOCKET: api.socket });
    await waitFor('the old line', () => run.stdout.endsWith('\n'));
    api.services.log.write('{"msg":"é new"}\n');
    await waitFor('the new line', () => run.stdout.endsWith('{"msg":"é new"}\n'));
    run.interrupt();
    assert.equal(await run.done, 0);
    assert.equal(run.stderr, '');
  });
});

describe('the executable', () => {
  const program = fileURLToPath(new URL('../../src/earshot.ts', import.meta.url));
  const start = (...argv: string[]) =>
    spawn(process.execPath, [program, ...argv], {
      env: { PATH: process.env['PATH'], EARSHOT_SOCKET: api.socket },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  it('ends with the exit code of the command', async () => {
    for (const [argv, expected] of [
      [['version'], 0],
      [['frobnicate'], 2],
      [['status', '--socket', '/nonexistent'], 69],
    ] as const) {
      const child = start(...argv);
      child.stdout.resume();
      child.stderr.resume();
      const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
      assert.equal(code, expected, argv.join(' '));
    }
  });

  it('ends quietly when nobody reads on (earshot logs --follow | head)', async (t) => {
    const child = start('logs', '--follow', '-n', '1');
    t.after(() => child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
    await once(child.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
    child.stdout.destroy();
    const [code] = await Promise.race([
      exited,
      waitFor('the command to notice', () => {
        api.services.log.write('{"msg":"more"}\n');
        return child.exitCode !== null && [child.exitCode];
      }),
    ]);
    assert.equal(code, 0);
    assert.equal(stderr, '');
  });
});

describe('earshot stats --watch', () => {
  it('prints one line of JSON a second, with rates, until it is interrupted', async () => {
    const run = new Run(['stats', '--watch', '--json'], { EARSHOT_SOCKET: api.socket });
    await waitFor('two lines', () => run.stdout.split('\n').length > 2);
    run.interrupt();
    assert.equal(await run.done, 0);
    const [line = ''] = run.stdout.split('\n');
    const { rates, uptimeMs } = JSON.parse(line);
    assert.deepEqual(rates.sessions, { s1: { packetsPerS: 0, bitsPerS: 0 } });
    assert.equal(rates.xrunsPerS, 0);
    assert.deepEqual(rates.microphone, {
      packetsPerS: 0,
      bitsPerS: 0,
      xrunsPerS: 0,
      concealedShare: 0,
    });
    assert.ok(uptimeMs > 0);
  });

  it('draws over itself on a terminal only', async () => {
    for (const isTTY of [true, false]) {
      const run = new Run(['stats', '-w'], { EARSHOT_SOCKET: api.socket, NO_COLOR: '1' }, isTTY);
      await waitFor('a picture', () => /^Microphone per second: 0 packets/m.test(run.stdout));
      run.interrupt();
      assert.equal(await run.done, 0);
      assert.equal(run.stdout.startsWith('\u001b[H\u001b[J'), isTTY);
    }
  });
});

describe('the control socket from the command’s side', () => {
  let root = '';
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'earshot-cli-'));
  });
  after(() => rm(root, { recursive: true }));

  it('takes --socket before EARSHOT_SOCKET', async () => {
    const { code } = await earshot(`status --socket ${api.socket}`, '/nonexistent');
    assert.equal(code, 0);
  });

  it('says that nobody is there', async () => {
    const file = join(root, 'file');
    await writeFile(file, '');
    for (const path of [join(root, 'none.sock'), file]) {
      const { code, stderr, stdout } = await earshot('status', path);
      assert.equal(code, 69);
      assert.equal(stdout, '');
      assert.match(stderr, /No Earshot answers on .*EARSHOT_SOCKET/);
      assert.ok(stderr.includes(path));
    }
  });

  const strange: [name: string, answer: string, stderr: RegExp][] = [
    ['hangs up', '', /did not answer/],
    ['is no HTTP server', 'SSH-2.0-hello\r\n', /did not answer/],
    ['sends no JSON', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi', /cannot be read/],
    ['sends other JSON', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}', /does not understand/],
    ['fails without a reason', 'HTTP/1.1 500 X\r\ncontent-length: 2\r\n\r\n{}', /status 500/],
    ['stops half-way', 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{', /cannot be read/],
  ];
  for (const [name, answer, stderr] of strange) {
    it(`ends with 69 when what is there ${name}`, async (t) => {
      const path = join(root, `${name.replaceAll(' ', '-')}.sock`);
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(answer));
      }).listen(path);
      t.after(() => server.close());
      await once(server, 'listening');
      const result = await earshot('status', path);
      assert.match(result.stderr, stderr);
      assert.equal(result.code, 69);
    });
  }

  it('does not wait for ever', async (t) => {
    const path = join(root, 'silent.sock');
    const server = createServer((socket) => socket.on('error', () => undefined)).listen(path);
    t.after(() => server.close());
    await once(server, 'listening');
    const client = new ControlClient({ socket: path, answerMs: 50 });
    await assert.rejects(client.get('/api/v1/status', statusSchema), {
      code: 'CLI_NO_ANSWER',
      message: /did not answer within 0\.05 s/,
    });
  });
});
