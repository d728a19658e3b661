import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { traceText } from '../../../src/cli/trace-text.ts';
import type { TracedPacket } from '../../../src/media/voice-trace.ts';

function packet(changes: Partial<TracedPacket> = {}): TracedPacket {
  return {
    capturedUs: 1,
    completeMs: 10,
    encodedMs: 12,
    sentMs: 12.5,
    receivedMs: 14,
    written: [{ session: 's1', ms: 15 }],
    ...changes,
  };
}

describe('where the milliseconds go', () => {
  it('draws a line a stage, each beginning where the one before ended', () => {
    assert.equal(
      traceText([packet(), packet(), packet()]),
      `STAGE                                                                       P50 ms   P95 ms
the packet fills       █████████████████████████████████                     10.00    10.00
card and encoder                                        ███████               2.00     2.00
out of the child                                               ██             0.50     0.50
to the main process                                              █████        1.50     1.50
to the first viewer                                                   ███     1.00     1.00
capture to last write                                                        15.00    15.00

3 packets, 1 viewer
`,
    );
  });

  it('tells the first viewer from the last', () => {
    const written = [
      { session: 's1', ms: 15 },
      { session: 's2', ms: 16.25 },
    ];
    const text = traceText([packet({ written })]);
    assert.match(text, /to the last viewer .* 1\.25 /);
    assert.match(text, /capture to last write .* 16\.25 /);
    assert.match(text, /1 packet, 2 viewers/);
  });

  it('says why there is nothing to draw', () => {
    assert.match(traceText([]), /No packet came/);
    assert.match(traceText([packet({ written: [] })]), /1 packet came, and none was written/);
  });
});
