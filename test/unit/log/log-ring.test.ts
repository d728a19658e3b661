import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog } from '../../../src/log/log.ts';
import { LogRing } from '../../../src/log/log-ring.ts';

describe('LogRing', () => {
  it('keeps the newest lines up to its capacity, oldest first', () => {
    const ring = new LogRing({ capacity: 3 });
    assert.deepEqual(ring.recent(5), []);
    for (const line of ['1', '2']) ring.write(`${line}\n`);
    assert.deepEqual(ring.recent(5), ['1', '2']);
    for (const line of ['3', '4', '5', '6', '7']) ring.write(`${line}\n`);
    assert.deepEqual(ring.recent(5), ['5', '6', '7']);
    assert.deepEqual(ring.recent(2), ['6', '7']);
    assert.deepEqual(ring.recent(0), []);
    assert.deepEqual(ring.recent(-1), []);
  });

  it('takes several lines in one write', () => {
    const ring = new LogRing();
    ring.write('1\n2\n');
    assert.deepEqual(ring.recent(10), ['1', '2']);
  });

  it('keeps 2,000 lines unless told otherwise', () => {
    const ring = new LogRing();
    for (let i = 0; i < 2_500; i += 1) ring.write(`${i}\n`);
    const lines = ring.recent(5_000);
    assert.equal(lines.length, 2_000);
    assert.equal(lines[0], '500');
  });

  it('cuts a line that is too long, and it stays JSON', () => {
    const ring = new LogRing();
    ring.write(`${JSON.stringify({ msg: 'x'.repeat(10_000) })}\n`);
    const [line = ''] = ring.recent(1);
    assert.ok(line.length < 2_000);
    assert.equal(JSON.parse(line).msg, 'log line was too long');
  });

  it('calls followers with each new line until they leave', () => {
    const ring = new LogRing();
    const seen: string[] = [];
    ring.write('0\n');
    const listener = (line: string): void => void seen.push(line);
    const first = ring.follow(listener);
    const second = ring.follow(listener);
    ring.write('1\n');
    first();
    ring.write('2\n');
    second();
    second();
    ring.write('3\n');
    assert.deepEqual(seen, ['1', '1', '2']);
    assert.equal(ring.followers, 0);
  });

  it('hands every write on as it came', () => {
    const written: string[] = [];
    const ring = new LogRing({ capacity: 1, next: { write: (text) => void written.push(text) } });
    const log = createLog({ level: 'info', role: 'main', destination: ring });
    log.info({ child: 'audio-output' }, 'started');
    log.debug({}, 'not logged');
    log.warn({ password: 'p' }, 'second');
    assert.equal(written.length, 2);
    const [line = ''] = ring.recent(10);
    assert.equal(`${line}\n`, written[1]);
    assert.equal(JSON.parse(line).password, '[redacted]');
  });
});
