import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readSctpPacket, type SctpProgress } from '../../../src/media/sctp-packet.ts';
import {
  dataChunk,
  initChunk,
  sackChunk,
  sctpChunk,
  sctpPacket,
  words,
} from '../../fixtures/sctp-packets.ts';

const fresh: SctpProgress = {
  established: false,
  receivedTsn: undefined,
  ackedTsn: 99,
  sentTsn: 99,
};
const live: SctpProgress = { established: true, receivedTsn: 999, ackedTsn: 99, sentTsn: 109 };

function holds(progress: SctpProgress, ...chunks: readonly Buffer[]): boolean {
  return readSctpPacket(sctpPacket(7, ...chunks), progress) !== undefined;
}

describe('SCTP packets', () => {
  test('what a browser sends passes', () => {
    const parameters = Buffer.concat([
      sctpChunk(0xc0, Buffer.alloc(0)),
      words(0x8008_0006, 0xc082_0000),
    ]);
    assert.ok(holds(fresh, initChunk({ parameters })));
    const opening = { ...fresh, receivedTsn: 999 };
    assert.ok(holds(opening, sctpChunk(10, Buffer.alloc(24)), dataChunk({ tsn: 1_000 })));
    assert.ok(holds(live, dataChunk({ tsn: 1_000 }), dataChunk({ tsn: 1_001 })));
    assert.ok(holds(live, sackChunk(103, [2, 2], [4, 6]), dataChunk({ tsn: 1_000 })));
    assert.ok(holds(live, sctpChunk(192, words(1_010))));
    assert.ok(holds(live, sctpChunk(192, words(1_010, 0x0001_0005))));
    assert.ok(holds(live, sctpChunk(4, words(0x0001_0008, 5))));
    const reset = Buffer.concat([words(0x000d_0012, 1, 2, 3), Buffer.from([0, 2])]);
    assert.ok(holds(live, sctpChunk(130, reset)));
    assert.ok(holds(live, sctpChunk(130, words(0x0010_000c, 1, 1))));
    assert.ok(holds(live, sctpChunk(6, Buffer.alloc(0))));
  });

  test('says what has to be kept', () => {
    const chunks = [7, 7, 3, 6, 4, 5].map((flags, index) =>
      dataChunk({ tsn: 1_000 + index, flags }),
    );
    assert.deepEqual(readSctpPacket(sctpPacket(7, ...chunks), live), {
      data: 6,
      keeps: 4,
      fragments: 3,
    });
  });

  test('lengths that do not hold are refused', () => {
    assert.equal(readSctpPacket(Buffer.alloc(0), live), undefined);
    assert.equal(readSctpPacket(Buffer.alloc(12), live), undefined);
    assert.equal(readSctpPacket(sctpPacket(7, sctpChunk(4, Buffer.alloc(2_100))), live), undefined);
    for (const length of [0, 3, 21, 0xffff]) {
      assert.ok(
        !holds(live, sctpChunk(0, words(1_000, 0, 53, 1), { flags: 7, length })),
        `${length}`,
      );
    }
    assert.ok(!holds(live, dataChunk({ tsn: 1_000, data: Buffer.alloc(0) })));
    assert.ok(!holds(live, ...Array.from({ length: 65 }, () => sctpChunk(6, Buffer.alloc(0)))));
    assert.ok(!holds(live, sctpChunk(4, words(0x0001_0000))), 'parameter of length 0');
    assert.ok(!holds(live, sctpChunk(4, words(0x0001_ffff))), 'parameter beyond the end');
    assert.ok(
      !holds(live, sctpChunk(4, words(0x0001_0104, ...Array<number>(64).fill(1)))),
      'heartbeat of 260 bytes',
    );
    assert.ok(!holds(live, sctpChunk(10, Buffer.alloc(23))), 'cookie');
    assert.ok(!holds(live, sctpChunk(130, words(0x000d_000c, 1, 2))), 'reset without its numbers');
    assert.ok(!holds(live, sctpChunk(130, words(0x0011_000c, 1, 2))), 'more streams');
    assert.ok(!holds(live, sctpChunk(7, words(1))), 'SHUTDOWN');
    assert.ok(!holds(live, sctpChunk(99, words(1))), 'a type nobody knows');
  });

  test('sequence numbers that cannot be right are refused', () => {
    for (const tsn of [999 + 65_537, 999 - 4_096, 0x8000_0000]) {
      assert.ok(!holds(live, dataChunk({ tsn })), `DATA ${tsn}`);
    }
    assert.ok(holds(live, dataChunk({ tsn: 999 + 65_536 })));
    assert.ok(
      holds({ ...live, receivedTsn: 0xffff_fffe }, dataChunk({ tsn: 2 })),
      'across the wrap',
    );
    assert.ok(!holds(live, dataChunk({ tsn: 1_000, streamId: 1_024 })));
    assert.ok(!holds(fresh, dataChunk({ tsn: 1_000 })), 'DATA before INIT');
    assert.ok(!holds(fresh, sctpChunk(192, words(5))), 'FORWARD-TSN before INIT');
    assert.ok(!holds(live, sctpChunk(192, words(999 + 4_097))));
    assert.ok(!holds(live, sackChunk(110)), 'SACK of what was never sent');
    assert.ok(!holds(live, sackChunk(103, [1, 7])));
    assert.ok(!holds(live, sackChunk(103, [3, 2])));
    assert.ok(!holds(live, sackChunk(103, [2, 4], [4, 5])), 'overlapping blocks');
    assert.ok(
      !holds(live, sctpChunk(3, words(103, 65_536, 0x0010_0000))),
      'blocks that are not there',
    );
  });

  test('INIT stands alone, before the association, with streams and numbers', () => {
    assert.ok(!holds(live, initChunk()));
    assert.ok(!holds(fresh, initChunk(), sctpChunk(6, Buffer.alloc(0))));
    assert.ok(!holds(fresh, initChunk({ tag: 0 })));
    assert.ok(!holds(fresh, initChunk({ tsn: 0 })));
    assert.ok(!holds(fresh, initChunk({ parameters: words(0x8008_0000) })));
  });

  test('no bytes make it throw', () => {
    const type = fc.constantFrom(0, 1, 3, 4, 5, 6, 10, 130, 192);
    const chunk = fc
      .tuple(type, fc.uint8Array({ maxLength: 60 }), fc.nat(0xffff), fc.boolean())
      .map(([kind, body, length, lies]) =>
        sctpChunk(kind, Buffer.from(body), lies ? { length } : {}),
      );
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 5 }),
        fc.constantFrom(fresh, live),
        (chunks, progress) => {
          readSctpPacket(sctpPacket(7, ...chunks), progress);
        },
      ),
    );
  });
});
