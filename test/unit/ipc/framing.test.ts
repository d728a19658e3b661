import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FramingFault,
  frameMagic,
  headerBytes,
  headerLayout,
  payloadLimit,
} from '../../../src/ipc/framing.ts';
import { frameFlags, type MessageType, messageTypes } from '../../../src/ipc/messages.ts';

interface Decoded {
  readonly frames: Frame[];
  readonly fault: FramingFault | undefined;
  readonly decoder: FrameDecoder;
}

/** Decodes chunks as a socket would bring them, keeping copies of the payloads. */
function decode(chunks: Iterable<Buffer>): Decoded {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder((frame) => {
    frames.push({ ...frame, payload: Buffer.from(frame.payload) });
  });
  let fault: FramingFault | undefined;
  for (const chunk of chunks) fault = decoder.push(chunk);
  return { frames, fault, decoder };
}

/** Cuts at the given places; out-of-range and repeated ones cut nothing. */
function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (stream.length + 1)))].sort(
    (a, b) => a - b,
  );
  const ends = [...sorted, stream.length];
  // Each chunk is memory of its own, as it is from a socket.
  return ends.map((end, index) => Buffer.from(stream.subarray(ends[index - 1] ?? 0, end)));
}

function bytes(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 31 + seed) % 256));
}

const recorded: readonly Frame[] = [
  { type: 'hello', flags: 0, sequence: 0, timestampNs: 0n, payload: Buffer.from('{"a":1}') },
  { type: 'opus', flags: 0, sequence: 0, timestampNs: 12_345n, payload: bytes(160, 1) },
  {
    type: 'opus',
    flags: frameFlags.discontinuity,
    sequence: 2 ** 32 - 1,
    timestampNs: 2n ** 64n - 1n,
    payload: bytes(1_500, 2),
  },
  { type: 'opus', flags: 0, sequence: 0, timestampNs: 1n, payload: Buffer.alloc(0) },
  { type: 'stop', flags: 0, sequence: 0, timestampNs: 0n, payload: Buffer.from('{}') },
  {
    type: 'video',
    flags: frameFlags.keyframe | frameFlags.endOfStream,
    sequence: 7,
    timestampNs: 99n,
    payload: bytes(2_000, 3),
  },
  { type: 'pcm', flags: 0, sequence: 1, timestampNs: 100n, payload: bytes(1, 4) },
];

const stream = Buffer.concat(recorded.map((frame) => encodeFrame(frame, frame.payload)));

describe('encodeFrame', () => {
  it('lays the header out as documented', () => {
    const frame = encodeFrame(
      { type: 'opus', flags: 0x0102 & 0x7, sequence: 0x01020304, timestampNs: 0x1122334455667788n },
      Buffer.from('xyz'),
    );
    assert.equal(
      frame.toString('hex'),
      ['45525348', '01', '01', '0200', '03000000', '04030201', '8877665544332211', '78797a'].join(
        '',
      ),
    );
    assert.equal(frame.subarray(0, 4).toString('latin1'), 'ERSH');
  });
});

