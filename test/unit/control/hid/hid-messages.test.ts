import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type DeviceMessage,
  decodeDeviceMessage,
  decodeViewerMessage,
  deviceMessageTypes,
  encodeDeviceMessage,
  encodeViewerMessage,
  hostStates,
  isNewerSequence,
  keyPages,
  messageBytes,
  type NoticeCode,
  noticeCodes,
  pointerModes,
  type ViewerMessage,
  validUsage,
  viewerMessageTypes,
} from '../../../../src/control/hid/hid-messages.ts';

const stamp = { sequence: 0xfffe, timestampMs: 1_700_000_000_123.25 };

const viewerSamples: ViewerMessage[] = [
  { type: 'key', ...stamp, page: 'keyboard', usage: 0xe7, down: true },
  { type: 'key', ...stamp, page: 'consumer', usage: 0x3ff, down: false },
  { type: 'key', ...stamp, page: 'system', usage: 0x83, down: true },
  { type: 'button', ...stamp, mode: 'absolute', mask: 31, x: 32_767, y: 1 },
  { type: 'button', ...stamp, mode: 'relative', mask: 0, x: 0, y: 0 },
  { type: 'move-absolute', ...stamp, x: 0, y: 32_767 },
  { type: 'move-relative', ...stamp, dx: -32_767, dy: 32_767 },
  { type: 'wheel', ...stamp, vertical: -120, horizontal: 240 },
  { type: 'release', ...stamp },
  { type: 'alive', ...stamp, modifiers: 255, held: 255 },
  { type: 'clock', ...stamp, offsetMs: -12.5 },
  { type: 'clock', ...stamp, offsetMs: Number.NaN },
];

const deviceSamples: DeviceMessage[] = [
  { type: 'leds', ...stamp, mask: 31 },
  { type: 'written', ...stamp, of: 0xffff, taken: true, latencyMs: 3.5 },
  { type: 'written', ...stamp, of: 0, taken: false, latencyMs: Number.NaN },
  ...hostStates.map((state) => ({ type: 'host' as const, ...stamp, state })),
  { type: 'pong', ...stamp, viewerTimestampMs: 5, deviceMs: 6.25 },
  { type: 'notice', ...stamp, code: 'task-failed', text: 'Fehler: „ß“' },
  { type: 'notice', ...stamp, code: 'dead-man', text: '' },
];

