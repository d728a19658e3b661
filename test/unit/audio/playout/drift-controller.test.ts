import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DriftController } from '../../../../src/audio/playout/drift-controller.ts';
import { GeneratedTrace } from '../../../fixtures/packet-traces.ts';
import { type SimulationResult, simulate } from '../../../fixtures/playout-simulator.ts';
import { seededRandom } from '../../../lab/chirp.ts';

function offTarget(result: SimulationResult, fromS: number): { least: number; most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const { atMs, levelMs, targetMs } of result.samples) {
    if (atMs < fromS * 1_000) continue;
    least = Math.min(least, levelMs - targetMs);
    most = Math.max(most, levelMs - targetMs);
  }
  return { least, most };
}

/** A buffer whose level the clocks move by `driftPpm` and the controller by its answer. */
function tank(controller: DriftController, options: { driftPpm: number; noiseMs?: number }) {
  const random = seededRandom(5);
  const { noiseMs = 0 } = options;
  return {
    driftPpm: options.driftPpm,
    levelMs: 20,
    targetMs: 20,
    nowMs: 0,
    largestStepPpm: 0,
    largestPpm: 0,
    run(forS: number, everyMs = 50) {
      for (const untilMs = this.nowMs + forS * 1_000; this.nowMs < untilMs; this.nowMs += everyMs) {
        this.levelMs += ((this.driftPpm - controller.ppm) / 1e6) * everyMs;
        const before = controller.ppm;
        const measuredMs = this.levelMs + noiseMs * (random() - 0.5);
        controller.update({ nowMs: this.nowMs, levelMs: measuredMs, targetMs: this.targetMs });
        this.largestPpm = Math.max(this.largestPpm, Math.abs(controller.ppm));
        this.largestStepPpm = Math.max(this.largestStepPpm, Math.abs(controller.ppm - before));
      }
    },
  };
}

