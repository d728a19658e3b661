import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ReplayWindow } from '../../../src/media/replay-window.ts';

describe('ReplayWindow', () => {
  test('counts the rollover up and takes a late packet for the one before it', () => {
    const window = new ReplayWindow();
    window.mark(window.indexOf(65_530));
    assert.equal(window.indexOf(3), 65_536 + 3);
    window.mark(65_536 + 3);
    assert.equal(window.indexOf(65_535), 65_535);
    assert.equal(window.indexOf(4), 65_536 + 4);
  });

  test('a sequence number from before the first packet has no index', () => {
    const window = new ReplayWindow();
    window.mark(5);
    assert.ok(window.indexOf(65_000) < 0);
  });

  test('tells received from not received, and what is too old from neither', () => {
    const window = new ReplayWindow();
    window.mark(5_000);
    window.mark(4_500);
    assert.equal(window.seen(5_000), true);
    assert.equal(window.seen(4_500), true);
    assert.equal(window.seen(4_501), false);
    assert.equal(window.seen(5_001), false);
    assert.equal(window.seen(5_000 - 1_024), true);
  });
});
