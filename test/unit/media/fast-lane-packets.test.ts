import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  fastLaneLabel,
  fastLanePingMs,
  fastLaneProtocol,
  fastLaneSilenceMs,
  maxFastLaneMessageBytes,
  maxFastLanePayloadBytes,
  messageTypeOf,
  type PingMessage,
  readPing,
  readPong,
  readSound,
  type SoundMessage,
  unknownReport,
  writePing,
  writePong,
  writeSound,
} from '../../../src/media/fast-lane-packets.ts';

const maxTimeUs = Number.MAX_SAFE_INTEGER;

const sound: SoundMessage = {
  sequence: 0xfffe,
  timestamp: 0xfffffff0,
  captureTimeUs: 0x1f_0123_4567_89ab,
  discontinuity: true,
  payload: Uint8Array.of(0xfc, 1, 2, 3),
  previous: undefined,
};

const ping: PingMessage = {
  id: 0xdeadbeef,
  wantsSound: true,
  wantsRedundancy: false,
  report: {
    isSounding: true,
    delayMs: 46.25,
    targetMs: 7.5,
    jitterMs: 1.125,
    roundTripMs: 0.375,
    driftPpm: -31.5,
    received: 123_456,
    lost: 3,
    recovered: 40,
    late: 1,
    malformed: 0,
    concealedMs: 15,
    underrunMs: 2.5,
  },
};

/** A copy with one byte replaced. */
function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

function withNumber(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setFloat64(8 + index * 8, value);
  return copy;
}

const arbitraryPayload = fc.uint8Array({ minLength: 1, maxLength: maxFastLanePayloadBytes });
const arbitraryTime = fc.integer({ min: 0, max: maxTimeUs });
const arbitrarySound = fc.record(
  {
    sequence: fc.integer({ min: 0, max: 0xffff }),
    timestamp: fc.integer({ min: 0, max: 0xffffffff }),
    captureTimeUs: arbitraryTime,
    discontinuity: fc.boolean(),
    payload: arbitraryPayload,
    previous: fc.option(arbitraryPayload, { nil: undefined }),
  },
  { noNullPrototype: true },
);

describe('sound messages', () => {
  test('are the bytes that FAST-LANE.md says', () => {
    assert.deepEqual(
      [...writeSound(sound)],
      [
        ...[1, 1, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xf0],
        ...[0, 0x1f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab],
        ...[0xfc, 1, 2, 3],
      ],
    );
    const redundant = { ...sound, discontinuity: false, previous: Uint8Array.of(8, 9) };
    assert.deepEqual(
      [...writeSound(redundant)].slice(0, 2).concat([...writeSound(redundant)].slice(16)),
      [1, 2, 0, 2, 8, 9, 0xfc, 1, 2, 3],
    );
  });

  test('are read as they were written', () => {
    fc.assert(
      fc.property(arbitrarySound, (message) => {
        const bytes = writeSound(message);
        assert.ok(bytes.length <= maxFastLaneMessageBytes);
        assert.equal(messageTypeOf(bytes), 'sound');
        assert.deepEqual(readSound(bytes), message);
      }),
    );
  });

  test('are read out of the middle of a larger buffer, without a copy', () => {
    const bytes = writeSound({ ...sound, previous: Uint8Array.of(5) });
    const within = new Uint8Array(bytes.length + 20);
    within.set(bytes, 7);
    const read = readSound(within.subarray(7, 7 + bytes.length));
    assert.deepEqual(read, { ...sound, previous: Uint8Array.of(5) });
    assert.equal(read.payload.buffer, within.buffer);
  });

  test('take sequence and timestamp modulo their width', () => {
    const read = readSound(writeSound({ ...sound, sequence: 0x10002, timestamp: 0x1_0000_0003 }));
    assert.deepEqual([read?.sequence, read?.timestamp], [2, 3]);
  });

  test('are not written with an Opus packet or a time that cannot be', () => {
    for (const payload of [new Uint8Array(0), new Uint8Array(maxFastLanePayloadBytes + 1)]) {
      assert.throws(() => writeSound({ ...sound, payload }), RangeError);
      assert.throws(() => writeSound({ ...sound, previous: payload }), RangeError);
    }
    for (const captureTimeUs of [-1, 0.5, Number.NaN, maxTimeUs + 1]) {
      assert.throws(() => writeSound({ ...sound, captureTimeUs }), RangeError);
    }
  });

  test('are malformed with every shape that cannot be', () => {
    const plain = writeSound(sound);
    const redundant = writeSound({ ...sound, previous: Uint8Array.of(8, 9) });
    const big = new Uint8Array(16 + maxFastLanePayloadBytes + 1);
    big.set(plain);
    const shapes: Record<string, Uint8Array> = {
      empty: new Uint8Array(0),
      'type only': plain.subarray(0, 1),
      'header only': plain.subarray(0, 16),
      'another type': withByte(plain, 0, 2),
      'unknown flag': withByte(plain, 1, 4),
      'all flags': withByte(plain, 1, 0xff),
      'time past 2^53': withByte(plain, 9, 0x20),
      'payload too long': big,
      'message too long': new Uint8Array(maxFastLaneMessageBytes + 1).fill(1, 0, 1),
      'redundancy without a length': redundant.subarray(0, 17),
      'redundancy without a packet': redundant.subarray(0, 18),
      'redundancy of no bytes': withByte(redundant, 17, 0),
      'redundancy past the end': withByte(redundant, 17, 200),
      'redundancy far past the end': withByte(redundant, 16, 0xff),
      'redundancy and no payload': redundant.subarray(0, 20),
    };
    for (const [shape, bytes] of Object.entries(shapes)) {
      assert.equal(readSound(bytes), undefined, shape);
    }
  });
});

