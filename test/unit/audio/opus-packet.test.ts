import assert from 'node:assert/strict';
import { test } from 'node:test';
import opus from '@discordjs/opus';
import fc from 'fast-check';
import { isOpusPacket, opusPacketSamples } from '../../../src/audio/opus-packet.ts';

const toc = (config: number, code: number): number => (config << 3) | code;

test('the duration of every configuration is RFC 6716 table 2', () => {
  const milliseconds = [
    ...[10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60],
    ...[10, 20, 10, 20],
    ...[2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20],
  ];
  assert.equal(milliseconds.length, 32);
  milliseconds.forEach((ms, config) => {
    assert.equal(opusPacketSamples(Buffer.from([toc(config, 0), 1])), ms * 48, `config ${config}`);
  });
});

test('two frames count twice, and a counted packet by its count', () => {
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 1), 0])), 1_920);
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 2), 0])), 1_920);
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3), 6, 0])), 5_760);
});

test('a DTX packet of one byte has its full duration', () => {
  assert.equal(opusPacketSamples(Buffer.from([toc(9, 0)])), 960);
});

test('what is no packet lasts nothing', () => {
  assert.equal(opusPacketSamples(Buffer.alloc(0)), 0);
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3)])), 0, 'no count');
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3), 0])), 0, 'no frames');
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3), 7])), 0, 'over 120 ms');
});

/** 20 ms of CELT, fullband, mono. */
const celt20 = 31;

/** A packet with this code whose bytes after the TOC byte are `head`, then `body` bytes of frames. */
const packet = (code: number, head: readonly number[], body: number): Buffer =>
  Buffer.concat([Buffer.from([toc(celt20, code), ...head]), Buffer.alloc(body)]);

test('one frame is what is left, up to 1,275 bytes (R1, R2)', () => {
  assert.ok(!isOpusPacket(Buffer.alloc(0)));
  assert.ok(isOpusPacket(packet(0, [], 0)));
  assert.ok(isOpusPacket(packet(0, [], 1_275)));
  assert.ok(!isOpusPacket(packet(0, [], 1_276)));
});

test('two frames of one size halve what is left (R3)', () => {
  assert.ok(isOpusPacket(packet(1, [], 0)));
  assert.ok(isOpusPacket(packet(1, [], 2_550)));
  assert.ok(!isOpusPacket(packet(1, [], 7)));
  assert.ok(!isOpusPacket(packet(1, [], 2_552)));
});

test('two frames, the first of a length within the packet (R4)', () => {
  assert.ok(!isOpusPacket(packet(2, [], 0)));
  assert.ok(isOpusPacket(packet(2, [5], 5)));
  assert.ok(!isOpusPacket(packet(2, [5], 4)));
  assert.ok(!isOpusPacket(packet(2, [252], 0)));
  assert.ok(isOpusPacket(packet(2, [253, 2], 253 + 8)));
  assert.ok(!isOpusPacket(packet(2, [253, 2], 253 + 7)));
  assert.ok(isOpusPacket(packet(2, [0], 1_275)));
  assert.ok(!isOpusPacket(packet(2, [0], 1_276)));
});

test('counted frames: one to 120 ms of them, of one size, with padding (R5, R6)', () => {
  assert.ok(!isOpusPacket(packet(3, [], 0)));
  assert.ok(!isOpusPacket(packet(3, [0], 0)));
  assert.ok(isOpusPacket(packet(3, [6], 60)));
  assert.ok(!isOpusPacket(packet(3, [7], 70)));
  assert.ok(!isOpusPacket(packet(3, [4], 61)));
  assert.ok(isOpusPacket(packet(3, [0x43, 10], 3 + 10)));
  assert.ok(!isOpusPacket(packet(3, [0x43, 10], 9)));
  assert.ok(isOpusPacket(packet(3, [0x41, 255, 255, 4], 2 * 254 + 4)));
  assert.ok(!isOpusPacket(packet(3, [0x41, 255, 255, 4], 2 * 254 + 3)));
  assert.ok(!isOpusPacket(packet(3, [0x41], 0)));
  assert.ok(!isOpusPacket(packet(3, [0x41, 255, 255], 0)));
});

test('counted frames of their own lengths, within the packet less its padding (R7)', () => {
  assert.ok(isOpusPacket(packet(3, [0x83, 4, 6], 10)));
  assert.ok(!isOpusPacket(packet(3, [0x83, 4, 6], 9)));
  assert.ok(!isOpusPacket(packet(3, [0x83, 4], 0)));
  assert.ok(isOpusPacket(packet(3, [0xc3, 2, 4, 6], 12)));
  assert.ok(!isOpusPacket(packet(3, [0xc3, 3, 4, 6], 12)));
  assert.ok(isOpusPacket(packet(3, [0x81], 1_275)));
  assert.ok(!isOpusPacket(packet(3, [0x81], 1_276)));
});

test('the reference decoder takes the very same packets', () => {
  const decoder = new opus.OpusEncoder(48_000, 2);
  const decodes = (bytes: Buffer): boolean => {
    try {
      return decoder.decode(bytes).length === opusPacketSamples(bytes) * 4;
    } catch {
      return false;
    }
  };
  const lengths = fc.oneof(fc.nat(12), fc.constantFrom(250, 251, 252, 253, 255));
  const bytes = fc
    .tuple(
      fc.nat(255),
      fc.tuple(fc.nat(255), fc.boolean()).map(([byte, few]) => (few ? byte & 0xc7 : byte)),
      fc.array(lengths, { maxLength: 6 }),
      fc.uint8Array({ maxLength: 600 }),
      fc.constantFrom(0, 0, 0, 700, 1_300),
    )
    .map(([first, second, head, tail, more]) =>
      Buffer.concat([Buffer.from([first, second, ...head]), tail, Buffer.alloc(more)]),
    );
  let taken = 0;
  fc.assert(
    fc.property(bytes, (candidate) => {
      const expected = decodes(candidate);
      taken += Number(expected);
      assert.equal(isOpusPacket(candidate), expected, candidate.toString('hex'));
    }),
    { numRuns: 5_000 },
  );
  assert.ok(taken > 500 && taken < 4_500, `${taken} of 5,000 are packets`);
});

test('every start of a packet, and every packet of one or two bytes, is judged alike', () => {
  const decoder = new opus.OpusEncoder(48_000, 2);
  for (let first = 0; first < 256; first += 1) {
    for (const second of [undefined, 0, 1, 2, 3, 0x41, 0x81, 0xc1, 0xff]) {
      const bytes = Buffer.from(second === undefined ? [first] : [first, second]);
      let expected = true;
      try {
        decoder.decode(bytes);
      } catch {
        expected = false;
      }
      assert.equal(isOpusPacket(bytes), expected, bytes.toString('hex'));
    }
  }
});
