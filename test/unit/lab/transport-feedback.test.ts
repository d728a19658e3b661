import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRtcp, type TransportFeedback as Told } from '../../../src/media/rtcp-read.ts';
import { TransportFeedback } from '../../lab/transport-feedback.ts';

/** What the device reads of the message about what was noted since the last one. */
function told(feedback: TransportFeedback): Told {
  const message = feedback.take(7);
  assert.ok(message !== undefined);
  const bytes = message.serialize();
  assert.equal(bytes.length, (bytes.readUInt16BE(2) + 1) * 4);
  const [event, ...others] = readRtcp(bytes);
  assert.deepEqual(others, []);
  assert.ok(event?.type === 'transport-feedback');
  return event.feedback;
}

/** µs of the same clock, to 250 µs. */
const arrivals = ({ referenceTime, arrivalsUs }: Told): (number | undefined)[] =>
  arrivalsUs.map((us) => (us === undefined ? undefined : us + referenceTime * 64_000));

describe('feedback of a viewer without a browser', () => {
  it('says when each packet came, and which did not', () => {
    const feedback = new TransportFeedback({ senderSsrc: 1 });
    feedback.note(10, 1_000_000);
    feedback.note(11, 1_000_500);
    feedback.note(14, 1_101_000);
    feedback.note(13, 1_100_250);
    const first = told(feedback);
    assert.equal(first.baseSequence, 10);
    assert.equal(first.feedbackCount, 0);
    assert.deepEqual(arrivals(first), [1_000_000, 1_000_500, undefined, 1_100_250, 1_101_000]);
  });

  it('goes on where the last message ended, and repeats nothing', () => {
    const feedback = new TransportFeedback({ senderSsrc: 1 });
    feedback.note(10, 1_000_000);
    told(feedback);
    assert.equal(feedback.take(7), undefined);
    feedback.note(10, 1_000_250);
    assert.equal(feedback.take(7), undefined);
    feedback.note(12, 1_001_000);
    const second = told(feedback);
    assert.equal(second.baseSequence, 11);
    assert.equal(second.feedbackCount, 1);
    assert.deepEqual(arrivals(second), [undefined, 1_001_000]);
  });

  it('counts on where the numbers go round', () => {
    const feedback = new TransportFeedback({ senderSsrc: 1 });
    for (const [n, sequence] of [65_534, 65_535, 0, 1].entries()) {
      feedback.note(sequence, 1_000_000 + 250 * n);
    }
    const message = told(feedback);
    assert.equal(message.baseSequence, 65_534);
    assert.deepEqual(arrivals(message), [1_000_000, 1_000_250, 1_000_500, 1_000_750]);
    feedback.note(2, 1_002_000);
    assert.equal(told(feedback).baseSequence, 2);
  });

  it('tells packets that came out of order when they came', () => {
    const feedback = new TransportFeedback({ senderSsrc: 1 });
    feedback.note(1, 1_010_000);
    feedback.note(3, 1_011_000);
    feedback.note(2, 1_012_000);
    assert.deepEqual(arrivals(told(feedback)), [1_010_000, 1_012_000, 1_011_000]);
  });

  it('leaves what does not fit into one message to the next', () => {
    const feedback = new TransportFeedback({ senderSsrc: 1 });
    for (let n = 0; n < 1_500; n += 1) feedback.note(n, 1_000_000 + 250 * n);
    assert.equal(told(feedback).packetCount, 1_000);
    const rest = told(feedback);
    assert.equal(rest.baseSequence, 1_000);
    assert.equal(rest.packetCount, 500);
  });

  it('bounds a message about a gap', () => {
    const feedback = new TransportFeedback({ senderSsrc: 1 });
    feedback.note(0, 1_000_000);
    told(feedback);
    feedback.note(20_000, 1_100_000);
    const message = told(feedback);
    assert.equal(message.packetCount, 1_000);
    assert.equal(message.baseSequence, 19_001);
  });
});
