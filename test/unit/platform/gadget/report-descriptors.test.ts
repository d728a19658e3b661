import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportKinds } from '../../../../src/control/hid/hid-host.ts';
import {
  ledReportBytes,
  reportBytes,
  reportDescriptor,
} from '../../../../src/platform/gadget/report-descriptors.ts';

interface Parsed {
  /** Bits of input and of output, by report id (0: none). */
  readonly input: Map<number, number>;
  readonly output: Map<number, number>;
  readonly depth: number;
  readonly usages: readonly string[];
}

/** Short items of HID 1.11 §6.2.2.2: tag, type and size in one byte, then the data. */
function parse(descriptor: Buffer): Parsed {
  const input = new Map<number, number>();
  const output = new Map<number, number>();
  const usages: string[] = [];
  let [page, size, count, id, depth] = [0, 0, 0, 0, 0];
  for (let at = 0; at < descriptor.length; ) {
    const prefix = descriptor.readUInt8(at);
    const bytes = [0, 1, 2, 4][prefix & 3] ?? 0;
    const data = bytes === 0 ? 0 : descriptor.readUIntLE(at + 1, bytes);
    at += 1 + bytes;
    switch (prefix & 0xfc) {
      case 0x04:
        page = data;
        break;
      case 0x08:
        usages.push(`${page.toString(16)}:${data.toString(16)}`);
        break;
      case 0x74:
        size = data;
        break;
      case 0x94:
        count = data;
        break;
      case 0x84:
        id = data;
        break;
      case 0x80:
        input.set(id, (input.get(id) ?? 0) + size * count);
        break;
      case 0x90:
        output.set(id, (output.get(id) ?? 0) + size * count);
        break;
      case 0xa0:
        depth += 1;
        break;
      case 0xc0:
        depth -= 1;
        break;
      default:
    }
  }
  return { input, output, depth, usages };
}

for (const kind of reportKinds) {
  test(`the descriptor of ${kind} describes ${reportBytes[kind]} bytes without a report id`, () => {
    const { input, depth } = parse(reportDescriptor([kind]));
    assert.deepEqual([...input], [[0, reportBytes[kind] * 8]]);
    assert.equal(depth, 0);
  });
}

test('the keyboard takes a byte of LEDs', () => {
  assert.deepEqual([...parse(reportDescriptor(['keyboard'])).output], [[0, ledReportBytes * 8]]);
});

test('kinds that share an interface have report ids from 1, and their own lengths', () => {
  const kinds = ['absolute', 'relative', 'consumer', 'system'] as const;
  const { input, depth } = parse(reportDescriptor(kinds));
  assert.deepEqual(
    [...input],
    kinds.map((kind, index) => [index + 1, reportBytes[kind] * 8]),
  );
  assert.equal(depth, 0);
});

test('the mouse has a wheel, and pans by the consumer page', () => {
  assert.deepEqual(parse(reportDescriptor(['relative'])).usages, [
    ...['1:2', '1:1', '1:30', '1:31', '1:38', 'c:238'],
  ]);
});
