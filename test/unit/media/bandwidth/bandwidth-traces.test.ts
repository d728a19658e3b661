import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BandwidthRun,
  type BandwidthSample,
  simulateBandwidth,
} from '../../../lab/bandwidth-simulator.ts';

/** What the picture takes at the top of its range, and what is needed for that. */
const mostKbps = 1_800;

function between(run: BandwidthRun, fromS: number, untilS: number): BandwidthSample[] {
  return run.samples.filter(({ atMs }) => atMs >= fromS * 1_000 && atMs < untilS * 1_000);
}

/** The value that so large a share of `values` does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

/** The longest time without a new picture between two times, in ms. */
function longestFreezeMs(run: BandwidthRun, fromS: number, untilS: number): number {
  const shown = run.shownMs.filter((atMs) => atMs >= fromS * 1_000 && atMs < untilS * 1_000);
  const times = [fromS * 1_000, ...shown, untilS * 1_000];
  return Math.max(...times.map((atMs, index) => atMs - (times[index - 1] ?? atMs)));
}

for (const megabits of [1, 1.5, 2]) {
  test(`a link of ${megabits} Mbit/s: the picture settles at 70–100 % of 65 % of it, with a queue under 100 ms`, () => {
    const rateBps = megabits * 1e6;
    const run = simulateBandwidth({ seconds: 60, link: { rateBps: () => rateBps } });
    const settled = between(run, 10, 60);
    for (const { videoKbps, atMs } of settled) {
      const share = (videoKbps * 1_000) / (0.65 * rateBps);
      assert.ok(share >= 0.7 && share <= 1, `${videoKbps} kbps at ${atMs} ms`);
    }
    const queues = settled.map(({ queueMs }) => queueMs);
    assert.ok(quantile(queues, 0.5) < 40, `median ${quantile(queues, 0.5)} ms`);
    assert.ok(quantile(queues, 0.99) < 100, `99 % ${quantile(queues, 0.99)} ms`);
    assert.ok(longestFreezeMs(run, 10, 60) < 200);
  });
}

test('the sound beside the picture is never touched: all of it comes, and in time', () => {
  const run = simulateBandwidth({ seconds: 40, link: { rateBps: () => 1e6 } });
  assert.ok(run.soundsSent - run.soundDelaysMs.length <= 5);
  assert.ok(quantile(run.soundDelaysMs.slice(500), 0.99) < 125);
});

test('a link that nothing limits: the picture has all it can use within 4 s, and stays there', () => {
  const run = simulateBandwidth({ seconds: 40, link: { rateBps: () => 20e6 } });
  for (const { videoKbps, atMs } of between(run, 4, 40)) {
    assert.equal(videoKbps, mostKbps, `at ${atMs} ms`);
  }
});

test('a link of 400 ms queue that falls from 5 to 0.8 Mbit/s: less than it carries is sent within about a second, and no freeze is as long', () => {
  for (const fallMs of [20_000, 20_035, 20_050, 20_070]) {
    const run = simulateBandwidth({
      seconds: 40,
      link: { queueMs: 400, rateBps: (atMs) => (atMs < fallMs ? 5e6 : 0.8e6) },
    });
    for (const { videoKbps } of between(run, 20.6, 40)) assert.ok(videoKbps < 600);
    const sent = between(run, 21.2, 24).map(({ sentBps }) => sentBps);
    assert.ok(sent.reduce((sum, bps) => sum + bps, 0) / sent.length < 820_000);
    assert.ok(longestFreezeMs(run, 20, 40) < 1_000, `${longestFreezeMs(run, 20, 40)} ms`);
    const late = between(run, 26, 40).map(({ queueMs }) => queueMs);
    assert.ok(quantile(late, 0.9) < 100, `${quantile(late, 0.9)} ms`);
  }
});

for (const { pads, withinMs } of [
  { pads: true, withinMs: 15_000 },
  { pads: false, withinMs: 20_000 },
]) {
  test(`a link that rises again: the picture is back within ${withinMs / 1_000} s ${pads ? 'with' : 'without'} padding`, () => {
    for (const riseS of [34, 36, 38, 40, 42, 45]) {
      const run = simulateBandwidth({
        seconds: riseS + 25,
        pads,
        link: { rateBps: (atMs) => (atMs < 20_000 || atMs > riseS * 1_000 ? 5e6 : 0.8e6) },
      });
      const back = between(run, riseS, riseS + 25).find(({ videoKbps }) => videoKbps === mostKbps);
      const tookMs = (back?.atMs ?? Number.POSITIVE_INFINITY) - riseS * 1_000;
      assert.ok(tookMs < withinMs, `${tookMs} ms, rise at ${riseS} s`);
    }
  });
}

