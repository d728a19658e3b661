import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import discordOpus from '@discordjs/opus';
import { outputFrame } from '../../src/audio/output/output-frames.ts';
import { outputPresets } from '../../src/audio/presets.ts';
import { addChirp } from '../../src/media/calibration-clip.ts';
import { IpcEncoders } from '../../src/media/segments/ipc-encoders.ts';
import type { AudioChildProcess } from '../fixtures/audio-child.ts';
import { outputConfig, startOutputChild } from '../fixtures/output-child.ts';
import { fitSine } from '../fixtures/sine.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

let card: FaultCard;
let child: AudioChildProcess;
let encoders: IpcEncoders;
/** Packets of the live sound, as the media hub would get them. */
let live: number;

beforeEach(async () => {
  card = await makeFaultCard();
  child = startOutputChild(card.env);
  live = 0;
  encoders = new IpcEncoders({ sound: child.channel, video: child.channel, codec: () => 'vp8' });
  child.channel.on('media', (message) => {
    if (!encoders.receive(message) && outputFrame(message) !== undefined) live += 1;
  });
});

afterEach(async () => {
  await child.dispose();
  await card.remove();
});

/** A second with a chirp of 60 ms in its middle. */
function chirpClip(): Int16Array {
  const pcm = new Int16Array(96_000);
  addChirp(pcm, { from: 24_000, framesPerSecond: 60 });
  return pcm;
}

function decode(packets: readonly { readonly payload: Buffer }[]): Float64Array {
  const decoder = new discordOpus.OpusEncoder(48_000, 2);
  const pcm = Buffer.concat(packets.map(({ payload }) => decoder.decode(payload)));
  return Float64Array.from({ length: pcm.length / 4 }, (_, i) => pcm.readInt16LE(4 * i));
}

test('a segment is encoded by the audio-output process beside the live sound, and decodes to the same chirp', async () => {
  for (const preset of ['medium', 'ultra'] as const) {
    await child.configure(outputConfig(card.pcm, { encoder: outputPresets[preset] }));
    await waitFor('live packets', () => live > 5);
    const before = live;
    const packets = await encoders.encodeSound(chirpClip(), new AbortController().signal);
    assert.equal(packets.length, 50);
    const sound = decode(packets);
    // An encoder looks 2.5 or 6.5 ms ahead.
    const lookahead = preset === 'ultra' ? 120 : 312;
    const begin = 24_000 + lookahead;
    const { amplitude, snrDb } = fitSine(sound.subarray(begin + 480, begin + 2_400), 48_000, 1_800);
    assert.ok(Math.abs(amplitude - 22_000) < 2_500, `${preset}: amplitude ${amplitude}`);
    assert.ok(snrDb > 12, `${preset}: ${snrDb} dB`);
    const loudest = (from: number, to: number): number =>
      Math.max(...sound.subarray(from, to).map(Math.abs));
    assert.ok(loudest(0, begin - 1_000) < 1_500 && loudest(begin + 4_800, 48_000) < 1_500);
    await waitFor('more live packets', () => live > before);
  }
  assert.deepEqual([encoders.waiting, encoders.lateAnswers], [0, 0]);
});

test('what the process cannot encode is given up in words, and it lives on', async () => {
  await child.configure(outputConfig(card.pcm));
  const impatient = new IpcEncoders({
    ...{ sound: child.channel, video: child.channel, codec: () => 'vp8', answerDeadlineMs: 300 },
  });
  await assert.rejects(
    impatient.encodePictures(
      [Buffer.alloc(768)],
      { width: 16, height: 16, framesPerSecond: 25 },
      new AbortController().signal,
    ),
    /The video process did not encode a part of a segment within 300 ms/,
  );
  child.channel.sendMedia({ type: 'pcm', payload: Buffer.alloc(7), timestampNs: 1n });
  await waitFor('a line in its log', () => child.stderr().includes('sound of a segment refused'));
  const from = live;
  await waitFor('live packets', () => live > from + 5);
});
