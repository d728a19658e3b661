import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { KeyframeRequests } from '../../../src/media/keyframe-requests.ts';

describe('KeyframeRequests', () => {
  let nowMs: number;
  let passed: number[];
  let requests: KeyframeRequests;

  function pass(ms: number): void {
    for (let step = 0; step < ms; step += 1) {
      nowMs += 1;
      mock.timers.tick(1);
    }
  }

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    nowMs = 0;
    passed = [];
    requests = new KeyframeRequests({ nowMs: () => nowMs, pass: () => passed.push(nowMs) });
  });

  afterEach(() => {
    requests.stop();
    mock.timers.reset();
  });

  test('REFERENCE 1b: PLI and FIR make one keyframe in 300 ms, and none of them is forgotten', () => {
    requests.request();
    assert.deepEqual(passed, [0]);
    pass(100);
    requests.request();
    requests.request();
    pass(1_000);
    assert.deepEqual(passed, [0, 300]);
    requests.request();
    assert.deepEqual(passed, [0, 300, 1_100]);
  });

  test('a storm of requests is three a second and a timer', () => {
    for (let index = 0; index < 3_000; index += 1) {
      for (let many = 0; many < 10; many += 1) requests.request();
      pass(1);
    }
    assert.equal(passed.length, 11);
  });

  test('a keyframe that goes to everyone answers the ones that wait', () => {
    requests.request();
    pass(10);
    requests.request();
    requests.answered();
    pass(1_000);
    assert.deepEqual(passed, [0]);
  });
});
