import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VideoPacer } from '../../../src/media/video-pacer.ts';

/** Milliseconds that so many bytes in packets of 1,200 take to leave, looked at every 5 ms. */
function msToSend(pacer: VideoPacer, bytes: number, targetBps: number): number {
  let left = bytes;
  for (let nowMs = 0; nowMs < 10_000; nowMs += 5) {
    pacer.advance(nowMs, targetBps);
    while (left > 0 && pacer.isOpen) {
      pacer.spend(1_200);
      left -= 1_200;
    }
    if (left <= 0) return nowMs;
  }
  return Number.POSITIVE_INFINITY;
}

describe('VideoPacer', () => {
  test('a picture of usual size never waits', () => {
    assert.equal(msToSend(new VideoPacer({ targetBps: 2e6, nowMs: 0 }), 8_400, 2e6), 0);
  });

  test('a large one leaves at two and a half times the target', () => {
    const ms = msToSend(new VideoPacer({ targetBps: 2e6, nowMs: 0 }), 60_000, 2e6);
    // 60,000 bytes less the 12,500 that go at once, at 625 bytes a ms.
    assert.ok(ms >= 70 && ms <= 80, `${ms} ms`);
  });

  test('a keyframe leaves within 200 ms however low the target is', () => {
    const pacer = new VideoPacer({ targetBps: 300_000, nowMs: 0 });
    pacer.expectKeyframe(120_000);
    const ms = msToSend(pacer, 120_000, 300_000);
    assert.ok(ms > 100 && ms <= 205, `${ms} ms`);
    pacer.rest();
    const later = new VideoPacer({ targetBps: 300_000, nowMs: 0 });
    assert.ok(msToSend(later, 120_000, 300_000) > 1_000);
  });

  test('repeats get three tenths of the target, and a quarter of a second at once', () => {
    const pacer = new VideoPacer({ targetBps: 1e6, nowMs: 0 });
    let repeated = 0;
    for (let nowMs = 0; nowMs <= 10_000; nowMs += 1) {
      pacer.advance(nowMs, 1e6);
      while (pacer.takeRepeat(1_000)) repeated += 1_000;
    }
    const expected = 31_250 + 10 * 37_500;
    assert.ok(Math.abs(repeated - expected) <= 1_000, `${repeated}`);
  });

  test('it says how long repeats take that have had their share', () => {
    const pacer = new VideoPacer({ targetBps: 1e6, nowMs: 0 });
    assert.equal(pacer.repeatMs(31_250), 0);
    assert.ok(pacer.takeRepeat(31_250));
    assert.equal(pacer.repeatMs(3_750), 100);
    pacer.advance(60, 1e6);
    assert.equal(pacer.repeatMs(3_750), 40);
    assert.equal(pacer.repeatMs(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
  });

  test('time that goes back gives nothing', () => {
    const pacer = new VideoPacer({ targetBps: 1e6, nowMs: 1_000 });
    while (pacer.isOpen) pacer.spend(1_000);
    pacer.advance(0, 1e6);
    assert.equal(pacer.isOpen, false);
  });
});
