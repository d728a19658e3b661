import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  deviceMessageTypes,
  headerBytes,
  headerLayout,
  messageBytes,
  noticeCodes,
  viewerMessageTypes,
} from '../../../../src/control/hid/hid-messages.ts';
import * as limits from '../../../../src/control/hid/limits.ts';
import { reportBytes } from '../../../../src/control/hid/reports.ts';
import { socketFrameKinds } from '../../../../src/control/hid/socket-frames.ts';

const text = readFileSync(
  new URL('../../../../src/control/hid/PROTOCOL.md', import.meta.url),
  'utf8',
);

/** Rows of the table whose heading row begins with these cells. */
function table(...heading: string[]): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading.join(' | ')} |`));
  assert.notEqual(start, -1, `no table headed ${heading.join(', ')}`);
  const body = lines.slice(start + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Bytes that the fields of a body take: `u8 mask, f64 offset`. */
function bodyBytes(body: string): number {
  return [...body.matchAll(/\b[uif](8|16|64)\b/g)].reduce(
    (sum, [, bits]) => sum + Number(bits) / 8,
    0,
  );
}

describe('PROTOCOL.md', () => {
  it('lists the header as hid-messages.ts writes it', () => {
    const documented = table('offset', 'size', 'field').map(([offset, size, field]) => [
      field,
      { offset: Number(offset), size: Number(size) },
    ]);
    assert.deepEqual(Object.fromEntries(documented), headerLayout);
    assert.ok(text.includes(`A ${headerBytes}-byte header`));
  });

  it('lists every message with its number and length, and fields of that length', () => {
    for (const [direction, types] of [
      ['viewer → device', viewerMessageTypes],
      ['device → viewer', deviceMessageTypes],
    ] as const) {
      const rows = table(direction, 'number', 'bytes');
      assert.deepEqual(
        Object.fromEntries(rows.map(([name, number]) => [name, Number(number)])),
        types,
      );
      for (const [name = '', , bytes, body = ''] of rows) {
        assert.equal(
          Number(bytes),
          Object.entries(messageBytes).find(([type]) => type === name)?.[1],
        );
        assert.equal(headerBytes + bodyBytes(body), Number(bytes), name);
      }
    }
  });

  it('lists the notices', () => {
    const documented = table('notice', 'code').map(([name, code]) => [name, Number(code)]);
    assert.deepEqual(Object.fromEntries(documented), noticeCodes);
  });

  it('lists the frames of a host behind a socket', () => {
    const rows = table('frame', 'kind', 'direction');
    assert.deepEqual(
      Object.fromEntries(rows.map(([name, kind]) => [name, Number(kind)])),
      socketFrameKinds,
    );
    for (const [kind, bytes] of Object.entries(reportBytes)) {
      const payload = rows.find(([name]) => name === kind)?.[3];
      assert.ok(payload?.startsWith(`report, ${bytes} byte`), kind);
    }
  });

  it('names the numbers of limits.ts', () => {
    const bounds = Object.fromEntries(table('what', 'limit').map(([what, limit]) => [what, limit]));
    assert.deepEqual(bounds, {
      'keys, buttons, wheel turns, releases and clocks of a viewer': `${limits.keyMessagesPerSecond} a second, ${limits.keyMessageBurst} at once`,
      'of these, waiting for the host': `${limits.maxQueuedKeys}`,
      pongs: `${limits.pongsPerSecond} a second, ${limits.pongBurst} at once`,
      'keys held by one viewer': `${limits.maxHeldKeys}`,
      motion: 'coalesced, never queued',
      'a report that the host does not take': '100 ms',
    });
    for (const sentence of [
      `\`${limits.hidProtocol}\``,
      `data channel \`${limits.keysChannelLabel}\``,
      `data channel \`${limits.pointerChannelLabel}\``,
      `says \`alive\` every ${limits.aliveIntervalMs} ms`,
      `viewer for ${limits.deadManMs} ms`,
      `in ${limits.releaseGraceMs} ms whatever still waits`,
      `at most ${limits.maxNoticeBytes} bytes`,
      `Below −${-limits.latencyFloorMs} ms or beyond ${limits.latencyCeilingMs} ms`,
      `consumer 0x001–0x${limits.maxConsumerUsage.toString(16)}`,
      `0–${limits.maxCoordinate} over the picture`,
      `−${limits.maxDelta}–${limits.maxDelta}`,
    ]) {
      assert.ok(text.replace(/\s+/g, ' ').includes(sentence), sentence);
    }
  });
});
