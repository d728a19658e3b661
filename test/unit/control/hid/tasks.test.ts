import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HidStatus } from '../../../../src/control/hid/hid-status.ts';
import { isEarshotError } from '../../../../src/errors/earshot-error.ts';
import { type HidBench, hidBench } from '../../../fixtures/hid-bench.ts';

const none = [0, 0, 0, 0, 0, 0, 0, 0];

/** Lets time pass until the promise is settled, at most a minute. */
async function over<T>({ clock }: HidBench, promise: Promise<T>): Promise<T> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let ms = 0; ms < 60_000 && !settled; ms += 5) await clock.advance(5);
  assert.ok(settled, 'it did not end');
  return promise;
}

/** Modifiers and first key of the keyboard reports so far. */
const strokes = ({ host }: HidBench) =>
  host.reports('keyboard').map((report) => [report[0], report[2]]);

describe('typing a text', () => {
  it('presses each character, with modifiers only where they change', async () => {
    const bench = await hidBench();
    const { characters } = await over(bench, bench.control.type('aAB\n'));
    assert.equal(characters, 4);
    assert.deepEqual(strokes(bench), [
      [0, 4],
      [0, 0],
      [2, 0],
      [2, 4],
      [2, 0],
      [2, 5],
      [2, 0],
      [0, 0],
      [0, 0x28],
      [0, 0],
    ]);
    assert.equal(bench.control.status().task, null);
  });

  it('lets go the last modifiers', async () => {
    const bench = await hidBench();
    await over(bench, bench.control.type('@', { layout: 'de' }));
    assert.deepEqual(strokes(bench), [
      [0x40, 0],
      [0x40, 0x14],
      [0x40, 0],
      [0, 0],
    ]);
    await over(bench, bench.control.type('é', { layout: 'de' }));
    assert.deepEqual(strokes(bench).slice(4), [
      [0, 0x2e],
      [0, 0],
      [0, 8],
      [0, 0],
    ]);
  });

  it('keeps the pace, also over a host that is slow', async () => {
    const bench = await hidBench();
    bench.host.pollMs = 4;
    const startNs = bench.clock.nowNs();
    await over(bench, bench.control.type('x'.repeat(50), { charactersPerSecond: 25 }));
    const ms = Number(bench.clock.nowNs() - startNs) / 1e6;
    assert.ok(ms >= 49 * 40 && ms <= 51 * 40, `${ms}`);
  });

  it('sends nothing of a text that cannot be typed', async () => {
    const bench = await hidBench();
    await assert.rejects(bench.control.type('abc€'), (error) => {
      assert.ok(isEarshotError(error, 'HID_TEXT_UNTYPABLE'));
      assert.deepEqual(error.details['characters'], ['€']);
      return true;
    });
    assert.deepEqual(bench.host.taken, []);
    assert.deepEqual(bench.control.check('ab€\r\n'), { characters: 4, untypable: ['€'] });
    assert.deepEqual(bench.control.check('€', 'de').untypable, []);
  });

  it('refuses a layout, a pace or a length that is not allowed', async () => {
    const { control } = await hidBench();
    const invalid = { code: 'HID_INVALID' };
    const layout: never = 'klingon' as never;
    await assert.rejects(control.type('a', { layout }), invalid);
    await assert.rejects(control.type('a', { charactersPerSecond: 0 }), invalid);
    await assert.rejects(control.type('a', { charactersPerSecond: 201 }), invalid);
    await assert.rejects(control.type('a', { charactersPerSecond: Number.NaN }), invalid);
    await assert.rejects(control.type('a'.repeat(10_001)), { code: 'HID_TEXT_TOO_LONG' });
    assert.throws(() => control.check('a', layout), invalid);
  });

  it('is one at a time, and tells how far it is', async () => {
    const bench = await hidBench();
    const { control, clock } = bench;
    const told: HidStatus[] = [];
    control.on('status', (status) => told.push(status));
    const page = bench.viewer();
    const first = control.type('x'.repeat(50));
    await clock.advance(500);
    const task = control.status().task;
    assert.equal(task?.kind, 'text');
    assert.equal(task.name, '', 'what is typed is nobody else’s business');
    assert.equal(task.total, 50);
    assert.ok(task.done >= 24 && task.done <= 27);
    await assert.rejects(control.type('y'), { code: 'HID_BUSY' });
    await assert.rejects(control.press('ctrl+c'), { code: 'HID_BUSY' });
    await over(bench, first);
    const progress = told.filter((status) => status.task !== null);
    assert.ok(progress.length >= 3 && progress.length <= 7, `${progress.length} events`);
    assert.equal(told.at(-1)?.task, null);
    assert.deepEqual(page.notices(), ['task-done']);
  });

  it('is stopped at once, with its keys up', async () => {
    const bench = await hidBench();
    const { control, clock, host } = bench;
    const page = bench.viewer();
    host.pollMs = 4;
    const typing = control.type('X'.repeat(100));
    await clock.advance(206);
    assert.equal(control.stopTask(), true);
    await assert.rejects(over(bench, typing), { code: 'HID_STOPPED' });
    await clock.advance(8);
    assert.deepEqual(bench.keyboard(), none);
    const count = host.taken.length;
    await clock.advance(1_000);
    assert.equal(host.taken.length, count);
    assert.equal(control.stopTask(), false);
    assert.deepEqual(page.notices(), ['task-stopped']);
    assert.equal(clock.pending, 0);
  });

  it('ends when the host goes, and says so', async () => {
    const bench = await hidBench();
    const typing = bench.control.type('x'.repeat(100));
    await bench.clock.advance(205);
    bench.host.become('detached', 'the cable is out');
    await assert.rejects(over(bench, typing), {
      code: 'HID_NO_HOST',
      message: 'No host takes keys now (detached): the cable is out.',
    });
    assert.equal(bench.control.status().task, null);
    await assert.rejects(bench.control.type('x'), { code: 'HID_NO_HOST' });
  });

  it('ends when the host does not take a key, with everything up once it does', async () => {
    const bench = await hidBench();
    const typing = bench.control.type('X'.repeat(100));
    await bench.clock.advance(205);
    bench.host.hold(true);
    await assert.rejects(over(bench, typing), { code: 'HID_NOT_TAKEN' });
    bench.host.hold(false);
    await bench.clock.advance(1_500);
    assert.deepEqual(bench.keyboard(), none);
  });

  it('is not bent by what a viewer holds', async () => {
    const bench = await hidBench();
    bench.viewer().key('ctrl', true);
    await bench.clock.settle();
    await over(bench, bench.control.type('v'));
    assert.deepEqual(strokes(bench), [
      [1, 0],
      [0, 0],
      [0, 0x19],
      [0, 0],
    ]);
  });

  it('turns Caps Lock off for its time', async () => {
    const bench = await hidBench();
    bench.host.emit('leds', 0b10);
    await over(bench, bench.control.type('a'));
    const keys = strokes(bench).map(([, key]) => key);
    assert.deepEqual(keys, [0x39, 0, 4, 0, 0x39, 0]);
  });

  it('wakes a sleeping host first, where input may', async () => {
    const bench = await hidBench();
    bench.host.become('suspended');
    await over(bench, bench.control.type('a'));
    assert.equal(bench.host.wakes, 1);
    const asleep = await hidBench({ wakeOnInput: false });
    asleep.host.become('suspended');
    await assert.rejects(asleep.control.type('a'), { code: 'HID_NO_HOST' });
    assert.equal(await asleep.control.wake(), true);
  });
});

