import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  frameMagic,
  headerBytes,
  headerLayout,
  payloadLimit,
  protocolVersion,
} from '../../../src/ipc/framing.ts';
import { mediaQueueBounds } from '../../../src/ipc/media-queue.ts';
import {
  childRoles,
  controlSchemas,
  frameFlags,
  type MessageType,
  messageTypes,
} from '../../../src/ipc/messages.ts';
import { defaultTiming } from '../../../supervisor/timing.ts';

const text = readFileSync(new URL('../../../src/ipc/PROTOCOL.md', import.meta.url), 'utf8');

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

describe('PROTOCOL.md', () => {
  it('lists the header as framing.ts writes it', () => {
    const documented = table('offset', 'size', 'field').map(([offset, size, field]) => [
      field,
      { offset: Number(offset), size: Number(size) },
    ]);
    assert.deepEqual(Object.fromEntries(documented), headerLayout);
    const { offset, size } = headerLayout.timestamp;
    assert.equal(offset + size, headerBytes);
    assert.ok(text.includes(`\`0x${frameMagic.toString(16)}\``));
    assert.ok(text.includes(`| version | ${protocolVersion} |`));
    assert.ok(text.includes(`Version ${protocolVersion}.`));
  });

  it('names the flag bits', () => {
    assert.deepEqual(frameFlags, {
      keyframe: 1 << 0,
      discontinuity: 1 << 1,
      endOfStream: 1 << 2,
      segment: 1 << 3,
    });
    assert.ok(
      text.includes('bit 0 keyframe, bit 1 discontinuity, bit 2 end of stream, bit 3 of a segment'),
    );
  });

  it('lists every type with its number and limit', () => {
    const documented = table('type', 'number').map(([type, number, , limit]) => [
      type,
      Number(number),
      Number(limit),
    ]);
    let type: MessageType;
    const actual: unknown[] = [];
    for (type in messageTypes) actual.push([type, messageTypes[type], payloadLimit(type)]);
    assert.deepEqual(documented, actual);
  });

  it('lists every control message with the keys of its schema', () => {
    const documented = table('message', 'direction').map(([name = '', , body = '']) => [
      name,
      [...body.matchAll(/`(\w+)`/g)].map(([, key]) => key ?? '').sort(),
    ]);
    const actual = Object.entries(controlSchemas).map(([name, schema]) => [
      name,
      Object.keys(schema.entries).sort(),
    ]);
    assert.deepEqual(Object.fromEntries(documented), Object.fromEntries(actual));
  });

  it('names the roles, the deadlines and the bounds the code has', () => {
    for (const role of childRoles) assert.ok(text.includes(`\`${role}\``), role);
    const limits = new Map(table('what', 'limit').map(([what, limit]) => [what, limit]));
    assert.deepEqual(Object.fromEntries(limits), {
      'spawn to `ready`': `${defaultTiming.readyMs / 1_000} s`,
      '`pong` after `ping`, sent every 1 s': `${defaultTiming.heartbeatMs / 1_000} s, three times in a row`,
      'answer to `configure` while running': `${defaultTiming.configureMs / 1_000} s`,
      'exit after `stop`': `${defaultTiming.stopTermMs / 1_000} s, then ${defaultTiming.stopKillMs / 1_000} s`,
      'exit after the socket closed': `${defaultTiming.closeKillMs / 1_000} s`,
      'one write left unread': '5 s',
    });
    assert.equal(defaultTiming.heartbeatMisses, 3);
    assert.deepEqual(mediaQueueBounds.opus, { spanMs: 100, frames: 40 });
    assert.deepEqual(mediaQueueBounds.pcm, { spanMs: 100, frames: 40 });
    assert.equal(mediaQueueBounds.video.frames, 3);
  });
});
