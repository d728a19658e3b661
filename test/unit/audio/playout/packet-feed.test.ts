import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type FedPacket, PacketFeed } from '../../../../src/audio/playout/packet-feed.ts';

const targetMs = 30;

/** The packet at `index` of a stream of 10 ms packets, which came 2 ms after it could be sent. */
function packet(index: number, more: Partial<FedPacket<number>> = {}): FedPacket<number> {
  const sequence = (100 + index) & 0xffff;
  const timestamp = (index * 480) >>> 0;
  const arrivalMs = (index + 1) * 10 + 2;
  return {
    sequence,
    timestamp,
    samples: 480,
    payload: index,
    arrivalMs,
    recovered: false,
    ...more,
  };
}

/** Everything that is to be decoded now. */
function taken(feed: PacketFeed<number>, nowMs: number, target = targetMs): number[] {
  const order: number[] = [];
  for (;;) {
    const next = feed.next(nowMs, target);
    if (next === undefined) return order;
    order.push(next.payload);
  }
}

/** A feed that has had 50 packets, of which one in eight came 9 ms late, or none. */
function settled({ lateMs = 9 } = {}): PacketFeed<number> {
  const feed = new PacketFeed<number>();
  for (let index = 0; index < 50; index += 1) {
    const arrivalMs = packet(index).arrivalMs + (index % 8 === 3 ? lateMs : 0);
    feed.insert(packet(index, { arrivalMs }));
    assert.deepEqual(taken(feed, arrivalMs), [index]);
  }
  return feed;
}

