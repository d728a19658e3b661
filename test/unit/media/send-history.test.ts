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
    assert.equal(history.isExhausted(1, 59, 20), false, 'the last one is under way');
    assert.equal(history.isExhausted(1, 60, 20), true);
    assert.equal(history.repeat(1, 1_000, 20), undefined);
    assert.equal(history.isExhausted(2, 1_000, 20), false);
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

  test('holds as many packets as it is told, and repeats what its own budget allows', () => {
    const asked: number[] = [];
    const history = new SendHistory({
      nowMs: 0,
      packets: 2_048,
      budget: {
        take(_nowMs, bytes) {
          asked.push(bytes);
          return asked.length < 3;
        },
      },
    });
    for (let index = 0; index < 3_000; index += 1) history.add(index, packet('four'));
    assert.equal(history.repeat(951, 0, 0), undefined);
    assert.ok(history.repeat(952, 0, 0));
    assert.ok(history.packet(2_999));
    assert.equal(history.packet(3_000), undefined);
    assert.ok(history.repeat(2_999, 0, 0));
    assert.equal(history.repeat(2_998, 0, 0), undefined);
    assert.deepEqual(asked, [4, 4, 4]);
  });
});
