import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JitterBuffer } from '../../../../src/audio/playout/jitter-buffer.ts';
import type { JitterItem, PlayoutStep } from '../../../../src/audio/playout/playout-step.ts';

/** Packet `n` of a stream of 20 ms packets on a network without jitter. */
function packet(n: number, changes: Partial<JitterItem<number>> = {}): JitterItem<number> {
  return {
    ssrc: 1,
    sequence: (100 + n) & 0xffff,
    timestamp: (5_000 + 960 * n) >>> 0,
    samples: 960,
    payload: n,
    arrivalMs: 20 * n,
    ...changes,
  };
}

/** Packets 0–`until` have come, and 0 has been handed on at its time. */
function playing(until: number): JitterBuffer<number> {
  const buffer = new JitterBuffer<number>();
  for (let n = 0; n <= until; n += 1) buffer.insert(packet(n));
  assert.equal(handed(buffer.next({ nowMs: 25, queuedMs: 0, final: true })), 0);
  return buffer;
}

function handed(step: PlayoutStep<number>): number | string {
  return step.kind === 'decode' ? step.item.payload : step.kind;
}

describe('a jitter buffer', () => {
  it('says nothing before the first packet', () => {
    const buffer = new JitterBuffer();
    assert.equal(buffer.next({ nowMs: 0, queuedMs: 0, final: true }).kind, 'idle');
    assert.equal(buffer.levelMs(0), 0);
  });

  it('begins with the very first packet, when the delay is at its target and not later', () => {
    const buffer = new JitterBuffer<number>();
    let firstMs: number | undefined;
    for (let nowMs = 0; nowMs < 100 && firstMs === undefined; nowMs += 1) {
      if (nowMs % 20 === 0) buffer.insert(packet(nowMs / 20));
      if (handed(buffer.next({ nowMs, queuedMs: 0, final: true })) === 0) firstMs = nowMs;
    }
    assert.equal(firstMs, Math.ceil(buffer.targetMs));
    assert.ok(buffer.targetMs >= 10 && buffer.targetMs <= 25, `${buffer.targetMs}`);
  });

  it('counts what the device still holds as delay, and begins so much earlier', () => {
    const buffer = new JitterBuffer<number>({ minTargetMs: 30 });
    buffer.insert(packet(0));
    assert.equal(buffer.next({ nowMs: 0, queuedMs: 40, final: true }).kind, 'idle');
    // 40 ms are queued in any case: the target lies beyond them.
    assert.ok(buffer.targetMs > 40);
    const nowMs = Math.ceil(buffer.targetMs - 40);
    assert.equal(handed(buffer.next({ nowMs, queuedMs: 40, final: true })), 0);
  });

  it('skips what a sound card that stood still has left too much, when no cut brings it down', () => {
    const buffer = new JitterBuffer<number>();
    let next = 0;
    let askMs = 0;
    const levels: number[] = [];
    for (let nowMs = 0; nowMs < 5_000; nowMs += 5) {
      if (nowMs % 20 === 0) buffer.insert(packet(next++));
      // Less than what counts as having been away, and nobody follows the hints to play faster.
      if (nowMs === 1_000) askMs += 200;
      if (nowMs < askMs) continue;
      const step = buffer.next({ nowMs, queuedMs: 0, final: true });
      if (step.kind === 'idle' || step.kind === 'wait') continue;
      askMs += step.kind === 'decode' ? 20 : step.samples / 48;
      levels.push(buffer.levelMs(askMs - nowMs) - buffer.targetMs);
    }
    assert.ok(Math.max(...levels) > 150, 'it stood still');
    assert.ok((levels.at(-1) ?? 0) < 30, `${levels.at(-1)} ms beyond the target`);
    assert.ok(buffer.counts.skipped >= 8 && buffer.counts.skipped <= 10);
  });

  it('puts packets in order', () => {
    const buffer = new JitterBuffer<number>();
    for (const n of [0, 2, 1, 3]) buffer.insert(packet(n, { arrivalMs: 0 }));
    const order = [0, 1, 2, 3].map((i) =>
      handed(buffer.next({ nowMs: 60 + 20 * i, queuedMs: 0, final: true })),
    );
    assert.deepEqual(order, [0, 1, 2, 3]);
  });

  it('takes a packet once, before and after it was played', () => {
    const buffer = playing(1);
    assert.equal(buffer.insert(packet(1)), 'duplicate');
    assert.equal(buffer.insert(packet(0, { arrivalMs: 30 })), 'duplicate');
    assert.equal(buffer.counts.duplicate, 2);
    assert.equal(handed(buffer.next({ nowMs: 45, queuedMs: 0, final: true })), 1);
    assert.equal(buffer.next({ nowMs: 65, queuedMs: 0, final: false }).kind, 'wait');
  });

  it('waits for a missing packet until the asking is final, then recovers it from the next', () => {
    const buffer = playing(0);
    buffer.insert(packet(2));
    assert.equal(buffer.next({ nowMs: 42, queuedMs: 8, final: false }).kind, 'wait');
    const step = buffer.next({ nowMs: 45, queuedMs: 3, final: true });
    assert.ok(step.kind === 'recover');
    assert.deepEqual([step.next.payload, step.samples], [2, 960]);
    assert.equal(handed(buffer.next({ nowMs: 46, queuedMs: 20, final: false })), 2);
    assert.equal(buffer.counts.lost, 1);
    assert.equal(buffer.insert(packet(1, { arrivalMs: 50 })), 'late');
    assert.equal(buffer.counts.late, 1);
  });

  it('plays a packet that came while it waited', () => {
    const buffer = playing(0);
    buffer.insert(packet(2));
    assert.equal(buffer.next({ nowMs: 42, queuedMs: 8, final: false }).kind, 'wait');
    buffer.insert(packet(1, { arrivalMs: 44 }));
    assert.equal(handed(buffer.next({ nowMs: 45, queuedMs: 3, final: true })), 1);
  });

  it('makes up lost packets but for the last, which is recovered', () => {
    const buffer = new JitterBuffer<number>({ minTargetMs: 100 });
    buffer.insert(packet(0));
    buffer.insert(packet(4));
    const steps: string[] = [];
    let nowMs = 100;
    while (buffer.next({ nowMs, queuedMs: 0, final: true }).kind === 'idle') nowMs += 1;
    nowMs += 20;
    while (steps.at(-1) !== '4') {
      const step = buffer.next({ nowMs, queuedMs: 0, final: true });
      steps.push(step.kind === 'conceal' ? step.because : String(handed(step)));
      nowMs += 20;
    }
    assert.deepEqual(steps, ['loss', 'loss', 'recover', '4']);
    assert.equal(buffer.counts.lost, 3);
  });

  it('bridges a late packet and still plays it, so that nothing is missing', () => {
    const buffer = playing(0);
    const step = buffer.next({ nowMs: 45, queuedMs: 0, final: true });
    assert.ok(step.kind === 'conceal' && step.because === 'underrun');
    assert.equal(buffer.insert(packet(1, { arrivalMs: 52 })), 'queued');
    assert.equal(handed(buffer.next({ nowMs: 55, queuedMs: 0, final: true })), 1);
    assert.equal(buffer.counts.late, 0);
  });

  it('lets what was bridged stand for a packet that proves to be lost', () => {
    const buffer = playing(0);
    buffer.next({ nowMs: 45, queuedMs: 0, final: true });
    buffer.next({ nowMs: 55, queuedMs: 0, final: true });
    buffer.insert(packet(2, { arrivalMs: 60 }));
    assert.equal(handed(buffer.next({ nowMs: 65, queuedMs: 0, final: true })), 2);
    assert.equal(buffer.counts.lost, 1);
  });

  it('goes idle after a second without packets, and never made more of it than that', () => {
    const buffer = playing(0);
    const kinds = new Set<string>();
    for (let nowMs = 45; nowMs <= 1_000; nowMs += 10) {
      kinds.add(buffer.next({ nowMs, queuedMs: 0, final: true }).kind);
    }
    assert.deepEqual([...kinds], ['conceal']);
    assert.equal(buffer.next({ nowMs: 1_001, queuedMs: 0, final: true }).kind, 'idle');
    assert.ok(buffer.counts.underrunSamples <= 48_000);
  });

  it('does not lose the first packets after a silence, when the sender stopped its clock meanwhile', () => {
    const buffer = playing(0);
    buffer.next({ nowMs: 5_000, queuedMs: 0, final: true });
    buffer.insert(packet(1, { arrivalMs: 6_000 }));
    buffer.insert(packet(2, { arrivalMs: 6_020 }));
    const played = [6_010, 6_030, 6_050].map((nowMs) =>
      handed(buffer.next({ nowMs, queuedMs: 0, final: true })),
    );
    assert.deepEqual(played, ['idle', 1, 2]);
  });

  it('skips what came while the sound card was away', () => {
    const buffer = playing(0);
    for (let n = 1; n < 500; n += 1) buffer.insert(packet(n));
    const step = buffer.next({ nowMs: 9_990, queuedMs: 0, final: true });
    // Its moment is within one packet of the target, so it is one of the last two or three.
    assert.ok(step.kind === 'decode' && step.item.payload >= 496, JSON.stringify(step));
    assert.ok(Math.abs(buffer.levelMs(20) - buffer.targetMs) <= 20);
    assert.ok(buffer.counts.skipped + buffer.counts.overflow >= 490);
  });

  it('keeps the very first packets while the sound card is being opened', () => {
    const buffer = new JitterBuffer<number>();
    for (let n = 0; n < 25; n += 1) buffer.insert(packet(n));
    assert.equal(handed(buffer.next({ nowMs: 490, queuedMs: 0, final: true })), 0);
    assert.equal(buffer.counts.skipped, 0);
  });

  it('begins anew with another SSRC', () => {
    const buffer = playing(3);
    assert.equal(buffer.insert(packet(0, { ssrc: 2, payload: 70, arrivalMs: 80 })), 'reset');
    assert.equal(buffer.size, 1);
    assert.equal(buffer.next({ nowMs: 81, queuedMs: 0, final: true }).kind, 'idle');
    assert.equal(handed(buffer.next({ nowMs: 120, queuedMs: 0, final: true })), 70);
    assert.equal(buffer.counts.resets, 1);
  });

  const jumps: Record<string, Partial<JitterItem<number>>> = {
    'a sequence number far ahead': { sequence: 20_000 },
    'a sequence number far behind': { sequence: 60_000 },
    'a timestamp 30 s ahead of its time': { timestamp: 5_000 + 48_000 * 30 },
    'a timestamp that goes back while the sequence number goes on': { timestamp: 3_000 },
    'another timestamp under the same sequence number': { sequence: 103, timestamp: 99_999 },
  };
  for (const [name, change] of Object.entries(jumps)) {
    it(`begins anew with ${name}`, () => {
      const buffer = playing(3);
      assert.equal(buffer.insert(packet(4, change)), 'reset');
      assert.equal(buffer.size, 1);
    });
  }

  it('goes on over the wraps of sequence number and timestamp', () => {
    const buffer = new JitterBuffer<number>();
    const at = (n: number) =>
      packet(n, {
        sequence: (65_534 + n) & 0xffff,
        timestamp: (0xffff_ffff - 1_000 + 960 * n) >>> 0,
        arrivalMs: 0,
      });
    for (const n of [0, 1, 3, 2, 4]) assert.equal(buffer.insert(at(n)), 'queued');
    const order = [0, 1, 2, 3, 4].map((i) =>
      handed(buffer.next({ nowMs: 60 + 20 * i, queuedMs: 0, final: true })),
    );
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });

  it('drops the oldest beyond its capacity, and counts it', () => {
    const buffer = new JitterBuffer<number>({ capacityMs: 200 });
    const results = Array.from({ length: 12 }, (_, n) =>
      buffer.insert(packet(n, { arrivalMs: 0 })),
    );
    assert.deepEqual(results.slice(9), ['queued', 'overflow', 'overflow']);
    assert.equal(buffer.size, 10);
    assert.equal(buffer.counts.overflow, 2);
    assert.equal(handed(buffer.next({ nowMs: 50, queuedMs: 0, final: true })), 2);
  });

  it('plays on at the target after more came at once than it holds', () => {
    const buffer = playing(1);
    for (let n = 2; n < 100; n += 1) buffer.insert(packet(n, { arrivalMs: 45 }));
    assert.ok(buffer.counts.overflow > 0);
    let next = 100;
    let askMs = 45;
    let played = 0;
    for (let nowMs = 45; nowMs < 2_000; nowMs += 5) {
      if (nowMs % 20 === 0) buffer.insert(packet(next++, { arrivalMs: nowMs }));
      if (nowMs < askMs) continue;
      const step = buffer.next({ nowMs, queuedMs: 0, final: true });
      if (step.kind === 'wait' || step.kind === 'idle') continue;
      askMs += step.kind === 'decode' ? 20 : step.samples / 48;
      if (step.kind === 'decode') played += 1;
    }
    assert.ok(played >= 95, `${played} of about 98 were played`);
    assert.ok(buffer.levelMs(0, 2_000) < buffer.targetMs + 60);
  });

  it('plays comfort noise in a pause, and the first packet after it at the target', () => {
    const buffer = playing(0);
    buffer.insert(packet(1, { isDtx: true }));
    assert.equal(handed(buffer.next({ nowMs: 45, queuedMs: 0, final: true })), 1);
    let nowMs = 65;
    for (; nowMs < 400; nowMs += 10) {
      const step = buffer.next({ nowMs, queuedMs: 0, final: true });
      assert.ok(step.kind === 'conceal' && step.because === 'dtx', JSON.stringify(step));
    }
    // The next in sequence, 380 ms later in time.
    buffer.insert(packet(2, { timestamp: 5_000 + 48 * 400, arrivalMs: 400 }));
    let step = buffer.next({ nowMs, queuedMs: 0, final: true });
    while (step.kind === 'conceal') {
      nowMs += step.samples / 48;
      step = buffer.next({ nowMs, queuedMs: 0, final: true });
    }
    assert.equal(handed(step), 2);
    assert.ok(Math.abs(nowMs - 400 - buffer.targetMs) <= 3, `${nowMs} for ${buffer.targetMs}`);
    assert.equal(buffer.counts.lost, 0);
    assert.equal(buffer.counts.underrunSamples, 0);
  });

  it('knows a pause that nothing announced by its timestamp', () => {
    const buffer = playing(0);
    buffer.insert(packet(1, { timestamp: 5_000 + 48 * 200, arrivalMs: 200 }));
    const step = buffer.next({ nowMs: 201, queuedMs: 0, final: true });
    assert.ok(step.kind === 'conceal' && step.because === 'dtx');
    assert.equal(buffer.counts.lost, 0);
  });

  it('recovers the first packet after a pause from the second', () => {
    const buffer = playing(0);
    buffer.insert(packet(1, { isDtx: true }));
    buffer.next({ nowMs: 45, queuedMs: 0, final: true });
    for (let nowMs = 65; nowMs < 200; nowMs += 10) {
      buffer.next({ nowMs, queuedMs: 0, final: true });
    }
    buffer.insert(packet(3, { timestamp: 5_000 + 48 * 200, arrivalMs: 200 }));
    assert.equal(buffer.next({ nowMs: 200, queuedMs: 9, final: false }).kind, 'wait');
    const step = buffer.next({ nowMs: 203, queuedMs: 0, final: true });
    assert.ok(step.kind === 'recover' && step.samples === 960, JSON.stringify(step));
    assert.equal(handed(buffer.next({ nowMs: 205, queuedMs: 18, final: false })), 3);
    assert.equal(buffer.counts.lost, 1);
  });

  it('keeps the target within its bounds', () => {
    const buffer = new JitterBuffer<number>({ minTargetMs: 3, maxTargetMs: 50 });
    for (let n = 0; n < 400; n += 1) buffer.insert(packet(n));
    assert.equal(buffer.targetMs, 3);
    for (let n = 400; n < 800; n += 1) {
      buffer.insert(packet(n, { arrivalMs: 20 * n + (n % 2 === 0 ? 49 : 0) }));
    }
    assert.equal(buffer.targetMs, 50);
  });

  it('asks for faster playing when the delay is too long, with a limit, and stops at the target', () => {
    const buffer = new JitterBuffer<number>();
    // Five packets at once: 80 ms more than a calm network needs.
    for (let n = 0; n < 5; n += 1) buffer.insert(packet(n, { arrivalMs: 100 }));
    let queuedMs = 0;
    const stretched: number[] = [];
    for (let nowMs = 100; nowMs < 4_000; nowMs += 5) {
      if (nowMs >= 120 && nowMs % 20 === 0)
        buffer.insert(packet(nowMs / 20 - 1, { arrivalMs: nowMs }));
      queuedMs = Math.max(queuedMs - 5, 0);
      while (queuedMs < 10) {
        const step = buffer.next({ nowMs, queuedMs, final: queuedMs < 5 });
        if (step.kind !== 'decode') break;
        const takenMs = step.stretch === 'shorten' ? Math.min(step.stretchMs, 8) : 0;
        if (takenMs > 0) stretched.push(nowMs);
        queuedMs += 20 - takenMs;
      }
    }
    const gaps = stretched.slice(1).map((ms, i) => ms - (stretched[i] ?? 0));
    assert.ok(stretched.length >= 4 && stretched.length <= 12, `${stretched}`);
    assert.ok(Math.min(...gaps) >= 40, `${gaps}`);
    const offMs = buffer.levelMs(queuedMs) - buffer.targetMs;
    assert.ok(Math.abs(offMs) <= 10, `${offMs} ms off`);
    assert.equal(buffer.counts.underrunSamples, 0);
  });
});