describe('FrameDecoder', () => {
  it('reads a recorded stream in one piece', () => {
    const { frames, fault, decoder } = decode([stream]);
    assert.equal(fault, undefined);
    assert.deepEqual(frames, recorded);
    assert.ok(decoder.idle);
  });

  it('reads it cut in two at every byte', () => {
    for (let place = 0; place <= stream.length; place += 1) {
      const { frames, fault } = decode(cut(stream, [place]));
      assert.equal(fault, undefined, `cut at ${place}`);
      assert.deepEqual(frames, recorded, `cut at ${place}`);
    }
  });

  it('reads it byte by byte', () => {
    const { frames, fault, decoder } = decode(Array.from(stream, (byte) => Buffer.from([byte])));
    assert.equal(fault, undefined);
    assert.deepEqual(frames, recorded);
    assert.ok(decoder.idle);
  });

  it('slices a whole frame out of the chunk, and copies only one that straddles', () => {
    let payload: Buffer | undefined;
    const decoder = new FrameDecoder((frame) => {
      payload = frame.payload;
    });
    const frame = encodeFrame(
      { type: 'video', flags: 0, sequence: 0, timestampNs: 0n },
      bytes(5_000, 1),
    );
    decoder.push(frame);
    assert.equal(payload?.buffer, frame.buffer);
    assert.equal(decoder.bufferedBytes, 0);
    decoder.push(frame.subarray(0, 1_000));
    decoder.push(frame.subarray(1_000));
    assert.notEqual(payload?.buffer, frame.buffer);
    assert.deepEqual(payload, bytes(5_000, 1));
    assert.equal(decoder.bufferedBytes, 5_000);
    const straddled = payload?.buffer;
    for (const part of cut(frame, [30, 2_000])) decoder.push(part);
    assert.equal(payload?.buffer, straddled, 'one buffer serves every straddling frame');
  });

  it('knows whether an end of the stream cuts a frame', () => {
    const { decoder } = decode([stream.subarray(0, 10)]);
    assert.equal(decoder.idle, false);
    decoder.push(stream.subarray(10, 26));
    assert.equal(decoder.idle, false);
  });

  it('hands out nothing more once stopped, within a chunk too', () => {
    let seen = 0;
    const decoder = new FrameDecoder(() => {
      seen += 1;
      decoder.stop();
    });
    decoder.push(stream);
    decoder.push(stream);
    assert.equal(seen, 1);
  });

  it('reads on after a handler threw', () => {
    const [first, second] = recorded;
    assert.ok(first !== undefined && second !== undefined);
    const seen: MessageType[] = [];
    const decoder = new FrameDecoder(({ type }) => {
      seen.push(type);
      if (type === 'hello') throw new Error('the handler');
    });
    const hello = encodeFrame(first, first.payload);
    assert.throws(() => [hello.subarray(0, 26), hello.subarray(26)].map((c) => decoder.push(c)));
    decoder.push(encodeFrame(second, second.payload));
    assert.deepEqual(seen, ['hello', 'opus']);
  });
});

describe('a framing fault', () => {
  const good = encodeFrame({ type: 'opus', flags: 0, sequence: 5, timestampNs: 6n }, bytes(20, 9));

  function broken(change: (frame: Buffer) => void): Decoded {
    const bad = Buffer.from(good);
    change(bad);
    return decode([good, bad, good]);
  }

  const faults: [field: FramingFault['field'], value: number, change: (frame: Buffer) => void][] = [
    ['magic', frameMagic + 1, (frame) => frame.writeUInt32LE(frameMagic + 1, 0)],
    ['version', 2, (frame) => frame.writeUInt8(2, 4)],
    ['version', 0, (frame) => frame.writeUInt8(0, 4)],
    ['type', 0, (frame) => frame.writeUInt8(0, 5)],
    ['type', 42, (frame) => frame.writeUInt8(42, 5)],
    ['flags', 16, (frame) => frame.writeUInt16LE(16, 6)],
    ['length', 1_501, (frame) => frame.writeUInt32LE(1_501, 8)],
    ['length', 2 ** 32 - 1, (frame) => frame.writeUInt32LE(2 ** 32 - 1, 8)],
  ];
  for (const [field, value, change] of faults) {
    it(`of the ${field} (${value}) ends the stream after the frames before it`, () => {
      const { frames, fault } = broken(change);
      assert.equal(frames.length, 1);
      assert.equal(fault?.field, field);
      assert.equal(fault?.value, value);
      assert.match(fault?.message ?? '', new RegExp(`^frame ${field} 0x`));
    });
  }

  it('lasts: whatever follows is not read', () => {
    const { decoder } = broken((frame) => frame.writeUInt8(2, 4));
    assert.equal(decoder.push(stream)?.field, 'version');
  });

  it('of a length is found before anything is allocated, for every type', () => {
    let type: MessageType;
    for (type in messageTypes) {
      const header = encodeFrame({ type, flags: 0, sequence: 0, timestampNs: 0n }, Buffer.alloc(0));
      for (const length of [payloadLimit(type) + 1, 2 ** 31, 2 ** 32 - 1]) {
        header.writeUInt32LE(length, 8);
        const { fault, decoder } = decode([header]);
        assert.equal(fault?.field, 'length', `${type} ${length}`);
        assert.equal(decoder.bufferedBytes, 0);
      }
      header.writeUInt32LE(payloadLimit(type), 8);
      const { fault, decoder } = decode([header]);
      assert.equal(fault, undefined);
      assert.equal(decoder.bufferedBytes, payloadLimit(type));
    }
  });
});

