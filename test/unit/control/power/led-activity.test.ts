import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LedActivity } from '../../../../src/control/power/led-activity.ts';

const ms = (count: number): bigint => BigInt(count) * 1_000_000n;

describe('LedActivity', () => {
  it('is the share of the time that the LED was lit', () => {
    const led = new LedActivity(false, ms(0));
    assert.equal(led.read(ms(1_000)), 0);
    led.set(true, ms(1_250));
    led.set(false, ms(1_500));
    led.set(true, ms(1_900));
    assert.equal(led.read(ms(2_000)), 0.35);
    assert.equal(led.read(ms(3_000)), 1);
    led.set(false, ms(3_500));
    assert.equal(led.read(ms(5_000)), 0.25);
    assert.equal(led.read(ms(5_000)), 0);
  });

  it('makes one number of any amount of blinks', () => {
    const led = new LedActivity(true, 0n);
    for (let index = 0; index < 10_000; index += 1) led.set(index % 2 === 1, ms(index) / 10n);
    assert.equal(led.read(ms(1_000)), 0.5);
  });
});
