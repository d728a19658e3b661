import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  backoffMs,
  defaultRestartPolicy,
  RestartPolicy,
  type RestartPolicyOptions,
} from '../../../supervisor/restart-policy.ts';

function policyAt(options: Partial<RestartPolicyOptions> = {}, random = 0) {
  const clock = { nowMs: 0 };
  const policy = new RestartPolicy(
    { ...defaultRestartPolicy, ...options },
    { now: () => clock.nowMs, random: () => random },
  );
  return { clock, policy };
}

describe('RestartPolicy', () => {
  it('waits 1, 2, 4, 8 s and gives up at the fifth crash', () => {
    const { policy } = policyAt();
    const delays = Array.from({ length: 5 }, () => policy.crashed());
    assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, undefined]);
  });

  it('forgets crashes that are 5 minutes old', () => {
    const { clock, policy } = policyAt();
    for (let crash = 0; crash < 4; crash += 1) policy.crashed();
    clock.nowMs = 5 * 60_000 - 1;
    assert.equal(policy.crashed(), undefined);
    const fresh = policyAt();
    for (let crash = 0; crash < 4; crash += 1) fresh.policy.crashed();
    fresh.clock.nowMs = 5 * 60_000;
    assert.equal(fresh.policy.crashed(), 1_000);
  });

  it('never gives up a child that crashes every two minutes', () => {
    const { clock, policy } = policyAt();
    for (let crash = 0; crash < 1_000; crash += 1) {
      assert.notEqual(policy.crashed(), undefined);
      clock.nowMs += 120_000;
    }
  });

  it('begins anew after a reset', () => {
    const { policy } = policyAt();
    for (let crash = 0; crash < 5; crash += 1) policy.crashed();
    policy.reset();
    assert.equal(policy.crashed(), 1_000);
  });

  it('waits at most 30 s', () => {
    const { policy } = policyAt({ maxCrashes: 100 });
    const delays = Array.from({ length: 8 }, () => policy.crashed());
    assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });
});

describe('backoffMs', () => {
  it('takes off up to a quarter by chance, and never adds', () => {
    assert.equal(backoffMs(defaultRestartPolicy, 1, 0), 1_000);
    assert.equal(backoffMs(defaultRestartPolicy, 1, 0.5), 875);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (crashes, random) => {
          const delay = backoffMs(defaultRestartPolicy, crashes, random);
          const full = Math.min(30_000, 1_000 * 2 ** (crashes - 1));
          assert.ok(delay <= full && delay >= full * 0.75 - 1);
        },
      ),
    );
  });
});
