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
