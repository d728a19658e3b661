import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { JitterBuffer } from '../../../../src/audio/playout/jitter-buffer.ts';
import type { JitterItem } from '../../../../src/audio/playout/playout-step.ts';

/** A packet on its way: `position` in the stream, wherever it stands there. */
const packets = fc.record({
  kind: fc.constant('insert' as const),
  position: fc.oneof(
    { weight: 20, arbitrary: fc.nat(60) },
    { weight: 1, arbitrary: fc.nat(6_000) },
  ),
  ssrc: fc.oneof(
    { weight: 30, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.constant(2) },
  ),
  ptime: fc.constantFrom(120, 480, 960, 960, 960, 5_760),
  shift: fc.oneof(
    { weight: 20, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer() },
  ),
  isDtx: fc.boolean(),
  afterMs: fc.oneof(fc.nat(30), fc.nat(1_500)),
});
const askings = fc.record({
  kind: fc.constant('next' as const),
  queuedMs: fc.nat(60),
  final: fc.boolean(),
  afterMs: fc.nat(20),
});

it('whatever comes and whenever it is asked: nothing twice, nothing out of order, bounded memory', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(packets, askings), { maxLength: 250, size: 'max' }),
      fc.nat(0xffff),
      fc.nat(0xffff_ffff),
      (events, firstSequence, firstTimestamp) => {
        const buffer = new JitterBuffer<{ id: number; position: number }>({ capacityMs: 500 });
        const played = new Set<number>();
        let nowMs = 0;
        let id = 0;
        let last = -1;
        let resets = 0;
        for (const event of events) {
          nowMs += event.afterMs;
          if (event.kind === 'insert') {
            const { position, ssrc, ptime, shift, isDtx } = event;
            const item: JitterItem<{ id: number; position: number }> = {
              ssrc,
              sequence: (firstSequence + position) & 0xffff,
              timestamp: (firstTimestamp + position * 960 + shift) >>> 0,
              samples: ptime,
              isDtx,
              payload: { id, position },
              arrivalMs: nowMs,
            };
            id += 1;
            buffer.insert(item);
          } else {
            const step = buffer.next({ nowMs, queuedMs: event.queuedMs, final: event.final });
            if (buffer.counts.resets !== resets) last = -1;
            resets = buffer.counts.resets;
            if (step.kind === 'decode') {
              assert.ok(!played.has(step.item.payload.id), 'played twice');
              assert.ok(step.item.payload.position > last, 'out of order');
              played.add(step.item.payload.id);
              last = step.item.payload.position;
            } else if (step.kind === 'conceal' || step.kind === 'recover') {
              assert.ok(step.samples >= 120 && step.samples <= 5_760, `${step.samples} samples`);
              assert.equal(step.samples % 120, 0);
            } else if (step.kind === 'wait') {
              assert.equal(event.final, false, 'made to wait for good');
            }
          }
          assert.ok(buffer.size <= 512);
          assert.ok(buffer.targetMs >= 10 && buffer.targetMs <= 200);
          assert.ok(Number.isFinite(buffer.levelMs(0, nowMs)));
        }
        const { counts } = buffer;
        const gone = counts.late + counts.duplicate + counts.overflow + counts.skipped;
        assert.ok(played.size + gone <= counts.inserted);
      },
    ),
    { numRuns: 300, seed: 20 },
  );
});
