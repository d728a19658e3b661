import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compactNtp, NtpClock } from '../../../src/media/ntp-clock.ts';

/** 2026-01-01 00:00:00 UTC as NTP seconds. */
const newYear = 3_976_214_400n;
const newYearMs = Date.UTC(2026, 0, 1);

describe('NtpClock', () => {
  test('the reading itself is its wall time', () => {
    const clock = new NtpClock({ unixMs: newYearMs, monotonicNs: 5_000n });
    assert.equal(clock.at(5_000n), newYear << 32n);
  });

  test('the fraction is a binary one: half a second is half of it', () => {
    const clock = new NtpClock({ unixMs: newYearMs, monotonicNs: 0n });
    assert.equal(clock.at(500_000_000n) & 0xffffffffn, 0x80000000n);
    assert.equal(clock.at(50_000_000n) & 0xffffffffn, 214_748_364n);
    assert.equal(clock.at(999_999_999n) >> 32n, newYear);
    assert.equal(clock.at(1_000_000_000n), (newYear + 1n) << 32n);
  });

  test('distances between timestamps are those of the monotonic clock to the nanosecond', () => {
    const clock = new NtpClock({ unixMs: newYearMs + 0.123, monotonicNs: 42n });
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 15n), fc.bigInt(0n, 10n ** 12n), (start, step) => {
        const distance = clock.at(start + step) - clock.at(start);
        const ns = (distance * 1_000_000_000n) >> 32n;
        assert.ok(ns === step || ns === step - 1n, `${ns} for ${step}`);
      }),
    );
  });

  test('the compact form is the middle 32 bits', () => {
    assert.equal(compactNtp(0x11112222_33334444n), 0x22223333);
  });
});
