import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { BacklogWatch, backlogMs } from '../../../../src/audio/playout/backlog-watch.ts';

describe('BacklogWatch', () => {
  let watch: BacklogWatch;

  beforeEach(() => {
    watch = new BacklogWatch();
  });

  it('is patient with a backlog for a second from when it began', () => {
    assert.equal(watch.isOverdue(1e9), false);
    watch.note(backlogMs + 1, 1_000);
    watch.note(backlogMs + 50, 1_500);
    assert.equal(watch.isOverdue(2_000), false);
    assert.equal(watch.isOverdue(2_001), true);
  });

  it('begins anew when the delay was near its target, or the backlog was skipped', () => {
    watch.note(backlogMs + 1, 1_000);
    watch.note(backlogMs, 1_900);
    assert.equal(watch.isOverdue(9_000), false);
    watch.note(backlogMs + 1, 9_000);
    watch.forget();
    assert.equal(watch.isOverdue(1e9), false);
  });

  it('has no patience where there is no room, until it is gone', () => {
    watch.noRoom();
    assert.equal(watch.isOverdue(0), true);
    watch.note(backlogMs + 1, 10);
    assert.equal(watch.isOverdue(10), true);
    watch.note(0, 20);
    assert.equal(watch.isOverdue(1e9), false);
  });
});