const knownTypes: ReadonlySet<number> = new Set(Object.values(messageTypes));
const anyType = fc.constantFrom<MessageType>(
  'opus',
  'video',
  'pcm',
  'picture',
  'hello',
  'event',
  'error',
);
const anyFrame = fc.record(
  {
    type: anyType,
    flags: fc.integer({ min: 0, max: 15 }),
    sequence: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    timestampNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    payload: fc.uint8Array({ maxLength: 1_500, size: 'large' }).map((array) => Buffer.from(array)),
  },
  { noNullPrototype: true },
);
const anyStream = fc.array(anyFrame, { maxLength: 12 }).map((frames) => ({
  frames,
  stream: Buffer.concat(frames.map((frame) => encodeFrame(frame, frame.payload))),
}));
const anyCuts = fc.array(fc.nat(), { maxLength: 20 });

/** The header field that holds byte `offset` of a frame. */
function fieldAt(offset: number): string {
  const entry = Object.entries(headerLayout).find(
    ([, { offset: from, size }]) => offset >= from && offset < from + size,
  );
  return entry?.[0] ?? 'payload';
}

describe('properties of the framing', () => {
  it('any messages come back under any cuts', () => {
    fc.assert(
      fc.property(anyStream, anyCuts, ({ frames, stream: wire }, cuts) => {
        const decoded = decode(cut(wire, cuts));
        assert.equal(decoded.fault, undefined);
        assert.deepEqual(decoded.frames, frames);
        assert.ok(decoded.decoder.idle);
      }),
      { numRuns: 300 },
    );
  });

  it('a corrupt byte never throws and never alters the frames before it', () => {
    fc.assert(
      fc.property(
        anyStream.filter(({ frames }) => frames.length > 0),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        anyCuts,
        ({ frames, stream: wire }, place, xor, cuts) => {
          const at = place % wire.length;
          const bad = Buffer.from(wire);
          bad.writeUInt8(bad.readUInt8(at) ^ xor, at);
          const { frames: got, fault } = decode(cut(bad, cuts));
          let start = 0;
          let index = 0;
          for (const { payload } of frames) {
            const length = headerBytes + payload.length;
            if (at < start + length) break;
            start += length;
            index += 1;
          }
          assert.deepEqual(got.slice(0, index), frames.slice(0, index));
          const field = fieldAt(at - start);
          if (field === 'magic' || field === 'version') {
            assert.equal(fault?.field, field, 'a corrupt header is a fault');
            assert.equal(got.length, index, 'and yields no frame');
          }
          if (field === 'sequence' || field === 'timestamp' || field === 'payload') {
            assert.equal(fault, undefined);
            assert.equal(got.length, frames.length, 'the frames after it are unharmed');
          }
          const flipped = bad.readUInt8(at);
          const unknown = field === 'type' && !knownTypes.has(flipped);
          const reserved = field === 'flags' && (at - start === 7 || flipped > 15);
          const tooLong = field === 'length' && at - start === 11;
          if (unknown || reserved || tooLong) {
            assert.equal(fault?.field, field, 'what no header can say is a fault');
            assert.equal(got.length, index);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a lying length is noticed at the next header', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_500 }),
        fc.integer({ min: 0, max: 1_500 }),
        (lie, length) => {
          // A lie that swallows whole frames leaves frames: nothing could tell.
          fc.pre((lie - length) % (headerBytes + length) !== 0);
          // A payload without the magic's bytes, so that nothing in it can pass for a header.
          const frame = encodeFrame(
            { type: 'opus', flags: 0, sequence: 0, timestampNs: 0n },
            Buffer.alloc(length, 0xff),
          );
          const liar = Buffer.from(frame);
          liar.writeUInt32LE(lie, 8);
          const { frames, fault, decoder } = decode([Buffer.concat([liar, frame, frame, frame])]);
          // Too short: the next header is payload. Too long: it lies inside a following frame, or never comes.
          assert.ok(frames.length <= 1);
          assert.ok(fault?.field === 'magic' || (fault === undefined && !decoder.idle));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('random bytes are never a frame, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4_000, size: 'large' }), anyCuts, (array, cuts) => {
        const noise = Buffer.from(array);
        fc.pre(noise.length < 4 || noise.readUInt32LE(0) !== frameMagic);
        const { frames, fault, decoder } = decode(cut(noise, cuts));
        assert.equal(frames.length, 0);
        assert.equal(fault?.field, noise.length < headerBytes ? undefined : 'magic');
        assert.equal(decoder.bufferedBytes, 0);
      }),
      { numRuns: 300 },
    );
  });
});
