import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { EarshotError } from '../../src/errors/earshot-error.ts';
import { frameFlags, type MediaMessage } from '../../src/ipc/messages.ts';
import { type Subject, specOf, supervise } from '../fixtures/supervised.ts';
import { isAlive, waitFor } from '../fixtures/wait-for.ts';

let subject: Subject | undefined;

function begin(...args: Parameters<typeof supervise>): Subject {
  subject = supervise(...args);
  return subject;
}

afterEach(async () => {
  await subject?.finish();
  subject = undefined;
});

describe('a well-behaved child', () => {
  it('starts, reports what it runs with, and stops clean', async () => {
    const { child, states } = begin(specOf('well-behaved'));
    await child.start();
    assert.deepEqual(states, ['starting', 'running']);
    assert.deepEqual(child.effective, { value: 1 });
    assert.ok(await isAlive(child.status().pid ?? 0));
    await child.stop();
    assert.deepEqual(states, ['starting', 'running', 'stopping', 'stopped']);
    const status = child.status();
    assert.equal(status.lastExit, 'exit code 0 (clean exit)');
    assert.equal(status.restarts, 0);
    assert.equal(status.pid, undefined);
    assert.equal(child.effective, undefined);
  });

  it('is heard: media, stats, events, lines of standard error, CPU and memory', async () => {
    const { child } = begin(specOf('well-behaved'), { usageMs: 50 });
    const media: Pick<MediaMessage, 'type' | 'sequence'>[] = [];
    const stats: unknown[] = [];
    const events: unknown[] = [];
    const lines: string[] = [];
    child.on('media', ({ type, sequence, payload }) => {
      assert.equal(payload.toString(), 'opus');
      media.push({ type, sequence });
    });
    child.on('stats', (fields) => stats.push(fields));
    child.on('event', (event) => events.push(event));
    child.on('log', (line) => lines.push(line));
    await child.start();
    await waitFor('media', () => media.length >= 3);
    assert.deepEqual(media.slice(0, 3), [
      { type: 'opus', sequence: 0 },
      { type: 'opus', sequence: 1 },
      { type: 'opus', sequence: 2 },
    ]);
    await waitFor('stats', () => stats.length > 0);
    await waitFor('events', () => events.length > 0);
    await waitFor('lines', () => lines.length > 0);
    assert.deepEqual(stats, [{ frames: 1 }]);
    assert.deepEqual(events, [{ name: 'device-opened', data: { device: 'hw:CARD=Test' } }]);
    assert.deepEqual(lines, ['a line of the child']);
    const used = await waitFor('memory', () => child.status().rssBytes || undefined);
    assert.ok(used > 10 * 1024 * 1024 && used < 1024 * 1024 * 1024, String(used));
  });

  it('is restarted when a person asks, without counting as a crash', async () => {
    const { child, states } = begin(specOf('well-behaved'));
    await child.start();
    const before = child.status().pid;
    await child.restart();
    assert.notEqual(child.status().pid, before);
    assert.deepEqual(states.slice(2), ['stopping', 'stopped', 'starting', 'running']);
    assert.equal(child.status().restarts, 0);
  });

  it('can be stopped while it starts, and twice', async () => {
    const { child, states } = begin(specOf('well-behaved'));
    const started = child.start();
    await Promise.all([child.stop(), child.stop(), started]);
    assert.equal(child.status().state, 'stopped');
    assert.deepEqual(states, ['starting', 'stopping', 'stopped']);
  });

  it('is sent media, and not while it does not run', async () => {
    const { child } = begin(specOf('echo'));
    const frame = { type: 'opus', payload: Buffer.from('sound'), timestampNs: 5n } as const;
    assert.equal(child.sendMedia(frame), false);
    await child.start();
    const back: MediaMessage[] = [];
    child.on('media', (message) => {
      back.push({ ...message, payload: Buffer.from(message.payload) });
    });
    assert.equal(child.sendMedia({ ...frame, flags: frameFlags.keyframe }), true);
    await waitFor('the echo', () => back.length === 1);
    assert.deepEqual(back, [{ ...frame, flags: frameFlags.keyframe, sequence: 0 }]);
  });

  it('does not end when a terminal interrupts the whole process group', async () => {
    const { child, states } = begin(specOf('echo'));
    await child.start();
    process.kill(child.status().pid ?? 0, 'SIGINT');
    assert.deepEqual((await child.configure({ value: 2 })).applied, 'live');
    assert.deepEqual(states, ['starting', 'running']);
  });

  it('leaves nothing behind in the main process, however often it starts and stops', async () => {
    const { child } = begin(specOf('exit-at-once', { programArgs: ['1'] }));
    const open = () => [
      process.getActiveResourcesInfo().sort(),
      readdirSync('/proc/self/fd').length,
    ];
    await child.start();
    await child.stop();
    // The handles of processes that ended, those of earlier tests too, are freed a turn or two later.
    const settled = () => !process.getActiveResourcesInfo().includes('ProcessWrap');
    await waitFor('the handles of ended processes to be freed', settled);
    const before = open();
    for (let round = 0; round < 10; round += 1) {
      await child.start();
      await child.stop();
    }
    await waitFor('the handles of ended processes to be freed', settled);
    assert.deepEqual(open(), before);
  });

  it('gets no environment but its own and the few variables every child needs', async () => {
    process.env['EARSHOT_TEST_SECRET'] = 'secret';
    const print = 'process.exit(Object.keys(process.env).sort().join() === "OWN,PATH" ? 3 : 4)';
    const spec = specOf('well-behaved', { args: ['-e', print], env: { OWN: '1' } });
    const { PATH, LANG, TZ } = process.env;
    delete process.env['LANG'];
    delete process.env['TZ'];
    try {
      assert.ok(PATH !== undefined);
      const { child } = begin(spec);
      await child.start();
      assert.equal(child.status().lastExit, 'exit code 3');
    } finally {
      delete process.env['EARSHOT_TEST_SECRET'];
      if (LANG !== undefined) process.env['LANG'] = LANG;
      if (TZ !== undefined) process.env['TZ'] = TZ;
    }
  });
});