describe('the messages of a viewer and the device', () => {
  it('come out as they went in, at the length of their type', () => {
    for (const message of viewerSamples) {
      const bytes = encodeViewerMessage(message);
      assert.equal(bytes.length, messageBytes[message.type]);
      assert.deepEqual(decodeViewerMessage(bytes), message);
    }
    for (const message of deviceSamples) {
      const bytes = encodeDeviceMessage(message);
      assert.deepEqual(decodeDeviceMessage(bytes), message);
    }
  });

  it('are laid out as PROTOCOL.md says', () => {
    const key = encodeViewerMessage({
      type: 'key',
      sequence: 0x0102,
      timestampMs: 1,
      page: 'consumer',
      usage: 0x0223,
      down: true,
    });
    assert.deepEqual([...key], [1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 1, 1, 0x23, 2]);
  });

  it('are decoded wherever they lie in a buffer', () => {
    for (const message of viewerSamples) {
      const bytes = encodeViewerMessage(message);
      const within = new Uint8Array(bytes.length + 8);
      within.set(bytes, 3);
      assert.deepEqual(decodeViewerMessage(within.subarray(3, 3 + bytes.length)), message);
    }
  });

  it('are none when a byte is missing or too many, or a flag is set', () => {
    for (const bytes of viewerSamples.map(encodeViewerMessage)) {
      for (let length = 0; length < bytes.length; length += 1) {
        assert.equal(decodeViewerMessage(bytes.subarray(0, length)), undefined);
      }
      assert.equal(decodeViewerMessage(Uint8Array.of(...bytes, 0)), undefined);
      for (let bit = 0; bit < 8; bit += 1) {
        const flagged = bytes.slice();
        flagged[1] = 1 << bit;
        assert.equal(decodeViewerMessage(flagged), undefined);
      }
    }
    for (const message of deviceSamples.filter(({ type }) => type !== 'notice')) {
      const bytes = encodeDeviceMessage(message);
      assert.equal(decodeDeviceMessage(bytes.subarray(1)), undefined);
      assert.equal(decodeDeviceMessage(Uint8Array.of(...bytes, 0)), undefined);
    }
  });

  /** A sample with bytes of its body replaced. */
  function spoilt(index: number, at: number, ...values: number[]): Uint8Array {
    const sample = viewerSamples[index];
    assert.ok(sample);
    const bytes = encodeViewerMessage(sample);
    bytes.set(values, at);
    return bytes;
  }

  it('are none when a value is outside its range', () => {
    const cases: [string, Uint8Array][] = [
      ['a page there is none of', spoilt(0, 12, 3)],
      ['neither down nor up', spoilt(0, 13, 2)],
      ['no usage', spoilt(0, 14, 0, 0)],
      ['ErrorRollOver', spoilt(0, 14, 1, 0)],
      ['between the pages of keys', spoilt(0, 14, 0xde, 0)],
      ['beyond the modifiers', spoilt(0, 14, 0xe8, 0)],
      ['a usage of two bytes', spoilt(0, 14, 4, 1)],
      ['no consumer usage', spoilt(1, 14, 0, 0)],
      ['beyond the consumer report', spoilt(1, 14, 0, 4)],
      ['no system key', spoilt(2, 14, 0x80, 0)],
      ['a pointer there is none of', spoilt(3, 12, 2)],
      ['a sixth button', spoilt(3, 13, 32)],
      ['beyond the picture', spoilt(3, 14, 0, 0x80)],
      ['a place of the relative mouse', spoilt(4, 14, 1)],
      ['a position beyond', spoilt(5, 12, 0, 0x80)],
      ['a step of −32768', spoilt(6, 12, 0, 0x80)],
      ['a turn of −32768', spoilt(7, 14, 0, 0x80)],
      ['an infinite offset', spoilt(10, 12, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f)],
      ['no time', spoilt(8, 4, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)],
      ['a time before 1970', spoilt(8, 4, 0, 0, 0, 0, 0, 0, 0xf0, 0xbf)],
      ['the end of time', spoilt(8, 4, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f)],
      ['a type of the device', spoilt(8, 0, 129)],
      ['no type', spoilt(8, 0, 0)],
      ['an unknown type', spoilt(8, 0, 9)],
    ];
    for (const [what, bytes] of cases) assert.equal(decodeViewerMessage(bytes), undefined, what);
    for (const message of deviceSamples) {
      assert.equal(decodeViewerMessage(encodeDeviceMessage(message)), undefined);
    }
    for (const message of viewerSamples) {
      assert.equal(decodeDeviceMessage(encodeViewerMessage(message)), undefined);
    }
  });

  it('are not made of values outside their range', () => {
    const wrong: unknown[] = [
      { type: 'key', ...stamp, page: 'keyboard', usage: 0, down: true },
      { type: 'button', ...stamp, mode: 'relative', mask: 1, x: 1, y: 0 },
      { type: 'move-absolute', ...stamp, x: -1, y: 0 },
      { type: 'move-absolute', ...stamp, x: 0.5, y: 0 },
      { type: 'move-relative', ...stamp, dx: 32_768, dy: 0 },
      { type: 'alive', ...stamp, modifiers: 256, held: 0 },
      { type: 'clock', ...stamp, offsetMs: Number.POSITIVE_INFINITY },
      { type: 'release', sequence: 65_536, timestampMs: 0 },
      { type: 'release', sequence: 0, timestampMs: Number.NaN },
    ];
    for (const message of wrong) {
      assert.throws(() => encodeViewerMessage(message as ViewerMessage), RangeError);
    }
    assert.throws(() => encodeDeviceMessage({ type: 'leds', ...stamp, mask: 32 }), RangeError);
  });

  it('carry at most 200 bytes of a notice, cut between characters', () => {
    const bytes = encodeDeviceMessage({
      type: 'notice',
      ...stamp,
      code: 'task-failed',
      text: `x${'ß'.repeat(150)}`,
    });
    assert.equal(bytes.length, messageBytes.notice + 199);
    const notice = decodeDeviceMessage(bytes);
    assert.ok(notice?.type === 'notice');
    assert.equal(notice.text, `x${'ß'.repeat(99)}`);
    assert.equal(decodeDeviceMessage(Uint8Array.of(...bytes, 65, 65)), undefined);
    const broken = bytes.slice();
    broken[14] = 0xff;
    assert.equal(decodeDeviceMessage(broken), undefined);
  });

  it('know newer from older numbers over the wrap', () => {
    assert.ok(isNewerSequence(1, 0));
    assert.ok(isNewerSequence(0, 65_535));
    assert.ok(isNewerSequence(32_766, 65_535));
    assert.ok(!isNewerSequence(0, 0));
    assert.ok(!isNewerSequence(65_535, 0));
    assert.ok(!isNewerSequence(32_768, 0));
  });

  it('survive random, cut and bit-flipped bytes: undefined, or a message that encodes to the same', () => {
    const anyBytes = fc.uint8Array({ maxLength: 40 });
    const flipped = fc
      .tuple(fc.constantFrom(...viewerSamples), fc.nat(), fc.nat({ max: 3 }))
      .map(([message, bit, cut]) => {
        const bytes = encodeViewerMessage(message);
        const at = bit % (bytes.length * 8);
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
        return bytes.subarray(0, bytes.length - (cut === 3 ? 1 : 0));
      });
    fc.assert(
      fc.property(fc.oneof(anyBytes, flipped), (bytes) => {
        const message = decodeViewerMessage(bytes);
        if (message === undefined) return;
        const again = decodeViewerMessage(encodeViewerMessage(message));
        assert.deepEqual(again, message);
      }),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 240 }), (bytes) => {
        if (bytes.length > 0) bytes[0] = 129 + ((bytes[0] ?? 0) % 5);
        if (bytes.length > 1) bytes[1] = 0;
        const message = decodeDeviceMessage(bytes);
        if (message !== undefined) {
          assert.deepEqual(decodeDeviceMessage(encodeDeviceMessage(message)), message);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('come out as they went in, whatever they hold', () => {
    const header = {
      sequence: fc.nat({ max: 65_535 }),
      timestampMs: fc.double({ min: 0, max: 8e15, noNaN: true }),
    };
    const delta = fc.integer({ min: -32_767, max: 32_767 });
    const coordinate = fc.nat({ max: 32_767 });
    const key = fc
      .record({
        type: fc.constant('key' as const),
        ...header,
        page: fc.constantFrom(...keyPages),
        usage: fc.nat({ max: 0x3ff }),
        down: fc.boolean(),
      })
      .filter(({ page, usage }) => validUsage(page, usage));
    const button = fc
      .record({
        type: fc.constant('button' as const),
        ...header,
        mode: fc.constantFrom(...pointerModes),
        mask: fc.nat({ max: 31 }),
        x: coordinate,
        y: coordinate,
      })
      .map((each) => (each.mode === 'relative' ? { ...each, x: 0, y: 0 } : each));
    const motion = fc.record({
      type: fc.constant('move-relative' as const),
      ...header,
      dx: delta,
      dy: delta,
    });
    fc.assert(
      fc.property(fc.oneof(key, button, motion), (message) => {
        assert.deepEqual(decodeViewerMessage(encodeViewerMessage(message)), { ...message });
      }),
      { numRuns: 500 },
    );
  });

  it('have numbers that do not meet', () => {
    const viewer: number[] = Object.values(viewerMessageTypes);
    const device: number[] = Object.values(deviceMessageTypes);
    assert.equal(new Set([...viewer, ...device]).size, viewer.length + device.length);
    let code: NoticeCode;
    for (code in noticeCodes) assert.ok(noticeCodes[code] > 0 && noticeCodes[code] < 256);
  });
});
