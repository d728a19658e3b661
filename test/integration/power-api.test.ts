import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as v from 'valibot';
import { powerStatusSchema, pressAnswerSchema, wakeAnswerSchema } from '../../src/api/schema.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { ask, send, startApi, type TestApi } from '../fixtures/api-server.ts';

async function start(t: TestContext): Promise<TestApi> {
  const api = await startApi({ limits: { routeMs: 300 } });
  t.after(api.stop);
  return api;
}

async function earshot(api: TestApi, ...argv: readonly string[]) {
  const run = { code: 0, stdout: '', stderr: '' };
  run.code = await runCli(argv, {
    stdout: {
      write: (text) => {
        run.stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        run.stderr += text;
      },
    },
    env: { EARSHOT_SOCKET: api.socket },
  });
  return run;
}

describe('the routes of the host’s power', () => {
  it('press, hold and reset', async (t) => {
    const api = await start(t);
    const press = async (path: string) => {
      const answer = await ask(api, `/api/v1/power/${path}`, { method: 'POST' });
      assert.equal(answer.status, 200, answer.text);
      return v.parse(pressAnswerSchema, answer.json);
    };
    assert.deepEqual(await press('press'), {
      press: 'short',
      confirmed: true,
      result: 'confirmed',
      led: 'on',
    });
    assert.deepEqual(await press('hold'), {
      press: 'long',
      confirmed: true,
      result: 'confirmed',
      led: 'off',
    });
    assert.equal((await press('reset')).result, 'unknown');
    const { json } = await ask(api, '/api/v1/power');
    assert.deepEqual(v.parse(powerStatusSchema, json).presses, {
      confirmed: 2,
      unconfirmed: 0,
      unknown: 1,
      failed: 0,
    });
  });

  it('may take longer than others, and one is held at a time', async (t) => {
    const api = await start(t);
    const { powerBoard } = api.services;
    powerBoard.isQuick = false;
    const first = ask(api, '/api/v1/power/hold', { method: 'POST' });
    const second = await ask(api, '/api/v1/power/reset', { method: 'POST' });
    assert.equal(second.status, 409);
    assert.match(second.text, /POWER_BUSY.*A long press is under way.*"press":"long"/);
    // Another route gives up, begun later.
    const stuck = Promise.withResolvers<void>();
    api.services.beforeChange = () => stuck.promise;
    const other = send(api, '/api/v1/audio/mute', { muted: true });
    assert.equal(await Promise.race([first, other.then(({ status }) => status)]), 504);
    stuck.resolve();
    powerBoard.release();
    assert.equal((await first).status, 200);
  });

  it('wake machines', async (t) => {
    const api = await start(t);
    const wake = async (body: unknown) => {
      const answer = await send(api, '/api/v1/power/wake', body);
      assert.equal(answer.status, 200, answer.text);
      return v.parse(wakeAnswerSchema, answer.json);
    };
    assert.deepEqual(await wake({}), { name: 'host', mac: '00:1b:44:11:3a:b7' });
    assert.deepEqual(await wake({ name: 'host' }), { name: 'host', mac: '00:1b:44:11:3a:b7' });
    assert.equal((await wake({ mac: '02:00:00:00:00:01' })).name, '');
    assert.equal(api.services.wakePackets.length, 3);
    assert.equal((await send(api, '/api/v1/power/wake', { name: 'other' })).status, 404);
    for (const body of [{ mac: '1' }, { name: 'A b' }, { host: 'x' }]) {
      assert.equal((await send(api, '/api/v1/power/wake', body)).status, 400);
    }
  });
});

describe('earshot power', () => {
  it('shows the board, presses and wakes', async (t) => {
    const api = await start(t);
    const lines: [line: string, stdout: RegExp][] = [
      ['power', /^Board +uart, ready\nPower LED +off\nDisk +12 % busy\nCan wake +host \(00:/],
      ['power press', /^confirmed: the host is on\n$/],
      ['power reset', /^unknown: nothing shows whether it took\n$/],
      ['power hold', /^confirmed: the host is off\n$/],
      ['power', /\nLast +a long press, confirmed\n/],
      ['power wake', /^sent to host \(00:1b:44:11:3a:b7\)\n$/],
      ['power wake 02:00:00:00:00:01', /^sent to 02:00:00:00:00:01\n$/],
      ['power press --json', /"result": "confirmed"/],
    ];
    for (const [line, stdout] of lines) {
      const run = await earshot(api, ...line.split(' '));
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stdout, stdout, line);
    }
  });

  it('says what is wrong', async (t) => {
    const api = await start(t);
    const { powerBoard } = api.services;
    const lines: [line: string, code: number, stderr: RegExp][] = [
      ['power wake other', 2, /There is no machine "other" to wake; there are: host\./],
      ['power push', 2, /There is no command "power push"; did you mean power press\?/],
      ['power press twice', 2, /does not take "twice"/],
    ];
    for (const [line, code, stderr] of lines) {
      const run = await earshot(api, ...line.split(' '));
      assert.equal(run.code, code, line);
      assert.match(run.stderr, stderr, line);
    }
    powerBoard.state = 'opening';
    powerBoard.reason = 'There is no /dev/ttyUSB0.';
    const away = await earshot(api, 'power', 'press');
    assert.deepEqual([away.code, away.stderr], [69, 'earshot: There is no /dev/ttyUSB0.\n']);
    assert.match((await earshot(api, 'power')).stdout, /^Board +There is no \/dev\/ttyUSB0\.\n/);
  });
});
