import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { packetizeH264, splitAnnexB } from '../../../src/media/h264-payload.ts';
import { maxVideoPayloadBytes } from '../../../src/media/packet-size.ts';

/** A NAL unit as an encoder makes it: no start code inside (emulation prevention), no zero at the end. */
function nal(type: number, body: Uint8Array, importance = 3): Buffer {
  const unit = Buffer.from([(importance << 5) | type, ...body, 0x80]);
  for (let at = 1; at < unit.length; at += 1) if (unit[at] === 0) unit[at] = 1;
  return unit;
}

const unitArbitrary = fc
  .tuple(
    fc.constantFrom(1, 5, 6, 7, 8),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 1_100, max: 5_000 }).map((length) => new Uint8Array(length).fill(0x55)),
    ),
    fc.nat({ max: 3 }),
  )
  .map(([type, body, importance]) => nal(type, body, importance));

const shortCode = Buffer.from([0, 0, 1]);
const longCode = Buffer.from([0, 0, 0, 1]);

function annexB(units: readonly Buffer[], code = longCode): Buffer {
  return Buffer.concat(units.flatMap((unit) => [code, unit]));
}

/** The NAL units in payloads, by RFC 6184 §5.6–5.8. */
function depacketize(payloads: readonly Buffer[]): Buffer[] {
  const units: Buffer[] = [];
  let parts: Buffer[] = [];
  for (const payload of payloads) {
    const header = payload.readUInt8(0);
    if ((header & 0x1f) === 24) {
      for (let at = 1; at < payload.length; ) {
        const end = at + 2 + payload.readUInt16BE(at);
        units.push(payload.subarray(at + 2, end));
        at = end;
      }
    } else if ((header & 0x1f) === 28) {
      const place = payload.readUInt8(1);
      if ((place & 0x80) !== 0) parts = [Buffer.from([(header & 0xe0) | (place & 0x1f)])];
      parts.push(payload.subarray(2));
      if ((place & 0x40) !== 0) units.push(Buffer.concat(parts));
    } else {
      units.push(payload);
    }
  }
  return units;
}

describe('H.264 payloads (RFC 6184)', () => {
  test('the NAL units of any access unit come back whole and in order', () => {
    fc.assert(
      fc.property(
        fc.array(unitArbitrary, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (units, short) => {
          const payloads = packetizeH264(annexB(units, short ? shortCode : longCode));
          assert.deepEqual(depacketize(payloads), units);
          for (const payload of payloads) assert.ok(payload.length <= maxVideoPayloadBytes);
        },
      ),
    );
  });

  test('parameter sets go together, a small slice alone, a large one in fragments', () => {
    const parameters = [nal(7, Buffer.alloc(20)), nal(8, Buffer.alloc(4), 1)];
    const types = (units: readonly Buffer[]) =>
      packetizeH264(annexB(units)).map((payload) => payload.readUInt8(0));
    assert.deepEqual(types([...parameters, nal(5, Buffer.alloc(100))]), [0x78, 0x65]);
    assert.deepEqual(types([nal(7, Buffer.alloc(20)), nal(5, Buffer.alloc(100))]), [0x67, 0x65]);
    const large = packetizeH264(annexB([nal(1, Buffer.alloc(3_000), 2)]));
    assert.deepEqual(
      large.map((payload) => [payload.readUInt8(0), payload.readUInt8(1)]),
      [
        [0x5c, 0x81],
        [0x5c, 0x01],
        [0x5c, 0x41],
      ],
    );
  });

  test('delimiters and filler are left out, zeros around units are no part of them', () => {
    const slice = nal(1, Buffer.alloc(10));
    const stream = Buffer.concat([
      annexB([nal(9, Buffer.alloc(1)), slice]),
      Buffer.alloc(5),
      annexB([nal(12, Buffer.alloc(50))]),
      Buffer.alloc(3),
    ]);
    assert.deepEqual(splitAnnexB(stream).length, 3);
    assert.deepEqual(packetizeH264(stream), [slice]);
  });

  test('any bytes are put into packets or left out', () => {
    assert.deepEqual(packetizeH264(Buffer.alloc(0)), []);
    assert.deepEqual(packetizeH264(Buffer.from('no start code')), []);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4_000 }), (bytes) => {
        for (const payload of packetizeH264(Buffer.from(bytes))) {
          assert.ok(payload.length > 0 && payload.length <= maxVideoPayloadBytes);
        }
      }),
    );
  });
});
