import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hidBench } from '../../../fixtures/hid-bench.ts';

const none = [0, 0, 0, 0, 0, 0, 0, 0];

describe('the dead-man rule', () => {
  it('releases all a silent viewer holds after 100 ms, not before', async () => {
    const { viewer, clock, keyboard, host, control } = await hidBench();
    const page = viewer();
    page.key('ctrl', true);
    page.key('a', true);
    page.send({ type: 'button', mode: 'absolute', mask: 3, x: 7, y: 8 });
    await clock.advance(99);
    assert.deepEqual(keyboard(), [1, 0, 4, 0, 0, 0, 0, 0]);
    await clock.advance(1);
    assert.deepEqual(keyboard(), none);
    assert.deepEqual(host.reports('absolute').at(-1), [0, 7, 0, 8, 0]);
    assert.deepEqual(page.notices(), ['dead-man']);
    assert.equal(control.status().counts.deadMan, 1);
    assert.equal(control.status().heldKeys, 0);
  });

  it('waits as long as something is heard, whatever it is', async () => {
    const { viewer, clock, keyboard, control } = await hidBench();
    const page = viewer();
    page.key('a', true);
    for (let turn = 0; turn < 20; turn += 1) {
      await clock.advance(90);
      if (turn % 2 === 0) page.alive();
      else page.send({ type: 'move-absolute', x: turn, y: 0 });
    }
    assert.equal(keyboard()[2], 4);
    assert.equal(control.status().counts.deadMan, 0);
  });

  it('does not take what is malformed or stale for a sign of life', async () => {
    const { viewer, clock, keyboard } = await hidBench();
    const page = viewer();
    page.key('a', true);
    await clock.advance(60);
    page.raw(Uint8Array.of(1, 2, 3));
    await clock.advance(40);
    assert.deepEqual(keyboard(), none);
  });

  it('leaves a silent viewer alone that holds nothing', async () => {
    const { viewer, clock, control } = await hidBench();
    const page = viewer();
    page.key('a', true);
    page.key('a', false);
    await clock.advance(10_000);
    assert.equal(control.status().counts.deadMan, 0);
    assert.deepEqual(page.notices(), []);
    assert.equal(clock.pending, 0, 'and costs no timer');
  });

  it('keeps what another viewer holds', async () => {
    const { viewer, clock, keyboard, aliveFor } = await hidBench();
    const silent = viewer('s1');
    const other = viewer('s2');
    silent.key('shift', true);
    silent.key('a', true);
    other.key('a', true);
    await aliveFor(other, 200);
    assert.deepEqual(keyboard(), [0, 0, 4, 0, 0, 0, 0, 0]);
    other.key('a', false);
    await clock.settle();
    assert.deepEqual(keyboard(), none);
  });

  it('brings modifiers back with a later alive, never keys or buttons', async () => {
    const { viewer, clock, keyboard, host, aliveFor } = await hidBench();
    const page = viewer();
    page.key('ctrl', true);
    page.key('a', true);
    page.send({ type: 'button', mode: 'absolute', mask: 1, x: 0, y: 0 });
    await clock.advance(150);
    assert.deepEqual(keyboard(), none);
    await aliveFor(page, 100, 0x01);
    assert.deepEqual(keyboard(), [1, 0, 0, 0, 0, 0, 0, 0]);
    assert.equal(host.reports('absolute').at(-1)?.[0], 0);
    page.key('ctrl', false);
    await clock.settle();
    assert.deepEqual(keyboard(), none);
    page.alive(0x01);
    await clock.settle();
    assert.deepEqual(keyboard(), none, 'once, not whenever one says so');
  });

  it('watches over modifiers that come back, also while the host is busy', async () => {
    const { viewer, clock, keyboard, host } = await hidBench();
    const page = viewer('s1');
    page.key('ctrl', true);
    await clock.advance(150);
    host.pollMs = 8;
    const other = viewer('s2');
    other.key('a', true);
    other.key('a', false);
    page.alive(0x01);
    await clock.advance(30);
    assert.deepEqual(keyboard(), [1, 0, 0, 0, 0, 0, 0, 0]);
    await clock.advance(100);
    assert.deepEqual(keyboard(), none);
  });

  it('does not bring back a modifier by an alive older than its last key', async () => {
    const { viewer, clock, keyboard } = await hidBench();
    const page = viewer();
    page.key('ctrl', true);
    await clock.advance(150);
    page.key('ctrl', false);
    page.send({ type: 'alive', modifiers: 1, held: 1 }, 'pointer', 20);
    await clock.settle();
    assert.deepEqual(keyboard(), none);
  });

  it('releases on `release`, after what was sent before it', async () => {
    const { viewer, clock, host } = await hidBench();
    host.pollMs = 2;
    const page = viewer();
    page.key('a', true);
    page.key('a', false);
    page.key('shift', true);
    page.send({ type: 'release' });
    await clock.advance(20);
    assert.deepEqual(
      host.reports('keyboard').map((report) => [report[0], report[2]]),
      [
        [0, 4],
        [0, 0],
        [2, 0],
        [0, 0],
      ],
    );
    page.alive(2);
    await clock.settle();
    assert.equal(host.reports('keyboard').length, 4, 'what was released on purpose stays up');
  });

  it('releases within 100 ms of `release` however much waits for a slow host', async () => {
    const { viewer, clock, host, keyboard, control } = await hidBench();
    host.pollMs = 10;
    const page = viewer();
    page.key('shift', true);
    for (let turn = 0; turn < 100; turn += 1) page.key('a', turn % 2 === 0);
    page.send({ type: 'release' });
    await clock.advance(50);
    assert.equal(control.status().heldKeys, 0);
    await clock.advance(20);
    assert.deepEqual(keyboard(), none);
    assert.ok(control.status().counts.dropped > 80);
    assert.equal(page.toldOf('written').length, 101);
  });

  it('releases when the viewer is closed', async () => {
    const { viewer, clock, keyboard, control } = await hidBench();
    const page = viewer();
    page.key('a', true);
    await clock.settle();
    page.close();
    page.close();
    page.key('b', true);
    await clock.settle();
    assert.deepEqual(keyboard(), none);
    assert.equal(control.status().viewers, 0);
  });

  it('releases when the host takes reports again that it did not take in time', async () => {
    const { viewer, clock, host, keyboard } = await hidBench();
    const page = viewer();
    page.key('a', true);
    await clock.settle();
    host.hold(true);
    await clock.advance(1_000);
    assert.equal(keyboard()[2], 4);
    host.hold(false);
    await clock.advance(1_200);
    assert.deepEqual(keyboard(), none);
    assert.equal(clock.pending, 0);
  });

  it('reads what was sent while the machine stood still before it takes a viewer for silent', async () => {
    const { viewer, clock, keyboard, control } = await hidBench();
    const page = viewer();
    page.key('a', true);
    await clock.advance(50);
    await clock.stall(300);
    page.alive();
    await clock.advance(20);
    assert.equal(keyboard()[2], 4);
    await clock.advance(100);
    assert.deepEqual(keyboard(), none);
    assert.equal(control.status().counts.deadMan, 1);
  });

  it('leaves no button held that waited behind a key the host did not take', async () => {
    const { viewer, clock, host, control } = await hidBench();
    host.held.add('keyboard');
    const page = viewer();
    page.key('a', true);
    page.send({ type: 'button', mode: 'absolute', mask: 1, x: 0, y: 0 });
    await clock.advance(60);
    page.close();
    await clock.advance(45);
    host.held.delete('keyboard');
    await clock.advance(1_500);
    const { heldKeys, heldButtons } = control.status();
    assert.deepEqual({ heldKeys, heldButtons }, { heldKeys: 0, heldButtons: 0 });
    assert.equal(clock.pending, 0);
  });
});