test('a link that rises is found though the picture is still, and the picture has it when it moves', () => {
  const run = simulateBandwidth({
    seconds: 60,
    busy: (atMs) => (atMs > 12_000 && atMs < 50_000 ? 0.03 : 1),
    link: { rateBps: (atMs) => (atMs < 20_000 ? 1e6 : 5e6) },
  });
  for (const { videoKbps } of between(run, 45, 60)) assert.ok(videoKbps > 1_500, `${videoKbps}`);
});

test('2 % lost at random and no queue: the rate does not fall', () => {
  for (const seed of [1, 2, 3]) {
    const run = simulateBandwidth({
      seconds: 40,
      link: { rateBps: () => 5e6, lossRate: () => 0.02, seed },
    });
    for (const { videoKbps } of between(run, 15, 40)) assert.ok(videoKbps > 1_500);
  }
});

test('15 % lost brings the rate down, and it comes back when that ends', () => {
  const run = simulateBandwidth({
    seconds: 60,
    link: { rateBps: () => 5e6, lossRate: (atMs) => (atMs > 15_000 && atMs < 30_000 ? 0.15 : 0) },
  });
  const [before, at25] = [between(run, 14, 15)[0], between(run, 25, 26)[0]];
  assert.equal(before?.videoKbps, mostKbps);
  assert.ok((at25?.videoKbps ?? mostKbps) < 1_200, `${at25?.videoKbps}`);
  assert.ok((run.samples.at(-1)?.videoKbps ?? 0) > 1_700);
});

for (const jitterMs of [10, 20]) {
  test(`${jitterMs} ms of jitter and no queue: the rate does not fall`, () => {
    for (const seed of [1, 2, 3]) {
      const run = simulateBandwidth({ seconds: 40, link: { rateBps: () => 5e6, jitterMs, seed } });
      for (const { videoKbps } of between(run, 8, 40)) assert.ok(videoKbps > 1_500, `${videoKbps}`);
    }
  });
}

for (const heldMs of [60, 100, 150]) {
  test(`a radio that holds everything up for ${heldMs} ms, about once a second: the rate does not fall`, () => {
    const everyMs = 1_100;
    const heldUntilMs = (atMs: number) =>
      atMs % everyMs < heldMs ? atMs - (atMs % everyMs) + heldMs : atMs;
    const run = simulateBandwidth({ seconds: 30, link: { rateBps: () => 5e6, heldUntilMs } });
    for (const { videoKbps, atMs } of between(run, 5, 30)) {
      assert.equal(videoKbps, mostKbps, `at ${atMs} ms`);
    }
  });
}

test('a picture that is still for half a minute does not bring the estimate down', () => {
  const run = simulateBandwidth({
    seconds: 60,
    busy: (atMs) => (atMs > 10_000 && atMs < 40_000 ? 0.03 : 1),
    link: { rateBps: () => 5e6, jitterMs: 10 },
  });
  for (const { videoKbps } of between(run, 8, 60)) assert.ok(videoKbps > 1_600, `${videoKbps}`);
  // And once there is as much as is of use, nothing more is looked for.
  assert.ok(run.paddingBytes < 0.03 * run.sentBytes);
});

test('clocks 300 ppm apart make no difference', () => {
  for (const driftPpm of [300, -300]) {
    const run = simulateBandwidth({ seconds: 40, driftPpm, link: { rateBps: () => 1.5e6 } });
    for (const { videoKbps } of between(run, 12, 40)) {
      assert.ok(videoKbps >= 680 && videoKbps <= 1_000, `${videoKbps} kbps, ${driftPpm} ppm`);
    }
  }
});

test('feedback lost for a second makes no difference', () => {
  const run = simulateBandwidth({
    seconds: 30,
    feedbackLost: (atMs) => atMs > 15_000 && atMs < 16_000,
    link: { rateBps: () => 5e6 },
  });
  for (const { videoKbps } of between(run, 8, 30)) assert.equal(videoKbps, mostKbps);
});

test('every tenth feedback a lie in place of the truth: the rate stays near what the link carries', () => {
  let count = 0;
  const run = simulateBandwidth({
    seconds: 40,
    link: { rateBps: () => 1.5e6 },
    lie: (feedback) => {
      count += 1;
      if (count % 10 !== 0) return feedback;
      return { ...feedback, baseSequence: (feedback.baseSequence + 12_345) & 0xffff };
    },
  });
  assert.ok(run.estimator.counts.unknownPackets > 0);
  for (const { videoKbps } of between(run, 15, 40)) {
    assert.ok(videoKbps >= 600 && videoKbps <= 1_400, `${videoKbps}`);
  }
});

test('what a full path drops is not asked for until it stays full: repeats fall with the estimate', () => {
  const run = simulateBandwidth({
    seconds: 40,
    link: { queueMs: 100, rateBps: (atMs) => (atMs < 10_000 ? 5e6 : 0.8e6) },
  });
  const sent = between(run, 13, 40).map(({ sentBps }) => sentBps);
  assert.ok(sent.reduce((sum, bps) => sum + bps, 0) / sent.length < 900_000);
});
