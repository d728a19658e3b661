import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VideoClock } from '../../../src/media/video-clock.ts';

const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));

describe('VideoClock', () => {
  test('is 90 kHz of the capture time, to the unit, for days', () => {
    const clock = new VideoClock();
    assert.equal(clock.at(ms(5_000)), 0);
    assert.equal(clock.at(ms(5_033)), 2_970);
    assert.equal(clock.at(ms(15_033)), 902_970);
    assert.equal(clock.at(ms(5_000 + 3 * 86_400_000)), 3 * 86_400 * 90_000);
  });

  test('REFERENCE 1b: a gap passes whole, and the clock stays strictly growing', () => {
    const clock = new VideoClock();
    clock.at(ms(0));
    assert.equal(clock.at(ms(60_000)), 5_400_000);
    assert.equal(clock.at(ms(60_000)), 5_400_001);
    assert.equal(clock.at(ms(59_990)), 5_400_002);
    assert.equal(clock.at(ms(60_100)), 5_409_000);
  });

  test('a source whose clock is far behind goes on from where the last one was', () => {
    const clock = new VideoClock();
    clock.at(ms(100_000));
    const last = clock.at(ms(160_000));
    assert.equal(clock.at(ms(1_000)), last + 3_000);
    assert.equal(clock.at(ms(1_100)), last + 12_000);
  });

  test('tells the time of a picture without counting it', () => {
    const clock = new VideoClock();
    assert.equal(clock.of(ms(1)), undefined);
    clock.at(ms(1_000));
    assert.equal(clock.of(ms(2_000)), 90_000);
    assert.equal(clock.of(ms(999)), -90);
    assert.equal(clock.at(ms(1_010)), 900);
  });
});