describe('a child that crashes', () => {
  it('is started again after a backoff, and given up at the fifth crash', async () => {
    const { child, states } = begin(specOf('exit-at-once', { programArgs: ['1'] }));
    await child.start();
    const status = await subject?.reaches('failed');
    assert.equal(states.filter((state) => state === 'starting').length, 5);
    assert.deepEqual(states.slice(-2), ['backing-off', 'failed']);
    assert.equal(status?.lastExit, 'exit code 1 (failure)');
    assert.equal(status?.restarts, 4);
  });

  it('leaves `failed` when a device appears, with its crashes forgotten', async () => {
    const { child, states, reaches } = begin(specOf('exit-at-once', { programArgs: ['1'] }));
    await child.start();
    await reaches('failed');
    states.length = 0;
    child.deviceAppeared();
    await waitFor('five more crashes', () => states.at(-1) === 'failed');
    assert.equal(states.filter((state) => state === 'starting').length, 5);
  });

  it('that ran is named by the signal that ended it', async () => {
    const { child, states } = begin(specOf('exit-later', { programArgs: ['SIGSEGV'] }));
    await child.start();
    await waitFor('its restart', () => child.status().restarts > 0);
    assert.deepEqual(states.slice(0, 4), ['starting', 'running', 'backing-off', 'starting']);
    assert.equal(child.status().lastExit, 'signal SIGSEGV (segmentation fault)');
  });

  it('is started again after an exit with 0 that nobody asked for', async () => {
    const { child } = begin(specOf('exit-later', { programArgs: ['0'] }));
    await child.start();
    await waitFor('its restart', () => child.status().restarts > 0);
  });

  it('comes back by itself after kill -9', async () => {
    const { child, reaches } = begin(specOf('well-behaved'));
    await child.start();
    const pid = child.status().pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await reaches('backing-off');
    const status = await reaches('running');
    assert.notEqual(status.pid, pid);
    assert.equal(status.restarts, 1);
    assert.equal(status.lastExit, 'signal SIGKILL (killed)');
  });

  it('is not restarted when its configuration is bad, until it gets another', async () => {
    const spec = specOf('die-in-configure', { initialConfig: { bad: true } });
    const { child, states } = begin(spec);
    await child.start();
    assert.deepEqual(states, ['starting', 'failed']);
    assert.equal(child.status().lastExit, 'exit code 78 (bad configuration)');
    const outcome = await child.configure({ bad: false });
    assert.deepEqual(outcome, { applied: 'restart', effective: { bad: false } });
  });

  it('can be stopped while it waits for its next try', async () => {
    const restart = {
      maxCrashes: 5,
      windowMs: 60_000,
      baseMs: 600_000,
      maxMs: 600_000,
      jitter: 0,
    };
    const { child, states, reaches } = begin(specOf('exit-at-once', { programArgs: ['1'] }), {
      restart,
    });
    await child.start();
    const waiting = await reaches('backing-off');
    assert.ok(waiting.retryInMs > 500_000);
    await child.stop();
    assert.deepEqual(states, ['starting', 'backing-off', 'stopped']);
  });

  it('is started again although a grandchild still holds its output', async () => {
    const { child, states } = begin(specOf('leave-grandchild'));
    const lines: string[] = [];
    child.on('log', (line) => lines.push(line));
    await child.start();
    await waitFor('its end', () => states.includes('backing-off'));
    await child.stop();
    for (const pid of lines) process.kill(Number(pid), 'SIGKILL');
    assert.ok(lines.length > 0);
    assert.equal(child.status().lastExit, 'exit code 1 (failure)');
  });

  it('cannot be spawned at all: the reason is in words', async () => {
    const { child } = begin(specOf('well-behaved', { command: '/nonexistent/earshot' }));
    await child.start();
    assert.match(child.status().lastExit, /\/nonexistent\/earshot could not be started: .*ENOENT/);
    await subject?.reaches('failed');
  });

  it('fails a restart that does not come up, and forgets the crashes before it', async () => {
    const { child, reaches } = begin(specOf('exit-at-once', { programArgs: ['69'] }));
    await child.start();
    await reaches('failed');
    await assert.rejects(child.restart(), (error) => {
      assert.ok(error instanceof EarshotError);
      assert.equal(error.code, 'CHILD_NOT_RUNNING');
      assert.equal(error.details['state'], 'backing-off', 'not failed at its first crash');
      assert.match(error.message, /exit code 69 \(something it needs is unavailable\)/);
      return true;
    });
  });
});