describe('the packet feed', () => {
  it('hands packets on as they come, when they come in order', () => {
    const feed = settled();
    assert.equal(feed.next(1_000, targetMs), undefined);
    assert.equal(feed.deadlineMs(targetMs), Number.POSITIVE_INFINITY);
    assert.deepEqual(feed.counts, {
      ...{ received: 50, recovered: 0, duplicate: 0, late: 0, lost: 0, resets: 0 },
    });
  });

  it('puts them in order, and says how long each was held', () => {
    const feed = settled();
    feed.insert(packet(51));
    assert.equal(feed.next(522, targetMs), undefined);
    feed.insert(packet(50, { arrivalMs: 523.5 }));
    assert.deepEqual(feed.next(523.5, targetMs), {
      ...{ sequence: 150, timestamp: 24_000, samples: 480, payload: 50, heldMs: 0, gap: 0 },
    });
    assert.equal(feed.next(523.5, targetMs)?.heldMs, 1.5);
    feed.insert(packet(52));
    assert.equal(feed.next(540, targetMs)?.heldMs, 0, 'what waited for nobody was not held');
  });

  it('fills a hole from the copy in the next packet; the original is a duplicate then', () => {
    const feed = settled();
    assert.equal(feed.insert(packet(51)), 'queued');
    assert.equal(feed.insert(packet(50, { arrivalMs: 522, recovered: true })), 'queued');
    assert.deepEqual(taken(feed, 522), [50, 51]);
    assert.equal(feed.insert(packet(50, { arrivalMs: 523 })), 'duplicate');
    const { recovered, duplicate, lost, received } = feed.counts;
    assert.deepEqual(
      { recovered, duplicate, lost, received },
      {
        ...{ recovered: 1, duplicate: 1, lost: 0, received: 52 },
      },
    );
  });

  it('takes copies of what it has for granted', () => {
    const feed = settled();
    assert.equal(feed.insert(packet(49, { recovered: true })), 'duplicate');
    assert.equal(feed.insert(packet(20, { recovered: true })), 'duplicate');
    assert.deepEqual([feed.counts.duplicate, feed.counts.recovered], [0, 0]);
  });

  it('waits no longer than packets are late on this network', () => {
    const feed = settled();
    feed.insert(packet(51));
    // Due at 512; packets are up to 9 ms late here, and 3 ms of grace.
    assert.equal(feed.deadlineMs(targetMs), 524);
    assert.deepEqual(taken(feed, 523.9), []);
    const next = feed.next(524, targetMs);
    assert.deepEqual([next?.payload, next?.gap, next?.heldMs], [51, 1, 2]);
    assert.equal(feed.insert(packet(50, { arrivalMs: 525 })), 'late');
    assert.deepEqual([feed.counts.lost, feed.counts.late], [1, 1]);
  });

  it('gives up a lost packet at once when packets are never late', () => {
    const feed = settled({ lateMs: 0 });
    feed.insert(packet(51));
    assert.deepEqual(taken(feed, packet(51).arrivalMs), [51]);
  });

  it('waits as long as packets are late, but not beyond what can be played in time', () => {
    const feed = new PacketFeed<number>();
    for (let index = 0; index < 200; index += 1) {
      const lateMs = index % 4 === 0 ? 30 : 0;
      feed.insert(packet(index, { arrivalMs: packet(index).arrivalMs + lateMs }));
      taken(feed, packet(index).arrivalMs + lateMs, 60);
    }
    taken(feed, 2_100, 60);
    feed.insert(packet(201));
    const quickestMs = 2_012;
    assert.ok(Math.abs(feed.deadlineMs(60) - (quickestMs + 33)) < 1, `${feed.deadlineMs(60)}`);
    assert.equal(feed.deadlineMs(20), quickestMs + 15);
    assert.equal(feed.deadlineMs(0), quickestMs);
  });

  it('holds a bounded number of packets', () => {
    const feed = new PacketFeed<number>({ maxHeldPackets: 4 });
    for (let index = 0; index < 100; index += 1) {
      const arrivalMs = packet(index).arrivalMs + (index % 2) * 150;
      feed.insert(packet(index, { arrivalMs }));
    }
    assert.equal(taken(feed, 1_012, 200).length, 100);
    for (let index = 101; index <= 104; index += 1) feed.insert(packet(index));
    assert.deepEqual(taken(feed, 1_052, 200), []);
    feed.insert(packet(105));
    assert.deepEqual(taken(feed, 1_062, 200), [101, 102, 103, 104, 105]);
    assert.equal(feed.counts.lost, 1);
  });

  it('goes on over wraps of sequence number and timestamp', () => {
    const feed = new PacketFeed<number>();
    const order: number[] = [];
    for (let index = 0; index < 100; index += 1) {
      const sequence = (65_500 + index) & 0xffff;
      const timestamp = (0xffff_ffff - 480 * 50 + index * 480) >>> 0;
      assert.equal(feed.insert(packet(index, { sequence, timestamp })), 'queued');
      order.push(...taken(feed, packet(index).arrivalMs));
    }
    assert.deepEqual(
      order,
      Array.from({ length: 100 }, (_, index) => index),
    );
    assert.equal(feed.counts.resets, 0);
  });

  it('begins anew at a jump that no network makes', () => {
    const feed = settled();
    feed.insert(packet(51));
    const restarted = packet(0, { sequence: 30_000, timestamp: 7, payload: 999, arrivalMs: 530 });
    assert.equal(feed.insert(restarted), 'reset');
    const next = feed.next(530, targetMs);
    assert.deepEqual([next?.payload, next?.gap], [999, 0]);
    assert.deepEqual([feed.counts.resets, feed.counts.lost], [1, 0]);
    assert.equal(feed.next(530, targetMs), undefined, 'nothing of before is left');
  });

  it('begins anew when told', () => {
    const feed = settled();
    feed.insert(packet(51));
    feed.reset();
    assert.equal(feed.deadlineMs(targetMs), Number.POSITIVE_INFINITY);
    assert.equal(feed.insert(packet(7, { arrivalMs: 600 })), 'queued');
    assert.deepEqual(taken(feed, 600), [7]);
  });

  it('does not let time go back', () => {
    const feed = settled();
    feed.insert(packet(51));
    assert.equal(feed.next(523, targetMs), undefined);
    assert.equal(feed.next(100, targetMs), undefined);
    assert.equal(feed.next(524, targetMs)?.heldMs, 2);
  });

  it('refuses what is no packet that can be played', () => {
    const feed = settled();
    for (const samples of [0, -480, 119, 5_761, Number.NaN]) {
      assert.equal(feed.insert(packet(50, { samples })), 'late');
    }
    assert.equal(feed.counts.late, 5);
    feed.insert(packet(50));
    assert.deepEqual(taken(feed, 512), [50]);
  });

  it('whatever comes: in order, nothing twice, and every packet is accounted for', () => {
    const events = fc.array(
      fc.record({
        index: fc.nat(80),
        recovered: fc.boolean(),
        afterMs: fc.nat(15),
        take: fc.boolean(),
        jump: fc.oneof(
          { weight: 30, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
        ),
      }),
      { maxLength: 200, size: 'max' },
    );
    fc.assert(
      fc.property(events, (list) => {
        const feed = new PacketFeed<number>({ maxHeldPackets: 16 });
        let nowMs = 0;
        let last = -1;
        let resets = 0;
        for (const { index, recovered, afterMs, take, jump } of list) {
          nowMs += afterMs;
          const timestamp = (index * 480 + jump) >>> 0;
          feed.insert(packet(index, { timestamp, recovered, arrivalMs: nowMs }));
          if (feed.counts.resets !== resets) last = -1;
          resets = feed.counts.resets;
          if (!take) continue;
          for (const got of taken(feed, nowMs, 30)) {
            assert.ok(got > last, `${got} after ${last}`);
            last = got;
          }
          assert.ok(feed.deadlineMs(30) > 0);
        }
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});
