import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, test } from 'node:test';
import type { Channel } from '../../../src/ipc/channel.ts';
import { frameFlags } from '../../../src/ipc/messages.ts';
import { FrameSender } from '../../../src/video/frame-sender.ts';

let sent: number[];
let hasRoom: boolean;
let wanted: number;
let drains: EventEmitter;
let sender: FrameSender;

beforeEach(() => {
  sent = [];
  hasRoom = true;
  wanted = 0;
  drains = new EventEmitter();
  const channel = {
    sendMedia(frame: { readonly flags?: number }) {
      sent.push(frame.flags ?? 0);
      return hasRoom;
    },
    on(event: 'drain', listener: () => void) {
      drains.on(event, listener);
      return channel;
    },
  };
  sender = new FrameSender({
    // Only these two are used, and `on` with 'drain' alone.
    channel: channel as unknown as Pick<Channel, 'sendMedia' | 'on'>,
    onKeyframeWanted: () => {
      wanted += 1;
    },
  });
});

function frame(more: Partial<Parameters<FrameSender['send']>[0]> = {}): boolean {
  return sender.send({
    payload: Buffer.from([1]),
    timestampNs: 0n,
    keyframe: false,
    discontinuity: false,
    segment: false,
    ...more,
  });
}

const { keyframe, discontinuity, segment } = frameFlags;

test('flags say what a frame is', () => {
  frame({ keyframe: true, discontinuity: true });
  frame();
  frame({ keyframe: true, segment: true });
  assert.deepEqual(sent, [keyframe | discontinuity, 0, keyframe | segment]);
});

test('what main does not take is dropped and counted, and followed by a keyframe and nothing else', () => {
  hasRoom = false;
  assert.equal(frame({ keyframe: true }), true);
  assert.equal(frame(), false);
  assert.equal(frame(), false);
  hasRoom = true;
  drains.emit('drain');
  assert.equal(wanted, 1);
  assert.equal(frame(), false);
  assert.equal(frame({ keyframe: true }), true);
  assert.equal(frame(), true);
  assert.equal(sender.dropped, 3);
  assert.deepEqual(sent, [keyframe, keyframe | discontinuity, 0]);
});

test('the host and a segment are two streams: what one lacks the other does not', () => {
  hasRoom = false;
  frame({ keyframe: true, segment: true });
  frame();
  hasRoom = true;
  drains.emit('drain');
  assert.equal(frame({ segment: true }), true);
  assert.equal(frame(), false);
});

test('a full queue that lost nothing asks for nothing', () => {
  hasRoom = false;
  frame({ keyframe: true });
  drains.emit('drain');
  assert.equal(wanted, 0);
});
