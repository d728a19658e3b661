import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import discordOpus from '@discordjs/opus';
import fc from 'fast-check';
import {
  maxDecodedSamples,
  type OpusDecoder,
  openDecoder,
} from '../../src/audio/native/decoder-binding.ts';
import { opusPacketSamples } from '../../src/audio/opus-packet.ts';
import { fitSine } from '../fixtures/sine.ts';
import { channelOf } from '../fixtures/tone-player.ts';

const decoders: OpusDecoder[] = [];
after(() => {
  for (const decoder of decoders) decoder.close();
});

function makeDecoder(): OpusDecoder {
  const decoder = openDecoder();
  decoders.push(decoder);
  return decoder;
}

const room = (): Float32Array => new Float32Array(2 * maxDecodedSamples);

/** Packets of 20 ms of a sine by an independent encoder (libopus of @discordjs/opus). */
function encodeTone(count: number, { fec = false } = {}): Buffer[] {
  const encoder = new discordOpus.OpusEncoder(48_000, 2);
  encoder.setBitrate(fec ? 24_000 : 96_000);
  if (fec) {
    // OPUS_SET_INBAND_FEC, OPUS_SET_PACKET_LOSS_PERC, OPUS_SET_SIGNAL to voice.
    encoder.applyEncoderCTL(4_012, 1);
    encoder.applyEncoderCTL(4_014, 20);
    encoder.applyEncoderCTL(4_024, 3_001);
  }
  return Array.from({ length: count }, (_, packet) => {
    const pcm = Buffer.alloc(960 * 4);
    for (let i = 0; i < 960; i += 1) {
      const value = Math.round(
        16_000 * Math.sin((2 * Math.PI * 400 * (packet * 960 + i)) / 48_000),
      );
      pcm.writeInt16LE(value, 4 * i);
      pcm.writeInt16LE(value, 4 * i + 2);
    }
    return encoder.encode(pcm);
  });
}

function tone(samples: Float32Array): { amplitude: number; snrDb: number } {
  return fitSine(channelOf(samples, 0, 2), 48_000, 400);
}

test('packets of an independent encoder are decoded to the same sound', () => {
  const decoder = makeDecoder();
  const sound = new Float32Array(2 * 960 * 40);
  encodeTone(40).forEach((packet, i) => {
    assert.equal(decoder.decode(packet, sound.subarray(2 * 960 * i)), 960);
  });
  const { amplitude, snrDb } = tone(sound.subarray(2 * 960 * 20));
  assert.ok(Math.abs(amplitude - 16_000 / 32_768) < 0.01 && snrDb > 25, `${amplitude}, ${snrDb}`);
});

test('a lost packet comes back from the FEC of the next, and is made up where there is none', () => {
  const packets = encodeTone(40, { fec: true });
  const at = packets.findIndex((packet, i) => i > 20 && makeDecoder().hasFec(packet));
  assert.ok(at > 0, 'no packet carries FEC');
  assert.equal(makeDecoder().hasFec(encodeTone(10).at(-1) ?? Buffer.alloc(0)), false);
  const play = (recover: (decoder: OpusDecoder, pcm: Float32Array) => number): number => {
    const decoder = makeDecoder();
    const pcm = room();
    for (const packet of packets.slice(0, at - 1)) decoder.decode(packet, pcm);
    assert.equal(recover(decoder, pcm), 960);
    return tone(pcm.subarray(0, 1_920)).amplitude;
  };
  const next = packets[at] ?? Buffer.alloc(0);
  for (const amplitude of [
    play((decoder, pcm) => decoder.decodeFec(next, 960, pcm)),
    play((decoder, pcm) => decoder.conceal(960, pcm)),
  ]) {
    assert.ok(amplitude > 0.2, `amplitude ${amplitude}`);
  }
});

