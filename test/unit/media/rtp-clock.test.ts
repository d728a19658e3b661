import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { outputPresets, presetNames } from '../../../src/audio/presets.ts';
import { RtpClock } from '../../../src/media/rtp-clock.ts';

const msNs = 1_000_000n;
const durationNs = (samples: number): bigint => (BigInt(samples) * 1_000_000_000n) / 48_000n;

/** A capture that goes on without a gap unless told so. */
class Capture {
  timeNs = 7_000_000_000n;
  readonly clock = new RtpClock();

  frame(samples: number, bytes = 100) {
    const step = this.clock.step({ samples, bytes, captureTimeNs: this.timeNs });
    this.timeNs += durationNs(samples);
    return step;
  }
}

describe('RtpClock', () => {
  test('steps by exactly the samples of each frame, across every change of preset', () => {
    const capture = new Capture();
    let expected = 0;
    for (const name of [...presetNames, ...[...presetNames].reverse()]) {
      const samples = outputPresets[name].frameMs * 48;
      for (let count = 0; count < 50; count += 1) {
        const { timestamp, skipped, send } = capture.frame(samples);
        assert.deepEqual([timestamp, skipped, send], [expected, 0, true]);
        expected += samples;
      }
    }
  });

  test('only the first packet of an unbroken run has the marker', () => {
    const capture = new Capture();
    const markers = Array.from({ length: 20 }, () => capture.frame(960).marker);
    assert.deepEqual(markers, [true, ...Array.from({ length: 19 }, () => false)]);
  });

  test('a gap over 40 ms is skipped whole, and marked', () => {
    const capture = new Capture();
    capture.frame(480);
    capture.timeNs += 41n * msNs;
    assert.deepEqual(capture.frame(480), {
      timestamp: 480 + 41 * 48,
      marker: true,
      send: true,
      skipped: 41 * 48,
    });
    assert.equal(capture.frame(480).timestamp, 480 + 41 * 48 + 480);
  });

  test('a gap of 40 ms or less is not skipped at all', () => {
    const capture = new Capture();
    capture.frame(480);
    capture.timeNs += 40n * msNs;
    assert.deepEqual(capture.frame(480), { timestamp: 480, marker: false, send: true, skipped: 0 });
  });

  test('with long frames the limit is two of them', () => {
    const capture = new Capture();
    capture.frame(2_880);
    capture.timeNs += 120n * msNs;
    assert.equal(capture.frame(2_880).skipped, 0);
    capture.timeNs += 121n * msNs;
    assert.equal(capture.frame(2_880).skipped, 121 * 48);
  });

  test('small gaps do not add up to a skip', () => {
    const capture = new Capture();
    for (let count = 0; count < 100; count += 1) {
      capture.timeNs += 10n * msNs;
      assert.equal(capture.frame(960).timestamp, count * 960);
    }
  });

  test('a capture clock that steps back or jitters changes nothing', () => {
    const capture = new Capture();
    capture.frame(960);
    capture.timeNs -= 500n * msNs;
    assert.equal(capture.frame(960).timestamp, 960);
    assert.equal(capture.frame(960).timestamp, 1_920);
  });

  test('the first DTX packet of a pause is sent, the others are not while their time passes', () => {
    const capture = new Capture();
    capture.frame(960);
    const pause = [1, 2, 1].map((bytes) => capture.frame(960, bytes));
    assert.deepEqual(
      pause.map(({ send, marker }) => [send, marker]),
      [
        [true, false],
        [false, false],
        [false, false],
      ],
    );
    assert.deepEqual(capture.frame(960, 3), {
      timestamp: 4 * 960,
      marker: true,
      send: true,
      skipped: 0,
    });
    assert.equal(capture.frame(960, 1).send, true, 'the next pause begins anew');
  });

  test('a stream that begins in silence sends nothing before its first sound', () => {
    const capture = new Capture();
    assert.equal(capture.frame(960, 1).send, false);
    assert.deepEqual(capture.frame(960), { timestamp: 960, marker: true, send: true, skipped: 0 });
  });

  test('a gap marks the first packet sent after it, be it the DTX packet that begins a pause', () => {
    const capture = new Capture();
    capture.frame(960);
    capture.timeNs += 1_000n * msNs;
    assert.deepEqual(capture.frame(960, 1), {
      timestamp: 960 + 48_000,
      marker: true,
      send: true,
      skipped: 48_000,
    });
    assert.equal(capture.frame(960).marker, true, 'sound after silence');
  });

  test('for any mix of frames and gaps, time never runs back and follows the wall within the limit', () => {
    const frame = fc.record({
      samples: fc.constantFrom(120, 240, 480, 960, 1_920, 2_880),
      gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 })),
    });
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 60 }), (frames) => {
        const capture = new Capture();
        let end = 0;
        for (const { samples, gapMs } of frames) {
          capture.timeNs += BigInt(gapMs) * msNs;
          const { timestamp, skipped } = capture.frame(samples);
          assert.equal(timestamp, end + skipped);
          const limitMs = Math.max((2 * samples) / 48, 40);
          const isFirst = end === 0;
          assert.equal(skipped, gapMs > limitMs && !isFirst ? gapMs * 48 : 0);
          end = timestamp + samples;
        }
      }),
    );
  });
});
