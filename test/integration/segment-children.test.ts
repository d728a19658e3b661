import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import discordOpus from '@discordjs/opus';
import { calibrationClip, calibrationFormat } from '../../src/media/calibration-clip.ts';
import type { EncodedAudioFrame, EncodedVideoFrame } from '../../src/media/media-types.ts';
import { IpcEncoders } from '../../src/media/segments/ipc-encoders.ts';
import { SegmentPipeline } from '../../src/media/segments/segment-pipeline.ts';
import type { AudioChildProcess } from '../fixtures/audio-child.ts';
import { decodeVideo } from '../fixtures/decode-video.ts';
import { outputConfig, startOutputChild } from '../fixtures/output-child.ts';
import { fitSine } from '../fixtures/sine.ts';
import { startVideoChild, type VideoChildProcess, videoConfig } from '../fixtures/video-child.ts';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

let card: FaultCard;
let audio: AudioChildProcess;
let video: VideoChildProcess;

beforeEach(async () => {
  card = await makeFaultCard();
  audio = startOutputChild(card.env);
  video = startVideoChild();
});

afterEach(async () => {
  await Promise.all([audio.dispose(), video.dispose()]);
  await card.remove();
});

test('a calibration clip passes both processes and comes out in time: flash and chirp at one capture time', async () => {
  await Promise.all([
    audio.configure(outputConfig(card.pcm)),
    video.configure(videoConfig('test', { active: false })),
  ]);
  const encoders = new IpcEncoders({
    ...{ sound: audio.channel, video: video.channel, codec: () => 'vp8' },
  });
  audio.channel.on('media', (message) => encoders.receive(message));
  video.channel.on('media', (message) => encoders.receive(message));
  const sounds: EncodedAudioFrame[] = [];
  const pictures: EncodedVideoFrame[] = [];
  const failures: string[] = [];
  let markerAtNs = 0n;
  const pipeline = new SegmentPipeline({
    encoders,
    sink: { sound: (frame) => sounds.push(frame), picture: (frame) => pictures.push(frame) },
    observer: {
      marker: () => {
        markerAtNs = pictures.at(-1)?.captureTimeNs ?? 0n;
      },
      failed: ({ message }) => failures.push(message),
    },
  });
  try {
    await pipeline.publish(calibrationClip({ marker: 1, epoch: 1, format: calibrationFormat }));
    await pipeline.fence();
    assert.deepEqual(failures, []);
    assert.deepEqual([sounds.length, pictures.length], [50, 25]);
    const [first] = sounds;
    assert.equal(first?.captureTimeNs, pictures[0]?.captureTimeNs);
    assert.deepEqual(
      pictures.map(({ keyframe }) => keyframe),
      pictures.map((_, i) => i === 0),
    );
    const { width, height } = calibrationFormat;
    const frames = pictures.map(({ payload }) => payload);
    const decoded = await decodeVideo({ codec: 'vp8', width, height, frames });
    const magenta = frames.flatMap((_, i) => {
      const [red, green, blue] = decoded.pixel(i, 60, 30);
      return red > 180 && blue > 180 && green < 100 ? [i] : [];
    });
    assert.deepEqual(magenta, [12, 13]);
    assert.equal(markerAtNs, pictures[12]?.captureTimeNs);
    const decoder = new discordOpus.OpusEncoder(48_000, 2);
    const pcm = Buffer.concat(sounds.map(({ payload }) => decoder.decode(payload)));
    // The chirp begins with the flash, and what the encoder looks ahead later.
    const begin = Math.round(Number(markerAtNs - (first?.captureTimeNs ?? 0n)) * 48e-6) + 312;
    const chirp = Float64Array.from({ length: 3_000 }, (_, i) =>
      pcm.readInt16LE(4 * (begin + 360 + i)),
    );
    const { amplitude } = fitSine(chirp, 48_000, 1_800);
    assert.ok(Math.abs(amplitude - 22_000) < 2_500, `amplitude ${amplitude}`);
  } finally {
    await pipeline.close();
  }
});
