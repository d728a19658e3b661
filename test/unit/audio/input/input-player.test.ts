import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeInputFrame } from '../../../../src/audio/input/input-frames.ts';
import { InputPlayer, lowWaterMs } from '../../../../src/audio/input/input-player.ts';
import { microphonePresets } from '../../../../src/audio/presets.ts';

const periodMs = 5;
const deviceMs = 20;
const celt20 = 31 << 3;

/** A sound card in memory that takes a period every 5 ms, and remembers what it played. */
class FakeCard {
  open = true;
  readonly played: number[] = [];
  readonly drifts: number[] = [];
  #ring: number[] = [];
  largestRing = 0;
  /** For so long in each 100 ms it takes nothing, and then all at once. */
  stutterMs = 0;
  dryPeriods = 0;

  write(pcm: Float32Array, samples: number): number {
    if (!this.open) return 0;
    for (let i = 0; i < samples; i += 1) this.#ring.push(pcm[2 * i] ?? Number.NaN);
    this.largestRing = Math.max(this.largestRing, this.#ring.length);
    return samples;
  }

  queued() {
    const deviceSamples = this.open ? deviceMs * 48 : -1;
    return { ringSamples: this.#ring.length, deviceSamples };
  }

  setDriftPpm(ppm: number): void {
    this.drifts.push(ppm);
  }

  takePeriod(periods = 1): void {
    if (!this.open) this.#ring = [];
    const wanted = periods * periodMs * 48;
    const taken = this.#ring.splice(0, wanted);
    if (this.open && taken.length < wanted) this.dryPeriods += 1;
    for (const sample of taken) this.played.push(sample);
  }

  /** The values played, each run once, without what was made up (negative). */
  runs(): number[] {
    return this.played.filter((value, i, all) => value > 0 && value !== all[i - 1]);
  }
}

/** Decodes a packet to its second byte, 20 ms of it; makes up −1, or −2 from FEC. */
class FakeDecoder {
  resets = 0;
  fec = false;
  refuses = false;
  decode(packet: Uint8Array, pcm: Float32Array): number {
    return this.refuses ? 0 : this.#fill(pcm, 960, packet[1] ?? 0);
  }
  decodeFec(_: Uint8Array, samples: number, pcm: Float32Array): number {
    return this.#fill(pcm, samples, -2);
  }
  hasFec(): boolean {
    return this.fec;
  }
  conceal(samples: number, pcm: Float32Array): number {
    return this.#fill(pcm, samples, -1);
  }
  reset(): void {
    this.resets += 1;
  }
  #fill(pcm: Float32Array, samples: number, value: number): number {
    pcm.fill(value, 0, samples * 2);
    return samples;
  }
}

/** A player with a simulated clock; packets of 20 ms by their number. */
function setUp() {
  let nowMs = 1_000;
  const card = new FakeCard();
  const decoder = new FakeDecoder();
  const player = new InputPlayer({ decoder, playback: card, nowMs: () => nowMs });
  player.configure({ expected: microphonePresets.medium, periodMs });
  const receive = (
    payload: Buffer,
    more: { sequence?: number; ssrc?: number; ageMs?: number } = {},
  ) => {
    const { sequence = 0, ssrc = 7, ageMs = 0 } = more;
    player.receive({
      type: 'opus',
      flags: 0,
      sequence: 0,
      timestampNs: BigInt(Math.round((nowMs - ageMs) * 1e6)),
      payload: writeInputFrame({
        sequence: sequence & 0xffff,
        timestamp: (sequence * 960) >>> 0,
        ssrc,
        marker: false,
        payload,
      }),
    });
  };
  const packet = (n: number) => Buffer.from([celt20, (n % 100) + 1, 0, 0]);
  let heldPeriods = 0;
  const pass = (ms: number) => {
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs += periodMs;
      heldPeriods += 1;
      if (nowMs % 100 < card.stutterMs) continue;
      card.takePeriod(heldPeriods);
      heldPeriods = 0;
      if (card.open && card.queued().ringSamples < lowWaterMs({ periodMs }) * 48) {
        player.need();
      }
    }
  };
  /** Sends packets `from`…`to`−1 in real time, those that `arrives` says. */
  const stream = (from: number, to: number, arrives: (n: number) => boolean = () => true) => {
    for (let n = from; n < to; n += 1) {
      if (arrives(n)) receive(packet(n), { sequence: n });
      pass(20);
    }
  };
  return { card, decoder, player, receive, packet, pass, stream, numbers: () => player.numbers() };
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

test('a stream is played in order, whole, without a gap', () => {
  const it = setUp();
  it.stream(0, 50);
  it.pass(500);
  assert.deepEqual(it.card.runs(), upTo(50));
  const { decodedFrames, lateFrames, malformedFrames, droppedFrames, receivedFrames } =
    it.numbers();
  assert.deepEqual(
    { decodedFrames, lateFrames, malformedFrames, droppedFrames, receivedFrames },
    { decodedFrames: 50, lateFrames: 0, malformedFrames: 0, droppedFrames: 0, receivedFrames: 50 },
  );
});

test('the latency it reports is from arrival to the sound card, and the level is near the target', () => {
  const it = setUp();
  it.stream(0, 200);
  const { latencyMeanMs, latencyP95Ms, levelMs, targetMs, lastFrameAgeMs } = it.numbers();
  assert.ok(latencyMeanMs >= deviceMs && latencyMeanMs < deviceMs + 60, `${latencyMeanMs} ms`);
  assert.ok(latencyP95Ms >= latencyMeanMs - 1);
  assert.ok(Math.abs(levelMs - targetMs) < 15, `${levelMs} of ${targetMs}`);
  assert.equal(lastFrameAgeMs, 20);
});

test('lost packets are recovered from FEC where the next one has it, and made up where not', () => {
  const it = setUp();
  const arrives = (n: number) => n % 10 !== 9;
  it.stream(0, 200, arrives);
  const without = it.numbers();
  assert.equal(without.fecSamples, 0);
  assert.ok(without.plcSamples > 0);
  it.decoder.fec = true;
  it.stream(200, 400, arrives);
  it.pass(300);
  const { fecSamples, plcSamples } = it.numbers();
  assert.ok(fecSamples > plcSamples - without.plcSamples, `${fecSamples} samples from FEC`);
  const played = upTo(400).filter((n) => arrives(n - 1));
  assert.deepEqual(
    it.card.runs(),
    played.map((n) => ((n - 1) % 100) + 1),
  );
});

test('a packet that the decoder refuses is counted and made up', () => {
  const it = setUp();
  it.stream(0, 10);
  it.decoder.refuses = true;
  it.stream(10, 11);
  it.pass(100);
  it.decoder.refuses = false;
  assert.equal(it.numbers().malformedFrames, 1);
  assert.ok(it.numbers().plcSamples >= 960);
});

test('what is no Opus packet, or longer than allowed, never reaches the decoder', () => {
  const it = setUp();
  const sixty = (11 << 3) | 0;
  const bad = [
    Buffer.from([celt20 | 3]),
    Buffer.from([celt20 | 1, 1, 2, 3]),
    Buffer.from([sixty | 1, 1, 2, 3, 4]),
    Buffer.alloc(1_489, celt20 | 1),
    Buffer.alloc(1_400, celt20),
  ];
  for (const payload of bad) it.receive(payload);
  it.player.receive({
    type: 'opus',
    flags: 0,
    sequence: 0,
    timestampNs: 0n,
    payload: Buffer.alloc(5),
  });
  const { malformedFrames, receivedFrames } = it.numbers();
  assert.deepEqual({ malformedFrames, receivedFrames }, { malformedFrames: 6, receivedFrames: 6 });
});

test('120 ms are allowed where long frames were asked for', () => {
  const it = setUp();
  const long = Buffer.from([(11 << 3) | 1, 1, 2, 3, 4]);
  it.receive(long);
  it.player.configure({ expected: microphonePresets.low, periodMs });
  it.receive(long, { sequence: 1 });
  assert.equal(it.numbers().malformedFrames, 1);
});

test('late and repeated packets are counted and not played', () => {
  const it = setUp();
  it.stream(0, 30);
  it.receive(it.packet(29), { sequence: 29 });
  it.receive(it.packet(99), { sequence: 5 });
  const { lateFrames, duplicateFrames } = it.numbers();
  assert.equal(lateFrames + duplicateFrames, 2);
  it.pass(300);
  assert.deepEqual(it.card.runs(), upTo(30));
});

test('while the device is closed packets are dropped and counted; nothing old is heard when it opens', () => {
  const it = setUp();
  it.stream(0, 30);
  it.card.open = false;
  it.stream(30, 60);
  assert.equal(it.numbers().droppedFrames >= 30, true);
  const before = it.card.played.length;
  it.card.open = true;
  it.stream(60, 90);
  it.pass(300);
  const after = it.card.played.slice(before).filter((value) => value > 0);
  assert.equal(after[0], 61);
  assert.ok(it.card.largestRing < 100 * 48);
  assert.ok(it.decoder.resets > 0);
});

test('what waits when the device is closed for good is never heard', () => {
  const it = setUp();
  it.stream(0, 30);
  it.receive(it.packet(30), { sequence: 30 });
  it.card.open = false;
  it.player.forgetStream();
  assert.ok(it.numbers().droppedFrames > 0);
  it.pass(2_000);
  const before = it.card.played.length;
  it.card.open = true;
  it.pass(500);
  assert.equal(it.card.played.length, before);
  for (let n = 200; n < 230; n += 1) {
    it.receive(it.packet(n), { sequence: n, ssrc: 8 });
    it.pass(20);
  }
  assert.equal(
    it.card.played.slice(before).find((value) => value > 0),
    1,
  );
});

test('a backlog of a main process that was stopped is dropped', () => {
  const it = setUp();
  it.stream(0, 10);
  it.pass(2_000);
  for (let n = 10; n < 110; n += 1) {
    it.receive(it.packet(n), { sequence: n, ageMs: 2_000 - (n - 10) * 20 });
  }
  assert.ok(it.numbers().droppedFrames >= 80, `${it.numbers().droppedFrames}`);
  it.pass(1_000);
  assert.ok(it.card.runs().at(-1) === 100 + 1 || it.card.runs().at(-1) === 10);
});

test('another SSRC begins anew: the decoder is reset, and the new stream is played', () => {
  const it = setUp();
  it.stream(0, 20);
  for (let n = 0; n < 20; n += 1) {
    it.receive(it.packet(n + 40), { sequence: n + 5_000, ssrc: 8 });
    it.pass(20);
  }
  it.pass(300);
  assert.deepEqual([it.numbers().streamResets, it.decoder.resets], [1, 1]);
  assert.ok(it.card.runs().includes(60));
});

test('a pause that the sender announced is filled and counted apart', () => {
  const it = setUp();
  it.stream(0, 20);
  it.receive(Buffer.from([celt20]), { sequence: 20 });
  it.pass(400);
  const { dtxSamples, plcSamples } = it.numbers();
  assert.ok(dtxSamples > 200 * 48, `${dtxSamples} samples`);
  assert.equal(plcSamples, 0);
});

test('a device that stutters, or a process that is late, is got used to, and forgotten after long', () => {
  const it = setUp();
  let sent = 0;
  const seconds = (count: number): number => {
    const before = it.card.dryPeriods;
    for (let second = 0; second < count; second += 1) {
      const dry = it.card.dryPeriods;
      it.stream(sent, sent + 50);
      sent += 50;
      it.player.adapt({ starved: it.card.dryPeriods > dry });
    }
    return it.card.dryPeriods - before;
  };
  seconds(10);
  const usualMs = it.numbers().latencyMeanMs;
  it.card.stutterMs = 20;
  assert.ok(seconds(4) > 0);
  assert.equal(seconds(4), 0);
  const usedToMs = it.numbers().latencyMeanMs;
  assert.ok(usedToMs > usualMs, `${usualMs} ms, then ${usedToMs} ms`);
  it.card.stutterMs = 0;
  seconds(60);
  it.card.stutterMs = 20;
  assert.equal(seconds(4), 0, 'a minute later it is still provided for');
  it.card.stutterMs = 0;
  for (let second = 0; second < 1_600; second += 1) it.player.adapt({ starved: false });
  assert.equal(seconds(60), 0);
  const forgottenMs = it.numbers().latencyMeanMs;
  assert.ok(forgottenMs < usedToMs, `${usedToMs} ms, then ${forgottenMs} ms`);
});

test('the end of a stream is an ending, counted once', () => {
  const it = setUp();
  it.stream(0, 20);
  assert.equal(it.numbers().endings, 0);
  it.pass(3_000);
  assert.equal(it.numbers().endings, 1);
  assert.equal(it.numbers().levelMs, 0);
});

test('ten thousand packets at once: the ring stays small, what finds no room is counted', () => {
  const it = setUp();
  for (let n = 0; n < 10_000; n += 1) it.receive(it.packet(n), { sequence: n });
  const { receivedFrames, droppedFrames, streamResets, lateFrames } = it.numbers();
  assert.equal(receivedFrames, 10_000);
  assert.ok(droppedFrames + streamResets + lateFrames > 0);
  assert.ok(it.card.largestRing <= 200 * 48, `${it.card.largestRing} samples`);
  it.pass(100);
  it.stream(10_000, 10_050);
  it.pass(2_000);
  assert.equal(it.card.runs().at(-1), 50);
});

test('packets of anything do not throw, nor do they pile up', () => {
  const it = setUp();
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let n = 0; n < 3_000; n += 1) {
    const payload = Buffer.from(Array.from({ length: 1 + random(12) }, () => random(256)));
    it.receive(payload, { sequence: random(65_536), ssrc: random(3), ageMs: random(400) });
    if (n % 10 === 0) it.pass(5);
  }
  assert.equal(it.numbers().receivedFrames, 3_000);
  assert.ok(it.card.largestRing <= 500 * 48);
});
