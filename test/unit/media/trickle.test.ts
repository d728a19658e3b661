import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Trickle } from '../../../src/media/trickle.ts';
import { FakeTransport } from '../../fixtures/fake-transport.ts';

describe('candidates that trickle', () => {
  let sent: string[];
  let transport: FakeTransport;
  let trickle: Trickle;

  beforeEach(() => {
    sent = [];
    transport = new FakeTransport();
    trickle = new Trickle({ send: (candidate) => sent.push(candidate) });
  });

  it('of the viewer wait for its answer, in order, each once', () => {
    trickle.keep('candidate:1');
    trickle.keep('candidate:2');
    trickle.answered(transport);
    trickle.answered(transport);
    assert.deepEqual(transport.candidates, ['candidate:1', 'candidate:2']);
  });

  it('of the viewer are 64 at most', () => {
    for (let index = 0; index < 64; index += 1) trickle.keep(`candidate:${index}`);
    assert.throws(() => trickle.keep('candidate:64'), {
      code: 'MEDIA_SIGNALING_INVALID',
      message: 'More than 64 candidates came before the answer.',
    });
    trickle.answered(transport);
    assert.equal(transport.candidates.length, 64);
  });

  it('of the device wait for its offer, in order, each once', () => {
    trickle.hold('candidate:1');
    trickle.hold('candidate:2');
    assert.deepEqual(sent, []);
    trickle.offered();
    trickle.offered();
    assert.deepEqual(sent, ['candidate:1', 'candidate:2']);
  });

  it('of an offer that another replaces are not sent, and the viewer’s stay', () => {
    trickle.hold('candidate:old');
    trickle.keep('candidate:1');
    trickle.offerAgain();
    trickle.hold('candidate:new');
    trickle.offered();
    assert.deepEqual(sent, ['candidate:new']);
    trickle.answered(transport);
    assert.deepEqual(transport.candidates, ['candidate:1']);
  });

  it('of a viewer whose answer is no longer waited for are forgotten', () => {
    trickle.keep('candidate:1');
    trickle.forgetEarly();
    trickle.answered(transport);
    assert.deepEqual(transport.candidates, []);
  });
});
