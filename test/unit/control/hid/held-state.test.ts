import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeldState } from '../../../../src/control/hid/held-state.ts';
import { usageOfName } from '../../../../src/control/hid/key-codes.ts';
import { maxHeldKeys } from '../../../../src/control/hid/limits.ts';

const key = (name: string) => {
  const usage = usageOfName(name);
  assert.ok(usage, name);
  return usage;
};

describe('HeldState', () => {
  it('keeps a key that two hold until both let it go', () => {
    const held = new HeldState();
    held.setKey('a', key('x'), true);
    held.setKey('b', key('x'), true);
    held.setKey('a', key('x'), false);
    assert.deepEqual([...held.keyboard()], [0, 0, 0x1b, 0, 0, 0, 0, 0]);
    held.setKey('b', key('x'), false);
    assert.deepEqual([...held.keyboard()], [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(held.owners, []);
  });

  it('reports the modifiers and keys of all', () => {
    const held = new HeldState();
    held.setKey('a', key('ctrl'), true);
    held.setKey('b', key('altgr'), true);
    held.setKey('b', key('q'), true);
    assert.deepEqual([...held.keyboard()], [0x41, 0, 0x14, 0, 0, 0, 0, 0]);
    assert.equal(held.keyCount, 3);
    assert.equal(held.modifiers, 0x41);
  });

  it('rolls over at seven keys, and back', () => {
    const held = new HeldState();
    for (const name of 'abcdefg') held.setKey('a', key(name), true);
    assert.deepEqual([...held.keyboard()], [0, 0, 1, 1, 1, 1, 1, 1]);
    held.setKey('a', key('a'), false);
    assert.deepEqual([...held.keyboard()], [0, 0, 5, 6, 7, 8, 9, 10]);
  });

  it('reports the newest consumer key, and the one before when that is up', () => {
    const held = new HeldState();
    held.setKey('a', key('mute'), true);
    held.setKey('b', key('louder'), true);
    held.setKey('a', key('play'), true);
    assert.deepEqual([...held.consumer()], [0xcd, 0]);
    held.setKey('a', key('play'), false);
    assert.deepEqual([...held.consumer()], [0xe9, 0]);
    held.release('b');
    assert.deepEqual([...held.consumer()], [0xe2, 0]);
    assert.deepEqual([...held.keyboard()], [0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('reports system keys as bits', () => {
    const held = new HeldState();
    held.setKey('a', key('power'), true);
    held.setKey('a', key('wakeup'), true);
    assert.deepEqual([...held.system()], [0b101]);
  });

  it('has a viewer’s buttons on one pointer at a time', () => {
    const held = new HeldState();
    held.setButtons('a', 'absolute', 0b1);
    held.setButtons('b', 'absolute', 0b100);
    assert.deepEqual([held.buttons('absolute'), held.buttons('relative')], [0b101, 0]);
    held.setButtons('a', 'relative', 0b10);
    assert.deepEqual([held.buttons('absolute'), held.buttons('relative')], [0b100, 0b10]);
    assert.equal(held.buttonCount, 2);
  });

  it('tells whether something changed, and forgets who holds nothing', () => {
    const held = new HeldState();
    assert.equal(held.setKey('a', key('x'), false), false);
    assert.equal(held.setKey('a', key('x'), true), true);
    assert.equal(held.setKey('a', key('x'), true), false);
    assert.equal(held.release('a'), true);
    assert.equal(held.release('a'), false);
    held.setButtons('a', 'absolute', 0);
    assert.equal(held.holds('a'), false);
    assert.equal(held.releaseAll(), false);
  });

  it('does not take more keys of one owner than it may hold', () => {
    const held = new HeldState();
    for (let usage = 0x04; usage < 0x04 + maxHeldKeys; usage += 1) {
      assert.equal(held.setKey('a', { page: 'keyboard', usage }, true), true);
    }
    assert.equal(held.setKey('a', { page: 'keyboard', usage: 0x90 }, true), false);
    assert.equal(held.keyCount, maxHeldKeys);
  });
});
