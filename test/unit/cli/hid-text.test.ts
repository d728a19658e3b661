import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hidText, taskText } from '../../../src/cli/hid-text.ts';
import { InMemoryHid } from '../../fixtures/in-memory-hid.ts';

const io = { stdout: { write: () => true }, stderr: { write: () => true }, env: {} };

function text(changes: object): string {
  const status = new InMemoryHid(() => undefined).status();
  return hidText({ ...status, layouts: [...status.layouts], ...changes }, io);
}

describe('keyboard and mouse for people', () => {
  it('names the host, why it is not there, and what it lights', () => {
    assert.match(text({}), /^Host +attached\nLEDs +num\n/);
    const dark = { num: false, caps: false, scroll: false, compose: false, kana: false };
    const gone = text({ host: 'detached', reason: 'Nobody \u001b[2J is there.', leds: dark });
    assert.match(gone, /^Host +detached: Nobody \?\[2J is there\.\nLEDs +none lit\n/);
  });

  it('tells the delay, or that it is unknown, and what was lost', () => {
    assert.match(
      text({}),
      /Delay +3\.5 ms from event to report, 95 % within 7\.3 ms, at most 20\.0 ms/,
    );
    assert.match(text({ latencyMs: null }), /Delay +unknown\n/);
    assert.match(text({}), /Faults +14 reports not taken, 17 dropped, 18 times released/);
    assert.match(text({ jiggler: { enabled: true, seconds: 45 } }), /Jiggler +every 45 s\n/);
  });

  it('tells how far a text or a macro is', () => {
    assert.equal(taskText(null), 'nothing');
    const task = { kind: 'text', name: '', done: 3, total: 20 } as const;
    assert.equal(taskText(task), 'a text, 3 of 20 characters');
    const macro = { ...task, kind: 'macro', name: 'lock', total: 1, done: 0 } as const;
    assert.equal(taskText(macro), 'the macro lock, 0 of 1 step');
  });
});