describe('a child that is not ready in time is killed', () => {
  for (const program of ['never-hello', 'never-ready']) {
    it(program, async () => {
      const { child } = begin(specOf(program), { readyMs: 700 });
      await child.start();
      assert.equal(child.status().state, 'backing-off');
      assert.equal(
        child.status().lastExit,
        'signal SIGKILL (killed): it was not ready within 700 ms',
      );
    });
  }
});

describe('a child that hangs', () => {
  for (const program of ['hang', 'ignore-pings']) {
    it(`is killed after three heartbeats: ${program}`, async () => {
      const { child, states } = begin(specOf(program), { heartbeatMs: 60 });
      await child.start();
      await waitFor('its end', () => states.includes('backing-off'));
      assert.equal(
        child.status().lastExit,
        'signal SIGKILL (killed): it missed 3 heartbeats of 60 ms',
      );
    });
  }

  it('is stopped by SIGTERM when it ignores stop', async () => {
    const { child } = begin(specOf('ignore-stop'), { stopTermMs: 60, stopKillMs: 10_000 });
    await child.start();
    await child.stop();
    assert.equal(child.status().lastExit, 'signal SIGTERM (terminated)');
  });

  it('is stopped by SIGKILL when it ignores SIGTERM', async () => {
    const { child } = begin(specOf('ignore-sigterm'), { stopTermMs: 60, stopKillMs: 500 });
    const lines: string[] = [];
    child.on('log', (line) => lines.push(line));
    await child.start();
    await child.stop();
    assert.equal(child.status().lastExit, 'signal SIGKILL (killed): it did not stop within 500 ms');
    assert.deepEqual(lines, ['stop ignored', 'SIGTERM ignored']);
  });
});

describe('a child that breaks the protocol', () => {
  it('by garbage: its channel is closed, it ends and is started again', async () => {
    const { child, states } = begin(specOf('garbage'));
    await child.start();
    await waitFor('its end', () => states.includes('backing-off'));
    assert.match(child.status().lastExit, /What arrived is no frame: frame magic 0xa5a5a5a5/);
  });

  it('by another version', async () => {
    const { child } = begin(specOf('wrong-version'));
    await child.start();
    assert.equal(child.status().state, 'backing-off');
    assert.match(child.status().lastExit, /frame version 0x2 is not 1/);
  });

  it('by another role', async () => {
    const { child } = begin(specOf('other-role'));
    await child.start();
    assert.match(child.status().lastExit, /it says it is video, not audio-output/);
  });

  it('by invalid messages: they are refused and logged, and it runs on', async () => {
    const { child, logLines } = begin(specOf('invalid-messages'));
    await child.start();
    assert.equal(child.status().state, 'running');
    assert.equal(child.channelStats()?.invalidMessages, 2);
    const warnings = logLines.filter(({ text }) => text === 'child sent an invalid message');
    assert.equal(warnings.length, 1, 'the second within a second is only counted');
  });

  it('by closing its channel: it is killed', async () => {
    const { child, states } = begin(specOf('close-channel'), { closeKillMs: 60 });
    await child.start();
    await waitFor('its end', () => states.includes('backing-off'));
    assert.equal(
      child.status().lastExit,
      'signal SIGKILL (killed): it closed its channel and did not end',
    );
  });
});