test('reset forgets what was decoded', () => {
  const decoder = makeDecoder();
  const pcm = room();
  for (const packet of encodeTone(10)) decoder.decode(packet, pcm);
  decoder.reset();
  assert.equal(decoder.conceal(960, pcm), 960);
  assert.ok(pcm.subarray(0, 1_920).every((x) => x === 0));
});

describe('bad input', () => {
  test('what is no packet gives 0 and leaves the decoder as it was', () => {
    const packets = encodeTone(20);
    const [clean, disturbed] = [makeDecoder(), makeDecoder()];
    const [expected, pcm] = [room(), room()];
    for (const packet of packets) {
      clean.decode(packet, expected);
      // Empty; a frame count of 0; lengths that lie; more than 120 ms.
      for (const bad of [[], [3, 0], [2, 252], [1, 1, 1, 1], [11, 7, 0]]) {
        assert.equal(disturbed.decode(Uint8Array.from(bad), room()), 0);
      }
      disturbed.decode(packet, pcm);
      assert.deepEqual(pcm, expected);
    }
  });

  test('lengths that no packet has give 0; too little room throws', () => {
    const decoder = makeDecoder();
    const [packet = Buffer.alloc(0)] = encodeTone(1);
    for (const samples of [0, 100, 5_880]) {
      const pcm = new Float32Array(2 * samples);
      assert.equal(decoder.conceal(samples, pcm), 0);
      assert.equal(decoder.decodeFec(packet, samples, pcm), 0);
    }
    assert.throws(() => decoder.decode(packet, new Float32Array(1_919)), /pcm must be .*1920/);
    assert.throws(() => decoder.conceal(960, new Float32Array(4)), /pcm must be/);
    assert.throws(() => decoder.conceal(-120, room()), /samples must be/);
    assert.throws(() => decoder.conceal(Number.NaN, room()), /samples must be/);
  });

  test('closed, it throws; closing twice is nothing', () => {
    const decoder = makeDecoder();
    decoder.close();
    decoder.close();
    assert.throws(() => decoder.decode(new Uint8Array(1), room()), /the decoder is closed/);
    assert.throws(() => decoder.reset(), /the decoder is closed/);
  });

  test('nothing that comes from a network crashes it, or gives more than 120 ms', () => {
    const decoder = makeDecoder();
    const pcm = room();
    const real = encodeTone(8, { fec: true });
    const mangled = fc
      .tuple(fc.integer({ min: 0, max: 7 }), fc.uint8Array({ maxLength: 16 }), fc.nat())
      .map(([which, bytes, at]) => {
        const packet = Uint8Array.from(real[which] ?? []);
        packet.set(bytes.subarray(0, packet.length), at % Math.max(1, packet.length - 15));
        return packet.subarray(0, at % 3 === 0 ? at % packet.length : packet.length);
      });
    const toc = fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 2 }), fc.uint8Array({ maxLength: 1_500 }))
      .map(([head, rest]) => Uint8Array.from([...head, ...rest]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 2_000 }), mangled, toc), (packet) => {
        const samples = decoder.decode(packet, pcm);
        assert.ok(samples >= 0 && samples <= maxDecodedSamples);
        if (samples > 0) assert.equal(opusPacketSamples(Buffer.from(packet)), samples);
        decoder.hasFec(packet);
        assert.ok([0, 960].includes(decoder.decodeFec(packet, 960, pcm)));
        assert.equal(decoder.conceal(120, pcm), 120);
        assert.ok(pcm.subarray(0, 240).every(Number.isFinite));
      }),
      { numRuns: 3_000 },
    );
  });
});

test('decoders that are forgotten are freed', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const settle = async (): Promise<number> => {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    return process.memoryUsage().rss;
  };
  const make = async (): Promise<number> => {
    for (let i = 0; i < 500; i += 1) openDecoder();
    return settle();
  };
  await make();
  const before = await make();
  for (let i = 0; i < 10; i += 1) await make();
  const grown = (await make()) - before;
  // 5,500 decoders of 26 kB each are 143 MB.
  assert.ok(grown < 40e6, `${grown} bytes more`);
});