describe('pressing a combination', () => {
  it('goes down in order, stays, and up in the opposite order', async () => {
    const bench = await hidBench();
    await over(bench, bench.control.press('ctrl+alt+del'));
    assert.deepEqual(strokes(bench), [
      [1, 0],
      [5, 0],
      [5, 0x4c],
      [5, 0],
      [1, 0],
      [0, 0],
    ]);
  });

  it('reaches media and system keys', async () => {
    const bench = await hidBench();
    await over(bench, bench.control.press('mute'));
    await over(bench, bench.control.press('power'));
    assert.deepEqual(bench.host.reports('consumer'), [
      [0xe2, 0],
      [0, 0],
    ]);
    assert.deepEqual(bench.host.reports('system'), [[1], [0]]);
  });

  it('waits for the one before, and no more than 16 wait', async () => {
    const bench = await hidBench();
    const presses = Array.from({ length: 17 }, () => bench.control.press('a'));
    const last = presses.pop();
    assert.ok(last);
    await assert.rejects(last, { code: 'HID_BUSY' });
    await over(bench, Promise.all(presses));
    assert.deepEqual(
      strokes(bench),
      Array.from({ length: 32 }, (_, index) => [0, index % 2 === 0 ? 4 : 0]),
    );
  });

  it('does nothing for a key there is none of, and without a host', async () => {
    const { control, host } = await hidBench();
    await assert.rejects(control.press('ctrl+foo'), { code: 'HID_KEY_UNKNOWN' });
    host.become('detached');
    await assert.rejects(control.press('ctrl+c'), { code: 'HID_NO_HOST' });
    assert.deepEqual(host.taken, []);
  });
});