describe('a child that takes too much', () => {
  it('memory: it is killed and started again, as after a crash', async () => {
    const memoryLimitBytes = 200 * 1024 * 1024;
    const { child } = begin(specOf('eat-memory', { memoryLimitBytes }), { usageMs: 20 });
    await child.start();
    await waitFor('its restart', () => child.status().restarts > 0);
    assert.match(
      child.status().lastExit,
      /^signal SIGKILL \(killed\): it used \d+ MiB, over its limit of 200 MiB$/,
    );
  });

  it('of our attention: a flood leaves it supervised, its lines short and few', async () => {
    const { child } = begin(specOf('flood'));
    let frames = 0;
    let discontinuities = 0;
    const lines: string[] = [];
    child.on('media', ({ flags }) => {
      frames += 1;
      if ((flags & frameFlags.discontinuity) !== 0) discontinuities += 1;
    });
    child.on('log', (line) => lines.push(line));
    await child.start();
    await waitFor('the flood', () => frames > 20_000 && lines.length > 100);
    assert.ok(lines.every((line) => line.length <= 8_193));
    assert.ok(discontinuities > 0, 'what the child had to drop is marked');
    const { sequenceGaps = 0, framesReceived = 0 } = child.channelStats() ?? {};
    assert.ok(sequenceGaps > 0 && framesReceived >= frames);
    assert.deepEqual(await child.configure({ value: 2 }), {
      applied: 'live',
      effective: { value: 2 },
    });
  });
});

describe('configure', () => {
  it('is applied live, and is what the next process starts with', async () => {
    const { child, states } = begin(specOf('well-behaved'));
    await child.start();
    const { pid } = child.status();
    assert.deepEqual(await child.configure({ value: 2 }), {
      applied: 'live',
      effective: { value: 2 },
    });
    assert.equal(child.status().pid, pid);
    assert.deepEqual(states, ['starting', 'running']);
    await child.restart();
    assert.deepEqual(child.effective, { value: 2 });
  });

  it('waits for a child that is starting', async () => {
    const { child } = begin(specOf('well-behaved'));
    void child.start();
    assert.deepEqual(await child.configure({ value: 2 }), {
      applied: 'live',
      effective: { value: 2 },
    });
  });

  it('is kept for the next start while nothing runs', async () => {
    const { child } = begin(specOf('well-behaved'));
    assert.deepEqual(await child.configure({ value: 3 }), {
      applied: 'pending',
      effective: undefined,
    });
    await child.start();
    assert.deepEqual(child.effective, { value: 3 });
  });

  it('that the child refuses is an error, and changes nothing', async () => {
    const { child, states } = begin(specOf('refuse-configure'));
    await child.start();
    await assert.rejects(child.configure({ bad: true }), {
      code: 'CONFIG_INVALID',
      message: 'bad must not be true',
    });
    assert.deepEqual(states, ['starting', 'running']);
    assert.deepEqual(child.effective, { value: 1 });
    await child.restart();
    assert.deepEqual(child.effective, { value: 1 });
  });

  it('that fails is applied by a restart', async () => {
    const { child, states } = begin(specOf('refuse-configure'));
    await child.start();
    assert.deepEqual(await child.configure({ broken: true }), {
      applied: 'restart',
      effective: { broken: true },
    });
    assert.deepEqual(states.slice(2), ['stopping', 'stopped', 'starting', 'running']);
    assert.equal(child.status().restarts, 0);
  });

  it('that is not answered in time is applied by a restart', async () => {
    const { child } = begin(specOf('refuse-configure'), { configureMs: 100 });
    await child.start();
    assert.deepEqual(await child.configure({ silent: true }), {
      applied: 'restart',
      effective: { silent: true },
    });
  });

  it('that kills the child is applied by the restart after the crash', async () => {
    const { child } = begin(specOf('die-in-configure'));
    await child.start();
    assert.deepEqual(await child.configure({ value: 2 }), {
      applied: 'restart',
      effective: { value: 2 },
    });
    assert.equal(child.status().restarts, 1);
  });

  it('that kills the child and is refused at the restart goes back to the old one', async () => {
    const { child, reaches } = begin(specOf('die-in-configure'));
    await child.start();
    await assert.rejects(child.configure({ bad: true }), { code: 'CONFIG_INVALID' });
    await reaches('running');
    assert.deepEqual(child.effective, { value: 1 });
  });

  it('several at once are taken in order', async () => {
    const { child } = begin(specOf('well-behaved'));
    await child.start();
    const outcomes = await Promise.all([2, 3, 4].map((value) => child.configure({ value })));
    assert.deepEqual(
      outcomes.map(({ effective }) => effective),
      [{ value: 2 }, { value: 3 }, { value: 4 }],
    );
    assert.deepEqual(child.effective, { value: 4 });
  });

  it('too many at once are refused', async () => {
    const { child } = begin(specOf('well-behaved'));
    await child.start();
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, value) => child.configure({ value })),
    );
    const refused = all.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 4);
  });
});
