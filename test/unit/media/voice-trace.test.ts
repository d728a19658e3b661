import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TracedPacket, VoiceTrace } from '../../../src/media/voice-trace.ts';

const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));

function traced(): {
  readonly trace: VoiceTrace;
  readonly wanted: boolean[];
  readonly packets: TracedPacket[];
  readonly leave: () => void;
} {
  const wanted: boolean[] = [];
  const packets: TracedPacket[] = [];
  const trace = new VoiceTrace((on) => wanted.push(on));
  const leave = trace.follow((packet) => packets.push(packet));
  return { trace, wanted, packets, leave };
}

describe('the voice trace', () => {
  it('says when each stage was done, from the capture of the first sample on', () => {
    const { trace, packets } = traced();
    trace.received({ captureTimeNs: ms(1_000), samples: 480 }, ms(1_011.5));
    trace.written('s1', ms(1_011.75));
    trace.written('s2', ms(1_012));
    trace.told(ms(1_000), { encodedNs: ms(1_010.5), sentNs: ms(1_011) });
    assert.deepEqual(packets, [
      {
        capturedUs: 1_000_000,
        completeMs: 10,
        encodedMs: 10.5,
        sentMs: 11,
        receivedMs: 11.5,
        written: [
          { session: 's1', ms: 11.75 },
          { session: 's2', ms: 12 },
        ],
      },
    ]);
  });

  it('is off until somebody listens, and off again when the last one leaves', () => {
    const wanted: boolean[] = [];
    const trace = new VoiceTrace((on) => wanted.push(on));
    trace.received({ captureTimeNs: 1n, samples: 480 }, 2n);
    assert.equal(trace.isOn, false);
    const first = trace.follow(() => undefined);
    const second = trace.follow(() => undefined);
    assert.deepEqual(wanted, [true]);
    first();
    first();
    assert.deepEqual(wanted, [true]);
    second();
    assert.deepEqual(wanted, [true, false]);
    assert.equal(trace.isOn, false);
  });

  it('tells every listener, and none that has left', () => {
    const { trace, packets, leave } = traced();
    const others: TracedPacket[] = [];
    trace.follow((packet) => others.push(packet));
    leave();
    trace.received({ captureTimeNs: 1n, samples: 480 }, 2n);
    trace.told(1n, { encodedNs: 2n, sentNs: 3n });
    assert.equal(packets.length, 0);
    assert.equal(others.length, 1);
  });

  it('keeps a bounded number of packets of which the child says nothing, and counts the rest', () => {
    const { trace, packets } = traced();
    for (let n = 0; n < 600; n += 1) {
      trace.received({ captureTimeNs: BigInt(n), samples: 480 }, BigInt(n));
    }
    assert.equal(trace.incomplete, 88);
    trace.told(0n, { encodedNs: 1n, sentNs: 1n });
    trace.told(599n, { encodedNs: 1n, sentNs: 1n });
    assert.equal(packets.length, 1);
  });

  it('takes no notice of what the child says of packets it does not know', () => {
    const { trace, packets } = traced();
    trace.told(7n, { encodedNs: 8n, sentNs: 9n });
    assert.equal(packets.length, 0);
  });
});
