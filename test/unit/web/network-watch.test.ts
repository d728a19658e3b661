import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchNetwork } from '../../../src/web/network-watch.ts';

class FakeInformation extends EventTarget {
  type: string;

  constructor(type: string) {
    super();
    this.type = type;
  }

  become(type: string): void {
    this.type = type;
    this.dispatchEvent(new Event('change'));
  }
}

test('online again, and another kind of network, are changes; another speed and none at all are not', () => {
  const target = new EventTarget();
  const information = new FakeInformation('wifi');
  let changes = 0;
  const unwatch = watchNetwork(target, information, () => {
    changes += 1;
  });
  const counts = [
    () => information.become('wifi'),
    () => information.become('cellular'),
    () => information.become('none'),
    () => target.dispatchEvent(new Event('online')),
    () => information.become('wifi'),
  ].map((act) => {
    act();
    return changes;
  });
  assert.deepEqual(counts, [0, 1, 1, 2, 3]);
  unwatch();
  target.dispatchEvent(new Event('online'));
  information.become('ethernet');
  assert.equal(changes, 3);
});

test('a browser that says nothing of its network is watched all the same', () => {
  const target = new EventTarget();
  let changes = 0;
  watchNetwork(target, undefined, () => {
    changes += 1;
  });
  target.dispatchEvent(new Event('online'));
  assert.equal(changes, 1);
});
