import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyMessageBurst, maxQueuedKeys } from '../../../../src/control/hid/limits.ts';
import { hidBench } from '../../../fixtures/hid-bench.ts';

const none = [0, 0, 0, 0, 0, 0, 0, 0];
const position = (report: readonly number[] | undefined) => [
  report?.[0],
  (report?.[1] ?? 0) + 256 * (report?.[2] ?? 0),
];
const signed = (low = 0, high = 0) => ((low | (high << 8)) << 16) >> 16;

describe('the order of input', () => {
  it('10,000 pointer events a second lose no key', async () => {
    const { viewer, clock, host, control } = await hidBench();
    host.pollMs = 8;
    const page = viewer();
    const typed: number[] = [];
    let moves = 0;
    for (let ms = 0; ms < 1_000; ms += 1) {
      for (let each = 0; each < 10; each += 1, moves += 1) {
        page.send({ type: 'move-absolute', x: moves, y: 0 });
      }
      if (ms % 20 === 0) {
        const usage = 4 + (typed.length % 26);
        typed.push(usage);
        page.send({ type: 'key', page: 'keyboard', usage, down: true });
      }
      if (ms % 20 === 10) {
        const usage = typed.at(-1) ?? 0;
        page.send({ type: 'key', page: 'keyboard', usage, down: false });
      }
      await clock.advance(1);
    }
    await clock.advance(50);
    const reports = host.reports('keyboard').map((report) => report[2]);
    assert.deepEqual(
      reports,
      typed.flatMap((usage) => [usage, 0]),
    );
    assert.equal(page.toldOf('written').filter(({ taken }) => taken).length, 100);
    assert.deepEqual(position(host.reports('absolute').at(-1)), [0, moves - 1]);
    const written = host.reports('absolute').length;
    assert.ok(written >= 120 && written <= 126, `the pointer at the host’s rate: ${written}`);
    assert.equal(control.status().counts.pointerEvents, 10_000);
    assert.equal(control.status().counts.dropped, 0);
  });

  it('sums the mouse’s steps, and parts what a report cannot hold', async () => {
    const { viewer, clock, host } = await hidBench();
    host.pollMs = 8;
    const page = viewer();
    for (let each = 0; each < 10; each += 1) {
      page.send({ type: 'move-relative', dx: 20_000, dy: -3 });
    }
    await clock.advance(100);
    const reports = host.reports('relative');
    const sum = (at: number) =>
      reports.reduce((all, report) => all + signed(report[at], report[at + 1]), 0);
    assert.deepEqual([sum(1), sum(3)], [200_000, -30]);
    assert.equal(reports.length, 1 + Math.ceil(180_000 / 32_767));
  });

  it('keeps a button after the motion before it and before the motion after it', async () => {
    const { viewer, clock, host } = await hidBench();
    host.pollMs = 8;
    const page = viewer();
    const move = (dx: number) => page.send({ type: 'move-relative', dx, dy: 0 });
    const button = (mask: number) =>
      page.send({ type: 'button', mode: 'relative', mask, x: 0, y: 0 });
    for (const dx of [1, 2, 3]) move(dx);
    button(1);
    for (const dx of [10, 20]) move(dx);
    button(0);
    move(100);
    await clock.advance(100);
    assert.deepEqual(
      host.reports('relative').map(([buttons, low, high]) => [buttons, signed(low, high)]),
      [
        [0, 1],
        [0, 5],
        [1, 0],
        [1, 30],
        [0, 0],
        [0, 100],
      ],
    );
  });

  it('presses a button where it was pressed, whatever motion came first', async () => {
    const { viewer, clock, host } = await hidBench();
    const page = viewer();
    page.send({ type: 'move-absolute', x: 50, y: 0 });
    await clock.advance(5);
    page.send({ type: 'move-absolute', x: 90, y: 0 });
    page.send({ type: 'button', mode: 'absolute', mask: 1, x: 60, y: 0 }, 'keys', 2);
    page.send({ type: 'move-absolute', x: 55, y: 0 }, 'pointer', 3);
    await clock.settle();
    const reports = host.reports('absolute').map(position);
    assert.deepEqual(reports.slice(-2), [
      [1, 60],
      [1, 90],
    ]);
  });

  it('keeps a key before the button that came after it, and the other way round', async () => {
    const { viewer, clock, host } = await hidBench();
    host.pollMs = 8;
    const page = viewer();
    page.key('ctrl', true);
    page.send({ type: 'button', mode: 'absolute', mask: 1, x: 1, y: 1 });
    page.send({ type: 'button', mode: 'absolute', mask: 0, x: 1, y: 1 });
    page.key('ctrl', false);
    await clock.advance(50);
    assert.deepEqual(
      host.taken.map(({ kind, report }) => [kind, report[0]]),
      [
        ['keyboard', 1],
        ['absolute', 1],
        ['absolute', 0],
        ['keyboard', 0],
      ],
    );
  });

  it('does not let a host without a pointer hold up keys', async () => {
    const { viewer, clock, host, aliveFor } = await hidBench();
    host.held.add('absolute');
    host.held.add('relative');
    const page = viewer();
    page.send({ type: 'move-absolute', x: 1, y: 1 });
    page.key('a', true);
    page.key('a', false);
    await clock.settle();
    assert.equal(host.reports('keyboard').length, 2);
    page.send({ type: 'button', mode: 'absolute', mask: 1, x: 1, y: 1 });
    page.key('b', true);
    await aliveFor(page, 250);
    assert.equal(host.reports('keyboard').at(-1)?.[2], 5);
    const button = page.toldOf('written').find(({ of }) => of === 2);
    assert.equal(button?.taken, false);
  });

  it('does not let one kind of report that is not taken spoil another', async () => {
    const { viewer, clock, host, keyboard, aliveFor } = await hidBench();
    for (const kind of ['relative', 'consumer', 'system'] as const) host.held.add(kind);
    const page = viewer();
    page.send({ type: 'wheel', vertical: 120, horizontal: 0 });
    page.key('mute', true);
    page.key('a', true);
    page.key('mute', false);
    page.key('b', true);
    await aliveFor(page, 200);
    assert.deepEqual(keyboard().slice(2, 4), [4, 5]);
    page.send({ type: 'button', mode: 'absolute', mask: 1, x: 1, y: 1 });
    page.send({ type: 'release' });
    page.key('c', true);
    await clock.settle();
    assert.deepEqual(keyboard(), [0, 0, 6, 0, 0, 0, 0, 0]);
    assert.deepEqual(
      host.reports('absolute').map(([buttons]) => buttons),
      [1, 0],
    );
    assert.deepEqual(
      page
        .toldOf('written')
        .map(({ of, taken }) => [of, taken])
        .sort(),
      [
        [0, false],
        [1, false],
        [2, true],
        [3, false],
        [4, true],
        [5, true],
        [7, true],
      ],
    );
  });

  it('tells a host that did not take keys only what holds when it does', async () => {
    const { viewer, clock, host, aliveFor } = await hidBench();
    host.hold(true);
    const page = viewer();
    for (const name of 'abc') {
      page.key(name, true);
      page.key(name, false);
    }
    page.key('shift', true);
    await aliveFor(page, 300, 2);
    assert.deepEqual(
      page.toldOf('written').map(({ taken }) => taken),
      Array(7).fill(false),
    );
    host.hold(false);
    await aliveFor(page, 1_500, 2);
    assert.deepEqual(host.reports('keyboard'), [[2, 0, 0, 0, 0, 0, 0, 0]]);
    page.key('d', true);
    await clock.settle();
    assert.deepEqual(host.reports('keyboard').at(-1), [2, 0, 7, 0, 0, 0, 0, 0]);
  });

  it('drops all of a viewer that sends more keys than wait, and releases them', async () => {
    const { viewer, clock, host, control, keyboard } = await hidBench();
    host.pollMs = 8;
    const page = viewer();
    for (let turn = 0; turn <= maxQueuedKeys; turn += 1) page.key('a', turn % 2 === 0);
    assert.deepEqual(page.notices(), ['overflow']);
    await clock.advance(50);
    assert.deepEqual(keyboard(), none);
    assert.equal(control.status().counts.overflows, 1);
    assert.equal(control.status().counts.dropped, maxQueuedKeys);
    page.key('b', true);
    await clock.advance(8);
    assert.equal(keyboard()[2], 5, 'and takes the next');
  });

  it('bounds the keys a second, tells it once, and leaves nothing held', async () => {
    const { viewer, clock, control, keyboard } = await hidBench();
    const page = viewer();
    for (let turn = 0; turn < keyMessageBurst; turn += 1) {
      page.key('a', turn % 2 === 0);
      if (turn % 100 === 99) await clock.settle();
    }
    page.key('b', true);
    page.key('c', true);
    await clock.settle();
    assert.deepEqual(page.notices(), ['overflow']);
    assert.deepEqual(keyboard(), none);
    assert.equal(control.status().counts.overflows, 2);
    await clock.advance(1_000);
    page.key('b', true);
    await clock.settle();
    assert.equal(keyboard()[2], 5);
  });

  it('answers no more pongs than a viewer needs', async () => {
    const { viewer } = await hidBench();
    const page = viewer();
    for (let each = 0; each < 1_000; each += 1) page.alive(0, 0);
    assert.equal(page.toldOf('pong').length, 128);
  });
});
