import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type InboundChunk, InboundStream } from '../../../src/media/sctp-inbound-stream.ts';

const [last, first, unordered] = [1, 2, 4];
const whole = first | last;

function chunk(tsn: number, changes: Partial<InboundChunk> = {}): InboundChunk {
  return {
    tsn: tsn >>> 0,
    streamId: 2,
    streamSeqNum: 0,
    protocol: 53,
    flags: whole,
    userData: Buffer.from([tsn & 0xff]),
    ...changes,
  };
}

/** Texts of what came out. */
function taken(stream: InboundStream): string[] {
  return [...stream.popMessages()].map(([, , data]) => data.toString('hex'));
}

function add(stream: InboundStream, ...chunks: readonly InboundChunk[]): string[] {
  const out: string[] = [];
  for (const each of chunks) {
    stream.addChunk(each);
    out.push(...taken(stream));
  }
  return out;
}

describe('an ordered stream', () => {
  test('gives out everything behind a gap as soon as it is filled', () => {
    const stream = new InboundStream();
    const behind = [12, 14, 17].map((tsn, index) => chunk(tsn, { streamSeqNum: index + 1 }));
    assert.deepEqual(add(stream, ...behind), []);
    assert.equal(stream.keptBytes, 3);
    assert.equal(stream.keptFragments, 0);
    assert.deepEqual(add(stream, chunk(10)), ['0a', '0c', '0e', '11']);
    assert.equal(stream.keptBytes, 0);
  });

  test('puts fragments together, whatever their order', () => {
    const stream = new InboundStream();
    const parts = [first, 0, last].map((flags, index) => chunk(20 + index, { flags }));
    const after = chunk(23, { streamSeqNum: 1 });
    assert.deepEqual(add(stream, after, ...parts.toReversed()), ['141516', '17']);
  });

  test('goes on over the wrap of both kinds of numbers', () => {
    const stream = new InboundStream();
    for (const sequence of [0x6000, 0xc000, 0xfffe]) stream.skip(sequence);
    const chunks = [-2, -1, 0, 1].map((tsn) =>
      chunk(tsn, { streamSeqNum: (0xffff + tsn + 2) & 0xffff }),
    );
    assert.deepEqual(add(stream, ...chunks.toReversed()), ['fe', 'ff', '00', '01']);
  });

  test('goes on after what the viewer gave up', () => {
    const stream = new InboundStream();
    assert.deepEqual(add(stream, chunk(11, { streamSeqNum: 2, userData: Buffer.alloc(5, 1) })), []);
    assert.deepEqual(add(stream, chunk(9, { streamSeqNum: 1, flags: first })), []);
    assert.equal(stream.skip(1), 1);
    assert.deepEqual(taken(stream), ['0101010101']);
  });

  test('gives out every message once and in order, however they come', () => {
    const count = 60;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.gen(), (start, gen) => {
        const chunks: InboundChunk[] = [];
        const expected: string[] = [];
        for (let sequence = 0; sequence < count; sequence += 1) {
          // Numbers of other streams lie between.
          const tsn = start + chunks.length + 3 * sequence;
          const parts = gen(fc.integer, { min: 1, max: 3 });
          const userData = Buffer.from([sequence]);
          for (let part = 0; part < parts; part += 1) {
            const flags = (part === 0 ? first : 0) | (part === parts - 1 ? last : 0);
            chunks.push(chunk(tsn + part, { streamSeqNum: sequence, flags, userData }));
          }
          expected.push(Buffer.alloc(parts, sequence).toString('hex'));
        }
        const shuffled = gen(fc.shuffledSubarray, chunks, { minLength: chunks.length });
        const stream = new InboundStream();
        assert.deepEqual(add(stream, ...shuffled), expected);
        assert.equal(stream.keptBytes, 0);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an unordered stream', () => {
  test('gives out a whole message at once', () => {
    const stream = new InboundStream();
    const flags = whole | unordered;
    assert.deepEqual(add(stream, chunk(9, { flags }), chunk(7, { flags })), ['09', '07']);
  });

  test('gives out fragments when they are whole, and forgets what the viewer gave up', () => {
    const stream = new InboundStream();
    const part = (tsn: number, flags: number) => chunk(tsn, { flags: flags | unordered });
    assert.deepEqual(add(stream, part(6, last), part(1, first), part(4, first)), []);
    assert.deepEqual(add(stream, part(5, 0)), ['040506']);
    assert.equal(stream.keptFragments, 1);
    assert.equal(stream.forget(3), 1);
    assert.equal(stream.keptBytes, 0);
    assert.deepEqual(add(stream, part(2, 0), part(3, last)), []);
  });
});
