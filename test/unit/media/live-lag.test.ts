import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveLag } from '../../../src/media/live-lag.ts';

const ms = 1_000_000n;

describe('how late a live stream is', () => {
  it('is what its packets say, from the first on', () => {
    const lag = new LiveLag();
    assert.equal(lag.ns, 0n);
    lag.note(1_000n * ms, 1_050n * ms);
    assert.equal(lag.ns, 50n * ms);
  });

  it('follows a change over about a second of packets, and no single one', () => {
    const lag = new LiveLag();
    for (let n = 0; n < 50; n += 1) lag.note(0n, 50n * ms);
    lag.note(0n, 250n * ms);
    assert.ok(lag.ns < 60n * ms);
    for (let n = 0; n < 100; n += 1) lag.note(0n, 80n * ms);
    assert.ok(lag.ns > 75n * ms && lag.ns < 85n * ms);
  });

  it('takes nothing from a packet of the future, or of an outage', () => {
    const lag = new LiveLag();
    lag.note(0n, 40n * ms);
    lag.note(10n * ms, 0n);
    lag.note(0n, 5_000n * ms);
    assert.equal(lag.ns, 40n * ms);
  });
});
