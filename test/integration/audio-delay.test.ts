import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { openEncoder } from '../../src/audio/native/encoder-binding.ts';
import { segmentFrameBytes } from '../../src/audio/output/segment-sound.ts';
import { outputPresets, presetNames } from '../../src/audio/presets.ts';
import { RtpClock } from '../../src/media/rtp-clock.ts';
import {
  type CaptureRecorder,
  captureSettings,
  decodeStereo,
  recordCapture,
} from '../fixtures/capture-recorder.ts';
import { fitSine } from '../fixtures/sine.ts';
import { largestStep } from '../fixtures/tone-player.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

let card: FaultCard;
let recorder: CaptureRecorder;

beforeEach(async () => {
  card = await makeFaultCard();
  recorder = recordCapture({ device: card.pcm, env: card.env });
});

afterEach(async () => {
  recorder.capture.close();
  await card.remove();
});

/** How much older than at the beginning the newest packet's sound is, in ms: what it is held back by. */
function heldMs(): number {
  const [first] = recorder.packets;
  const last = recorder.packets.at(-1);
  assert.ok(first !== undefined && last !== undefined);
  const samples = recorder.packets.slice(0, -1).reduce((sum, packet) => sum + packet.samples, 0);
  return samples / 48 - Number(last.captureTimeNs - first.captureTimeNs) / 1e6;
}

test('REFERENCE 1b: the audio delay without clicks, in a running capture: RTP timestamps step exactly, capture times stay true', async (t) => {
  await recorder.more(50);
  for (const delayMs of [160, 320, 0]) {
    await recorder.capture.configure(captureSettings(card.pcm, { delayMs }));
    await waitFor(`a delay of ${delayMs} ms`, () => Math.abs(heldMs() - delayMs) < 1);
    await recorder.more(20);
  }
  if (recorder.capture.stats().droppedFrames > 0) {
    t.skip('this machine is too busy to collect packets');
    return;
  }
  const clock = new RtpClock();
  let expected = 0;
  for (const { payload, samples, captureTimeNs, discontinuity } of recorder.packets.slice(1)) {
    const step = clock.step({ samples, captureTimeNs, bytes: payload.length });
    assert.deepEqual([step.timestamp, step.skipped, discontinuity], [expected, 0, false]);
    expected += samples;
  }
  const left = decodeStereo(recorder.packets).filter((_, i) => i % 2 === 0);
  // A sine of amplitude 0.5 at 1 kHz steps by 0.065 at most; a cut would step by up to 0.5.
  const step = largestStep(left.subarray(9_600));
  assert.ok(step < 0.075, `a step of ${step}`);
});

test('a capture that begins with a delay holds back its first packet', async () => {
  recorder.capture.close();
  const begunNs = process.hrtime.bigint();
  recorder = recordCapture({ device: card.pcm, env: card.env, settings: { delayMs: 300 } });
  const [first] = await recorder.more(1);
  assert.ok(first !== undefined);
  assert.ok(first.captureTimeNs > begunNs - 350_000_000n);
  assert.ok(process.hrtime.bigint() - first.captureTimeNs > 300_000_000n);
});

test('the encoder of segments makes packets of the same sound, with every preset', () => {
  for (const name of presetNames) {
    const encoder = openEncoder({ ...outputPresets[name], frameMs: 20 });
    const packets = Array.from({ length: 60 }, (_, packet) => {
      const pcm = Buffer.alloc(segmentFrameBytes);
      for (let i = 0; i < 960; i += 1) {
        const value = Math.round(
          16_384 * Math.sin((2 * Math.PI * 1_000 * (packet * 960 + i)) / 48_000),
        );
        pcm.writeInt16LE(value, 4 * i);
        pcm.writeInt16LE(value, 4 * i + 2);
      }
      return {
        payload: encoder.encode(pcm),
        ...{ samples: 960, captureTimeNs: 0n, encodedNs: 0n, discontinuity: false },
      };
    });
    encoder.close();
    assert.throws(() => encoder.encode(Buffer.alloc(segmentFrameBytes)), /closed/);
    const left = decodeStereo(packets).filter((_, i) => i % 2 === 0);
    const { amplitude, snrDb } = fitSine(left.subarray(19_200), 48_000, 1_000);
    assert.ok(Math.abs(amplitude - 0.5) < 0.05, `${name}: amplitude ${amplitude}`);
    assert.ok(snrDb > 15, `${name}: ${snrDb} dB`);
  }
});

test('a frame of another length is refused with the length that is wanted', () => {
  const encoder = openEncoder({ ...outputPresets.low, frameMs: 20 });
  assert.throws(() => encoder.encode(new Uint8Array(3_839)), /pcm must be one frame, 3840 bytes/);
  encoder.close();
});
