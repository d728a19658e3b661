import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameFlags, type MediaMessage, type MediaType } from '../../../../src/ipc/messages.ts';
import { IpcEncoders } from '../../../../src/media/segments/ipc-encoders.ts';
import { ManualTimers } from '../../../fixtures/manual-timers.ts';

interface Sent {
  readonly type: MediaType;
  readonly payload: Uint8Array;
  readonly timestampNs: bigint;
  readonly flags: number;
}

/** Encoders whose children do what `answer` says with each request; by default nothing. */
function setUp(answer: (sent: Sent) => void = () => {}) {
  const timers = new ManualTimers();
  const sent: Sent[] = [];
  const child = {
    sendMedia(frame: {
      type: MediaType;
      payload: Uint8Array;
      timestampNs: bigint;
      flags?: number;
    }) {
      const one = { ...frame, flags: frame.flags ?? 0 };
      sent.push(one);
      answer(one);
      return true;
    },
  };
  const encoders = new IpcEncoders({
    ...{ sound: child, video: child, timers, codec: () => 'vp8' as const },
  });
  return { timers, sent, encoders, signal: new AbortController() };
}

function message(type: MediaType, timestampNs: bigint, flags: number): MediaMessage {
  return { type, timestampNs, flags, sequence: 0, payload: Buffer.from([Number(flags)]) };
}

const { segment, discontinuity, keyframe } = frameFlags;
const format = { width: 2, height: 1, framesPerSecond: 25 };

test('sound goes as 40 ms a message, the first of a segment marked, and comes back in its order', async () => {
  const { sent, encoders, signal } = setUp(({ timestampNs }) => {
    // The second packet first: it is the timestamp that counts.
    for (const place of [20_000_000n, 0n]) {
      encoders.receive(message('opus', timestampNs + place, segment));
    }
  });
  const packets = await encoders.encodeSound(new Int16Array(2 * 960 * 5), signal.signal);
  assert.deepEqual(
    packets.map(({ samples }) => samples),
    [960, 960, 960, 960, 960],
  );
  assert.deepEqual(
    sent.map(({ type, payload, flags }) => [type, payload.length, flags]),
    [
      ['pcm', 7_680, segment | discontinuity],
      ['pcm', 7_680, segment],
      ['pcm', 3_840, segment],
    ],
  );
  assert.equal(new Set(sent.map(({ timestampNs }) => timestampNs)).size, 3);
  assert.equal(encoders.waiting, 0);
});

test('pictures go with their size before them, two at a time, and come back with their kind', async () => {
  let most = 0;
  const { timers, sent, encoders, signal } = setUp(({ timestampNs, flags }) => {
    most = Math.max(most, encoders.waiting);
    const kind = (flags & discontinuity) === 0 ? 0 : keyframe;
    timers.after(1, () => encoders.receive(message('video', timestampNs, segment | kind)));
  });
  const picture = Buffer.from([1, 2, 3, 4, 5, 6]);
  const all = encoders.encodePictures([picture, picture, picture], format, signal.signal);
  await timers.advance(10);
  assert.deepEqual(
    (await all).map((one) => [one.codec, one.keyframe]),
    [
      ['vp8', true],
      ['vp8', false],
      ['vp8', false],
    ],
  );
  assert.deepEqual([...(sent[0]?.payload ?? [])], [2, 0, 1, 0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([most, sent.length, timers.pending], [2, 3, 0]);
});

test('a child that does not answer is given up after 2 s, in words', async () => {
  const { timers, encoders, signal } = setUp();
  const sound = encoders.encodeSound(new Int16Array(1_920), signal.signal);
  const pictures = encoders.encodePictures([Buffer.alloc(6)], format, signal.signal);
  const told = Promise.all([
    assert.rejects(
      sound,
      /The audio-output process did not encode a part of a segment within 2000 ms/,
    ),
    assert.rejects(pictures, /The video process did not encode a part of a segment within 2000 ms/),
  ]);
  await timers.advance(2_001);
  await told;
  assert.deepEqual([encoders.waiting, timers.pending], [0, 0]);
});

test('an answer that comes too late is no other request’s', async () => {
  const { timers, sent, encoders, signal } = setUp();
  const first = encoders.encodePictures([Buffer.alloc(6)], format, signal.signal);
  const told = assert.rejects(first, /2000 ms/);
  await timers.advance(2_001);
  await told;
  const second = encoders.encodePictures([Buffer.alloc(6)], format, signal.signal);
  await timers.settle();
  const [late, fresh] = sent.map(({ timestampNs }) => timestampNs);
  assert.equal(encoders.receive(message('video', late ?? 0n, segment)), true);
  assert.deepEqual([encoders.lateAnswers, encoders.waiting], [1, 1]);
  encoders.receive(message('video', fresh ?? 0n, segment | keyframe));
  assert.equal((await second).length, 1);
});

test('what is of no segment is left alone', () => {
  const { encoders } = setUp();
  assert.equal(encoders.receive(message('opus', 1n, 0)), false);
  assert.equal(encoders.receive(message('video', 1n, keyframe)), false);
  assert.equal(encoders.lateAnswers, 0);
});

test('an aborted segment asks for no more', async () => {
  const { timers, sent, encoders, signal } = setUp();
  const sound = encoders.encodeSound(new Int16Array(1_920 * 10), signal.signal);
  const told = assert.rejects(sound, /not wanted/);
  signal.abort(new Error('not wanted'));
  await told;
  await timers.advance(5_000);
  assert.deepEqual([sent.length, encoders.waiting, timers.pending], [1, 0, 0]);
  await assert.rejects(encoders.encodeSound(new Int16Array(1_920), signal.signal), /not wanted/);
  assert.equal(sent.length, 1);
});

test('a picture without a known codec is refused', async () => {
  const { encoders, sent } = setUp();
  const nameless = new IpcEncoders({
    ...{ timers: new ManualTimers(), codec: () => undefined },
    sound: { sendMedia: () => true },
    video: {
      sendMedia({ timestampNs }) {
        nameless.receive(message('video', timestampNs, segment));
        return true;
      },
    },
  });
  await assert.rejects(
    nameless.encodePictures([Buffer.alloc(6)], format, new AbortController().signal),
    /has not said with which codec/,
  );
  assert.deepEqual([encoders.waiting, sent.length], [0, 0]);
});