describe('macros', () => {
  const lock = { name: 'lock', steps: [{ press: 'win+l' }] };

  it('are kept, replaced by name and removed', async () => {
    const { control, settings } = await hidBench();
    const told: string[][] = [];
    control.on('macros', (macros) => told.push(macros.map(({ name }) => name)));
    await control.saveMacro(lock);
    await control.saveMacro({ name: 'go', steps: [{ waitMs: 5 }] });
    await control.saveMacro({ name: 'lock', steps: [{ press: 'ctrl+alt+l' }] });
    assert.deepEqual(
      settings().macros.map(({ name }) => name),
      ['go', 'lock'],
    );
    assert.deepEqual(control.macros(), settings().macros);
    await control.removeMacro('go');
    assert.deepEqual(told, [['lock'], ['go', 'lock'], ['go', 'lock'], ['lock']]);
    await assert.rejects(control.removeMacro('lokc'), /did you mean "lock"\?/i);
    await assert.rejects(control.runMacro('go'), { code: 'HID_MACRO_UNKNOWN' });
  });

  it('run their steps one after another', async () => {
    const bench = await hidBench();
    await bench.control.saveMacro({
      name: 'all',
      steps: [
        { press: 'ctrl+c' },
        { waitMs: 100 },
        { hold: 'shift', ms: 200 },
        { text: 'zß', layout: 'de' },
      ],
    });
    const running = bench.control.runMacro('all');
    await bench.clock.advance(50);
    assert.deepEqual(bench.control.status().task, {
      kind: 'macro',
      name: 'all',
      done: 1,
      total: 4,
    });
    await over(bench, running);
    assert.deepEqual(strokes(bench), [
      [1, 0],
      [1, 6],
      [1, 0],
      [0, 0],
      [2, 0],
      [0, 0],
      [0, 0x1c],
      [0, 0],
      [0, 0x2d],
      [0, 0],
    ]);
  });

  it('can be stopped in a wait, and while keys are held', async () => {
    const bench = await hidBench();
    await bench.control.saveMacro({ name: 'long', steps: [{ hold: 'ctrl+a', ms: 9_000 }] });
    const running = bench.control.runMacro('long');
    await bench.clock.advance(100);
    assert.deepEqual(bench.keyboard(), [1, 0, 4, 0, 0, 0, 0, 0]);
    bench.control.release();
    await assert.rejects(over(bench, running), /The macro "long" was stopped after 0 of 1 steps/);
    await bench.clock.settle();
    assert.deepEqual(bench.keyboard(), none);
  });

  it('are refused with the step that is wrong', async () => {
    const { control } = await hidBench();
    const refused = (macro: unknown, message: RegExp) =>
      assert.rejects(control.saveMacro(macro), { code: 'HID_MACRO_INVALID', message });
    await refused({ name: 'Lock it', steps: [{ press: 'a' }] }, /name/);
    await refused({ name: 'a', steps: [] }, /steps/);
    await refused({ name: 'a' }, /steps/);
    await refused('a', /not allowed/);
    await refused({ name: 'a', steps: Array(101).fill({ press: 'a' }) }, /steps/);
    await refused({ name: 'a', steps: [{ press: 'a' }, { press: 'crtl' }] }, /steps\[1\].*"ctrl"/);
    await refused({ name: 'a', steps: [{ text: '€', layout: 'us' }] }, /steps\[0\].*€/);
    await refused(
      { name: 'a', steps: [{ waitMs: 10_001 }] },
      /steps\[0\]\.waitMs: 10001 is not allowed; expected a whole number from 1 to 10000/,
    );
    await refused({ name: 'a', steps: [{ waitMs: 5, press: 'a' }] }, /expected a step: \{press\}/);
    await refused({ name: 'a', steps: [{ press: 'a' }, null] }, /steps\[1\]: .* a step/);
    await refused(
      { name: 'a', steps: [{ text: 'a', layout: 'klingon' }, { hold: 'a' }] },
      /steps\[0\]\.layout: klingon.*us, uk, de.*steps\[1\]\.ms: is missing/s,
    );
    await refused({ name: 'a', steps: Array(7).fill({ waitMs: 9_000 }) }, /63000 ms/);
    await refused({ name: 'a', steps: Array(4).fill({ text: 'x'.repeat(900) }) }, /72000 ms/);
    assert.deepEqual(control.macros(), []);
  });

  it('are at most 32', async () => {
    const { control } = await hidBench();
    for (let each = 0; each < 32; each += 1) {
      await control.saveMacro({ ...lock, name: `lock-${each}` });
    }
    await assert.rejects(control.saveMacro(lock), { code: 'HID_MACRO_INVALID' });
    await control.saveMacro({ ...lock, name: 'lock-0' });
  });

  it('type nothing when a text of theirs cannot be typed by the layout that is set', async () => {
    const { control, host } = await hidBench();
    await control.saveMacro({ name: 'a', steps: [{ press: 'a' }, { text: 'ß' }] });
    await assert.rejects(control.runMacro('a'), { code: 'HID_TEXT_UNTYPABLE' });
    assert.deepEqual(host.taken, []);
  });
});

