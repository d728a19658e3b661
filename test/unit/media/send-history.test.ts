import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SendHistory } from '../../../src/media/send-history.ts';

const packet = (text: string) => ({ header: Buffer.alloc(12), payload: Buffer.from(text) });

describe('SendHistory', () => {
  test('gives back the last 1,024 packets, over a wrap, and nothing older', () => {
    const history = new SendHistory({ nowMs: 0 });
    for (let index = 65_000; index < 67_000; index += 1) {
      history.add(index & 0xffff, packet(`${index}`));
    }
    assert.equal(history.repeat(66_999 & 0xffff, 0, 0)?.payload.toString(), '66999');
    assert.equal(history.repeat(65_976 & 0xffff, 0, 0)?.payload.toString(), '65976');
    assert.equal(history.repeat(65_975 & 0xffff, 0, 0), undefined);
    assert.equal(history.repeat(5_000, 0, 0), undefined);
  });

  test('a packet is repeated three times at most, and not while a repeat is under way', () => {
    const history = new SendHistory({ nowMs: 0 });
    history.add(1, packet('a'));
    assert.ok(history.repeat(1, 0, 20));
    assert.equal(history.repeat(1, 19, 20), undefined);
    assert.ok(history.repeat(1, 20, 20));
    assert.ok(history.repeat(1, 40, 20));
    assert.equal(history.repeat(1, 1_000, 20), undefined);
  });

  test('no more than 50 packets a second are repeated', () => {
    const history = new SendHistory({ nowMs: 0 });
    for (let index = 0; index < 1_000; index += 1) history.add(index, packet(`${index}`));
    let repeated = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
      if (history.repeat(nowMs / 10, nowMs, 20)) repeated += 1;
    }
    assert.ok(repeated >= 500 && repeated <= 550, `${repeated}`);
  });
});