describe('pongs', () => {
  const pong = { id: 0xffffffff, receivedUs: 1_234_567_890_123, sentUs: 1_234_567_890_456 };

  test('are read as they were written', () => {
    assert.deepEqual(readPong(writePong(pong)), pong);
    assert.equal(messageTypeOf(writePong(pong)), 'pong');
    assert.equal(writePong(pong).length, 24);
    fc.assert(
      fc.property(fc.nat(0xffffffff), arbitraryTime, (id, timeUs) => {
        const message = { id, receivedUs: timeUs, sentUs: timeUs };
        assert.deepEqual(readPong(writePong(message)), message);
      }),
    );
  });

  test('are malformed with every shape that cannot be', () => {
    const bytes = writePong(pong);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(readPong(bytes.subarray(0, length)), undefined);
    }
    assert.equal(readPong(Uint8Array.of(...bytes, 0)), undefined);
    for (const at of [0, 1, 2, 3, 8, 9, 16, 17]) {
      assert.equal(readPong(withByte(bytes, at, 0xf0)), undefined, `byte ${at}`);
    }
    assert.equal(
      readPong(writePong({ ...pong, sentUs: pong.receivedUs - 1 })),
      undefined,
      'sent before it came',
    );
    assert.throws(() => writePong({ ...pong, sentUs: -1 }), RangeError);
  });
});

describe('pings', () => {
  test('are read as they were written', () => {
    for (const flags of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const message = {
        ...ping,
        wantsSound: (flags & 1) !== 0,
        wantsRedundancy: (flags & 2) !== 0,
        report: { ...ping.report, isSounding: (flags & 4) !== 0 },
      };
      assert.deepEqual(readPing(writePing(message)), message);
      assert.equal(writePing(message)[1], flags);
    }
    const silent = { ...ping, report: unknownReport };
    assert.deepEqual(readPing(writePing(silent)), silent);
    assert.equal(messageTypeOf(writePing(ping)), 'ping');
    assert.equal(writePing(ping).length, 104);
  });

  test('say "unknown" or the largest for a number out of range', () => {
    const odd = {
      ...ping.report,
      delayMs: Number.NaN,
      targetMs: -0.25,
      jitterMs: Number.POSITIVE_INFINITY,
      driftPpm: Number.NEGATIVE_INFINITY,
      received: 10.75,
      lost: Number.POSITIVE_INFINITY,
    };
    const read = readPing(writePing({ ...ping, report: odd }))?.report;
    assert.deepEqual(
      [read?.delayMs, read?.targetMs, read?.jitterMs, read?.driftPpm, read?.received, read?.lost],
      [-1, -1, 0xffffffff, -100_000, 10, Number.MAX_SAFE_INTEGER],
    );
    const noDrift = { ...ping.report, driftPpm: Number.NaN };
    assert.equal(readPing(writePing({ ...ping, report: noDrift }))?.report.driftPpm, 0);
  });

  test('are malformed with every shape that cannot be', () => {
    const bytes = writePing(ping);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(readPing(bytes.subarray(0, length)), undefined);
    }
    assert.equal(readPing(Uint8Array.of(...bytes, 0)), undefined);
    assert.equal(readPing(withByte(bytes, 0, 1)), undefined);
    assert.equal(readPing(withByte(bytes, 1, 8)), undefined);
    assert.equal(readPing(withByte(bytes, 2, 1)), undefined);
    assert.equal(readPing(withByte(bytes, 3, 1)), undefined);
    const never = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300];
    for (let index = 0; index < 12; index += 1) {
      for (const value of never) {
        assert.equal(readPing(withNumber(bytes, index, value)), undefined, `${index}: ${value}`);
      }
      const isDrift = index === 4;
      assert.equal(readPing(withNumber(bytes, index, -2)) === undefined, !isDrift, `${index}`);
      const isCount = index >= 5 && index <= 9;
      assert.equal(readPing(withNumber(bytes, index, 1.5)) === undefined, isCount, `${index}`);
    }
  });
});

test('no reader throws or takes another type, whatever comes', () => {
  const readers = { sound: readSound, pong: readPong, ping: readPing };
  const arbitraryMessage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => withByte(bytes, 0, (bytes[0] ?? 0) % 4)),
    fc
      .tuple(
        fc.constantFrom(
          writeSound(sound),
          writePong({ ...ping, receivedUs: 1, sentUs: 2 }),
          writePing(ping),
        ),
        fc.nat(),
        fc.nat(255),
      )
      .map(([bytes, at, value]) => withByte(bytes, at % bytes.length, value)),
  );
  fc.assert(
    fc.property(arbitraryMessage, (bytes) => {
      const type = messageTypeOf(bytes);
      for (const [name, read] of Object.entries(readers)) {
        const message = read(bytes);
        if (name !== type) assert.equal(message, undefined);
      }
      const message = readSound(bytes);
      if (message !== undefined) assert.deepEqual(writeSound(message), bytes);
    }),
    { numRuns: 2_000 },
  );
});

test('FAST-LANE.md has the names and numbers of the code', () => {
  const url = new URL('../../../src/media/FAST-LANE.md', import.meta.url);
  const text = readFileSync(url, 'utf8');
  const numbers = [
    fastLanePingMs,
    fastLaneSilenceMs / 1_000,
    maxFastLaneMessageBytes,
    maxFastLanePayloadBytes,
  ].map((value) => value.toLocaleString('en-US'));
  for (const word of [fastLaneLabel, fastLaneProtocol, ...numbers, ...Object.keys(ping.report)]) {
    assert.ok(text.includes(word), `${word} is missing`);
  }
});