describe('the settings', () => {
  it('keep the layout', async () => {
    const { control, settings } = await hidBench();
    assert.equal(control.status().layout, 'us');
    assert.equal(await control.setLayout('ch-fr'), 'ch-fr');
    assert.equal(settings().layout, 'ch-fr');
    assert.deepEqual(control.check('é').untypable, []);
    await assert.rejects(control.setLayout('xx' as never), { code: 'HID_INVALID' });
  });

  it('of two changes at once lose none', async () => {
    const { control, settings } = await hidBench();
    await Promise.all([control.setLayout('de'), control.setJiggler({ seconds: 30 })]);
    assert.equal(settings().layout, 'de');
    assert.deepEqual(settings().jiggler, { enabled: false, seconds: 30 });
  });
});

describe('the jiggler', () => {
  it('is off at first', async () => {
    const { clock, host, control } = await hidBench();
    await clock.advance(4_000_000);
    assert.deepEqual(host.taken, []);
    assert.deepEqual(control.status().jiggler, { enabled: false, seconds: 60 });
  });

  it('moves the pointer there and back when there was no input for so long', async () => {
    const { clock, host, control } = await hidBench();
    assert.deepEqual(await control.setJiggler({ enabled: true, seconds: 10 }), {
      enabled: true,
      seconds: 10,
    });
    await clock.advance(9_999);
    assert.deepEqual(host.taken, []);
    await clock.advance(1);
    assert.deepEqual(host.reports('relative'), [
      [0, 1, 0, 0, 0, 0, 0],
      [0, 255, 255, 0, 0, 0, 0],
    ]);
    await clock.advance(10_000);
    assert.equal(host.reports('relative').length, 4);
    await control.setJiggler({ enabled: false });
    await clock.advance(100_000);
    assert.equal(host.reports('relative').length, 4);
  });

  it('waits while there is input, and does nothing without a host', async () => {
    const { clock, host, control, viewer } = await hidBench({
      settings: { jiggler: { enabled: true, seconds: 10 } },
    });
    const page = viewer();
    await clock.advance(9_000);
    page.send({ type: 'move-absolute', x: 1, y: 1 });
    await clock.advance(9_000);
    assert.deepEqual(host.reports('relative'), []);
    host.become('suspended');
    await clock.advance(60_000);
    assert.equal(host.wakes, 0);
    assert.deepEqual(host.reports('relative'), []);
    await control.stop();
    assert.equal(clock.pending, 0);
  });

  it('refuses seconds that are not allowed', async () => {
    const { control } = await hidBench();
    for (const seconds of [9, 3_601, 10.5, Number.NaN]) {
      await assert.rejects(control.setJiggler({ seconds }), { code: 'HID_INVALID' });
    }
  });
});
