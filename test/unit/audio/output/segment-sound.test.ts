import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentSound } from '../../../../src/audio/output/segment-sound.ts';
import { outputPresets } from '../../../../src/audio/presets.ts';
import { frameFlags } from '../../../../src/ipc/messages.ts';

/** One whose encoders only tell what was done with them. */
function setUp(encode: (pcm: Uint8Array) => Buffer = () => Buffer.from([0xfc])) {
  const done: string[] = [];
  const sent: { timestampNs: bigint; flags: number }[] = [];
  const refusals: string[] = [];
  const sound = new SegmentSound({
    openEncoder: ({ bitrateBps, frameMs }) => {
      done.push(`open ${bitrateBps} ${frameMs}`);
      return { encode, reset: () => done.push('reset'), close: () => done.push('close') };
    },
    send: ({ timestampNs, flags }) => sent.push({ timestampNs, flags }),
    refuse: (reason) => refusals.push(reason),
  });
  const take = (bytes: number, flags = 0): void =>
    sound.take({
      ...{ type: 'pcm', flags, sequence: 0, timestampNs: 1_000n },
      payload: Buffer.alloc(bytes),
    });
  return { sound, done, sent, refusals, take };
}

test("each 20 ms become a packet with its message's timestamp and its place in it", () => {
  const { sound, done, sent, take } = setUp();
  sound.configure(outputPresets.ultra);
  take(3 * 3_840, frameFlags.discontinuity);
  assert.deepEqual(sent, [
    { timestampNs: 1_000n, flags: frameFlags.segment | frameFlags.discontinuity },
    { timestampNs: 20_001_000n, flags: frameFlags.segment },
    { timestampNs: 40_001_000n, flags: frameFlags.segment },
  ]);
  assert.deepEqual(done, ['open 256000 20', 'reset']);
  take(3_840);
  assert.deepEqual(done, ['open 256000 20', 'reset']);
});

test('another preset makes another encoder, the same one does not', () => {
  const { sound, done, take } = setUp();
  sound.configure(outputPresets.medium);
  take(3_840);
  sound.configure({ ...outputPresets.medium });
  take(3_840);
  sound.configure(outputPresets.low);
  take(3_840);
  sound.close();
  sound.close();
  assert.deepEqual(done, ['open 64000 20', 'close', 'open 32000 20', 'close']);
});

test('what is no whole frame, or comes before a configuration, is refused in words', () => {
  const { sound, sent, refusals, take } = setUp();
  take(3_840);
  sound.configure(outputPresets.medium);
  for (const bytes of [0, 1, 3_839, 3_841]) take(bytes);
  assert.deepEqual(sent, []);
  assert.match(refusals[0] ?? '', /before any configuration/);
  assert.match(refusals[2] ?? '', /pcm of 1 bytes; allowed is a multiple of 3840/);
  assert.equal(refusals.length, 5);
});

test('an encoder that fails is told of, and the child lives on', () => {
  const { sound, sent, refusals, take } = setUp(() => {
    throw new Error('no');
  });
  sound.configure(outputPresets.medium);
  take(3_840);
  assert.deepEqual([sent, refusals], [[], ['no']]);
});
