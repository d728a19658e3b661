import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logText } from '../../../src/cli/log-text.ts';

const io = { stdout: { write: () => true }, stderr: { write: () => true }, env: {} };

describe('logText', () => {
  it('shows time, level, role, text and fields', () => {
    const line = JSON.stringify({
      level: 'warn',
      time: '2026-01-02T03:04:05.678Z',
      role: 'main',
      child: 'audio-output',
      code: 7,
      why: 'two words',
      msg: 'child exited',
    });
    assert.equal(
      logText(line, io),
      '2026-01-02T03:04:05.678Z WARN   main  child exited  child=audio-output  code=7  why="two words"\n',
    );
  });

  it('shows the line of a child in place of the line that carries it', () => {
    const line = JSON.stringify({
      level: 'error',
      time: 'T',
      role: 'audio-output',
      msg: 'no device',
    });
    const carried = JSON.stringify({
      level: 'info',
      role: 'main',
      child: 'audio-output',
      line,
      msg: 'child wrote',
    });
    assert.equal(logText(carried, io), 'T ERROR  audio-output  no device\n');
    const plain = JSON.stringify({
      level: 'info',
      time: 'T',
      role: 'main',
      line: 'Segfault',
      msg: 'child wrote',
    });
    assert.equal(logText(plain, io), 'T INFO   main  child wrote  line=Segfault\n');
  });

  it('shows a line that is no log line as it is', () => {
    assert.equal(logText('plain words', io), 'plain words\n');
    assert.equal(logText('[1]', io), '[1]\n');
    assert.equal(logText('{"level":7}', io), '{"level":7}\n');
  });

  it('lets no line drive the terminal', () => {
    assert.equal(logText('\u001b[2Jx', io), '?[2Jx\n');
    assert.doesNotMatch(
      logText(JSON.stringify({ msg: '\u001b]0;t\u0007', a: '\u009b' }), io),
      /\p{Cc}./u,
    );
  });

  it('colours the level on a terminal', () => {
    const terminal = { ...io, stdout: { write: () => true, isTTY: true } };
    const red = '\u001b[31mERROR\u001b[0m';
    assert.ok(logText('{"level":"error","msg":"x"}', terminal).includes(red));
    assert.ok(!logText('{"level":"info","msg":"x"}', terminal).includes('\u001b'));
  });
});