describe('the drift controller', () => {
  for (const driftPpm of [300, -300]) {
    it(`finds ${driftPpm} ppm and keeps the level meanwhile`, () => {
      const controller = new DriftController();
      const level = tank(controller, { driftPpm, noiseMs: 2 });
      level.run(300);
      assert.ok(Math.abs(controller.driftPpm - driftPpm) < 15, `${controller.driftPpm} ppm`);
      assert.ok(Math.abs(level.levelMs - 20) < 1, `${level.levelMs} ms`);
      assert.ok(level.largestPpm < 900);
    });
  }

  it('never changes the pitch faster than 100 ppm a second, nor by more than 1,000 ppm', () => {
    const controller = new DriftController();
    const level = tank(controller, { driftPpm: 5_000, noiseMs: 3 });
    level.run(120);
    assert.equal(controller.ppm, 1_000);
    assert.ok(level.largestPpm <= 1_000);
    assert.ok(level.largestStepPpm <= 100 * 0.05 + 1e-9);
  });

  it('follows a target that changes, without taking it for drift', () => {
    const controller = new DriftController();
    const level = tank(controller, { driftPpm: 100 });
    level.run(300);
    level.targetMs = 26;
    level.run(60);
    assert.ok(Math.abs(level.levelMs - 26) < 0.5, `${level.levelMs} ms`);
    assert.ok(Math.abs(controller.driftPpm - 100) < 10, `${controller.driftPpm} ppm`);
  });

  it('does not take for drift what others do to the level', () => {
    const controller = new DriftController();
    const level = tank(controller, { driftPpm: 100 });
    level.run(300);
    for (let underrun = 0; underrun < 30; underrun += 1) {
      level.levelMs += 10;
      level.run(2);
      level.levelMs -= 9;
      level.run(3);
    }
    assert.ok(Math.abs(controller.driftPpm - 100) < 40, `${controller.driftPpm} ppm`);
  });

  it('finds out that what it measured for minutes is wrong', () => {
    const controller = new DriftController();
    const level = tank(controller, { driftPpm: 950, noiseMs: 2 });
    level.run(200, 200);
    level.driftPpm = 0;
    level.run(200, 200);
    assert.ok(Math.abs(controller.driftPpm) < 100, `${controller.driftPpm} ppm`);
  });

  it('learns no drift from a machine that stalls while it begins', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed);
      const controller = new DriftController();
      let kickMs = 0;
      let untilMs = 0;
      let worstPpm = 0;
      let levelMs = 20;
      for (let nowMs = 0; nowMs < 60_000; nowMs += 200) {
        if (nowMs >= untilMs) {
          kickMs = nowMs < 30_000 && random() < 0.1 ? 80 * (random() - 0.5) : 0;
          untilMs = nowMs + (kickMs === 0 ? 0 : 3_000 * random());
        }
        levelMs -= (controller.ppm / 1e6) * 200;
        const measuredMs = levelMs + kickMs + 4 * (random() - 0.5);
        controller.update({ nowMs, levelMs: measuredMs, targetMs: 20, adjustedMs: 0 });
        worstPpm = Math.max(worstPpm, Math.abs(controller.driftPpm));
      }
      assert.ok(worstPpm < 250, `${worstPpm} ppm with seed ${seed}`);
    }
  });

  it('does not take underruns of the sound card for drift', () => {
    const controller = new DriftController();
    let levelMs = 20;
    let adjustedMs = 0;
    for (let nowMs = 0; nowMs < 300_000; nowMs += 200) {
      levelMs -= (controller.ppm / 1e6) * 200;
      if (nowMs % 10_000 === 5_000) {
        levelMs += 15;
        controller.interrupt();
      }
      if (nowMs % 10_000 === 8_000) {
        levelMs -= 15;
        adjustedMs -= 15;
      }
      controller.update({ nowMs, levelMs, targetMs: 20, adjustedMs });
      assert.ok(Math.abs(controller.driftPpm) < 50, `${controller.driftPpm} ppm at ${nowMs} ms`);
    }
  });

  it('keeps what it knows over a pause', () => {
    const controller = new DriftController();
    const level = tank(controller, { driftPpm: -200 });
    level.run(300);
    level.nowMs += 60_000;
    level.levelMs = 70;
    level.run(1);
    assert.ok(Math.abs(controller.driftPpm + 200) < 10, `${controller.driftPpm} ppm`);
  });

  it('forgets at a reset', () => {
    const controller = new DriftController();
    tank(controller, { driftPpm: 300 }).run(100);
    controller.reset();
    assert.deepEqual([controller.ppm, controller.driftPpm], [0, 0]);
  });

  // The recipe of a home network: little jitter, 20 ms packets, the clocks 300 ppm apart.
  for (const [hours, driftPpm, devicePpm] of [
    [24, 300, 0],
    [6, -150, 150],
  ] as const) {
    it(`holds the level for ${hours} h with ${driftPpm - devicePpm} ppm between the clocks`, (t) => {
      const result = simulate({
        source: new GeneratedTrace({ driftPpm, delayMs: (random) => 2 + 6 * random() ** 3 }),
        seconds: hours * 3_600,
        devicePpm,
        sampleEveryMs: 100,
        keepEveryMs: 1_000,
      });
      const { least, most } = offTarget(result, 120);
      t.diagnostic(
        `level ${least.toFixed(1)} to +${most.toFixed(1)} ms off target, ` +
          `drift found ${result.drift.driftPpm.toFixed(1)} ppm, ${result.underrunMs} ms bridged`,
      );
      assert.equal(result.starvedMs + result.lossMs + result.idleMs, 0);
      assert.equal(result.underrunMs, 0);
      assert.ok(result.shortened + result.lengthened <= 2, 'stretched after the start');
      assert.ok(least > -5 && most < 6);
      assert.ok(Math.abs(result.drift.driftPpm - (driftPpm - devicePpm)) < 20);
    });
  }

  it('holds it through stalls of 60 ms every minute and a half, too', () => {
    const delayMs = (random: () => number, sentMs: number) =>
      2 + 6 * random() + (sentMs % 90_000 < 20 ? 60 : 0);
    const result = simulate({
      source: new GeneratedTrace({ driftPpm: 300, delayMs, inOrder: true }),
      seconds: 2 * 3_600,
      sampleEveryMs: 100,
      keepEveryMs: 1_000,
    });
    assert.equal(result.starvedMs, 0);
    // Each stall is bridged once, for its length, and its sound played late.
    assert.ok(result.underrunMs < 80 * 62);
    assert.equal(result.buffer.counts.late, 0);
    assert.ok(Math.abs(result.drift.driftPpm - 300) < 30, `${result.drift.driftPpm} ppm`);
    assert.ok(offTarget(result, 120).least > -6);
  });
});
