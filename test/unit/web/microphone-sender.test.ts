import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MicrophoneSender, type TrackSender } from '../../../src/web/microphone-sender.ts';

/** A track is only passed on, never looked into. */
interface FakeTrack {
  readonly id: string;
}

function track(id: string): FakeTrack {
  return { id };
}

/** Does what an RTCRtpSender does with tracks and parameters, and writes it down. */
class FakeSender implements TrackSender<FakeTrack> {
  track: FakeTrack | null = null;
  readonly calls: string[] = [];
  #parameters: RTCRtpSendParameters = {
    transactionId: '1',
    codecs: [],
    headerExtensions: [],
    rtcp: {},
    encodings: [{ active: true }],
  };
  fails = false;

  async replaceTrack(next: FakeTrack | null): Promise<void> {
    await Promise.resolve();
    if (this.fails) throw new DOMException('closed', 'InvalidStateError');
    this.track = next;
    this.calls.push(`track ${next?.id ?? 'none'}`);
  }

  getParameters(): RTCRtpSendParameters {
    return structuredClone(this.#parameters);
  }

  async setParameters(parameters: RTCRtpSendParameters): Promise<void> {
    this.#parameters = parameters;
    this.calls.push(`bitrate ${parameters.encodings[0]?.maxBitrate}`);
  }
}

test('a track given before there is a sender is put on it when there is one', async () => {
  const microphone = new MicrophoneSender<FakeTrack>();
  microphone.setTrack(track('a'));
  microphone.setMaxBitrate(32_000);
  const sender = new FakeSender();
  microphone.attach(sender);
  await microphone.settled();
  assert.deepEqual(sender.calls, ['track a', 'bitrate 32000']);
  assert.equal(microphone.parameters?.encodings[0]?.maxBitrate, 32_000);
});

test('on, off and on again are replaceTrack, and only the newest track stays', async () => {
  const microphone = new MicrophoneSender<FakeTrack>();
  const sender = new FakeSender();
  microphone.attach(sender);
  microphone.setTrack(track('a'));
  microphone.setTrack(undefined);
  microphone.setTrack(track('b'));
  await microphone.settled();
  assert.equal(sender.track?.id, 'b');
  microphone.setTrack(undefined);
  await microphone.settled();
  assert.equal(sender.track, null);
});

test('after media is built anew the new sender has the track and the bitrate', async () => {
  const microphone = new MicrophoneSender<FakeTrack>();
  microphone.attach(new FakeSender());
  microphone.setTrack(track('a'));
  microphone.setMaxBitrate(96_000);
  microphone.attach(undefined);
  const next = new FakeSender();
  microphone.attach(next);
  await microphone.settled();
  assert.deepEqual(next.calls, ['track a', 'bitrate 96000']);
});

test('the same bitrate and the same track are not set twice', async () => {
  const microphone = new MicrophoneSender<FakeTrack>();
  const sender = new FakeSender();
  microphone.attach(sender);
  microphone.setMaxBitrate(16_000);
  microphone.setMaxBitrate(16_000);
  microphone.attach(sender);
  await microphone.settled();
  assert.deepEqual(sender.calls, ['bitrate 16000']);
});

test('a sender that was closed meanwhile holds up nothing', async () => {
  const microphone = new MicrophoneSender<FakeTrack>();
  const closed = new FakeSender();
  closed.fails = true;
  microphone.attach(closed);
  microphone.setTrack(track('a'));
  await microphone.settled();
  const next = new FakeSender();
  microphone.attach(next);
  await microphone.settled();
  assert.equal(next.track?.id, 'a');
});
