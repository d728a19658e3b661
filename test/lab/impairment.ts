import { seededRandom } from './chirp.ts';

/**
 * What a bad network does to one direction of a path, decided packet by packet. Pure and seeded: the
 * same packets at the same times meet the same fate in every run.
 */
export interface ImpairmentSettings {
  /** Share of packets lost, 0–1. */
  readonly lossRate: number;
  /**
   * Mean length of a run of lost packets, 1 or more; 1: each packet is lost on its own. Runs of this
   * length, one packet apart, are the most that it reaches: `lossBurst / (lossBurst + 1)`.
   */
  readonly lossBurst: number;
  /** What every packet takes, in ms. */
  readonly delayMs: number;
  /** Spread on top of it in ms: the longest extra delay (uniform), or that of one packet in twenty (heavy-tailed). */
  readonly jitterMs: number;
  readonly jitterShape: 'uniform' | 'heavy-tailed';
  /** Packets wait behind one that is held up, as in a queue; false: jitter lets them overtake each other. */
  readonly keepsOrder: boolean;
  /** Share of packets held back on their own by `reorderMs`, so that later ones overtake them, 0–1. */
  readonly reorderRate: number;
  readonly reorderMs: number;
  /** Share of packets that come twice, 0–1. */
  readonly duplicateRate: number;
}

/** A path without fault. */
export const noImpairment: ImpairmentSettings = {
  lossRate: 0,
  lossBurst: 1,
  delayMs: 0,
  jitterMs: 0,
  jitterShape: 'uniform',
  keepsOrder: true,
  reorderRate: 0,
  reorderMs: 30,
  duplicateRate: 0,
};

export interface ImpairmentCounts {
  /** Packets that came. */
  offered: number;
  lost: number;
  /** Lost since the path was down. */
  cutOff: number;
  duplicated: number;
  reordered: number;
}

/** Pareto's shape: the mean exists, the variance does not. */
const tailShape = 1.5;
/** Nothing is held up for longer than so many times `jitterMs`. */
const longestTail = 10;
/** The scale for which one packet in twenty takes longer than 1. */
const tailScale = 1 / (20 ** (1 / tailShape) - 1);

export class Impairment {
  readonly counts: ImpairmentCounts = {
    offered: 0,
    lost: 0,
    cutOff: 0,
    duplicated: 0,
    reordered: 0,
  };
  #settings: ImpairmentSettings = noImpairment;
  readonly #random: () => number;
  #isLosing = false;
  #downUntilMs = Number.NEGATIVE_INFINITY;
  /** When the newest packet in order is delivered. */
  #lastMs = Number.NEGATIVE_INFINITY;

  /** `seed` is any whole number. */
  constructor(options: { readonly seed: number; readonly settings?: Partial<ImpairmentSettings> }) {
    this.#random = seededRandom(options.seed);
    this.set(options.settings ?? {});
  }

  /** Changes the path from the next packet on; what is not given stays. Throws a RangeError naming a value that makes no sense. */
  set(changes: Partial<ImpairmentSettings>): void {
    const settings = { ...this.#settings, ...changes };
    for (const name of ['lossRate', 'reorderRate', 'duplicateRate'] as const) {
      within(name, settings[name], { from: 0, to: 1 });
    }
    for (const name of ['delayMs', 'jitterMs', 'reorderMs'] as const) {
      within(name, settings[name], { from: 0, to: 60_000 });
    }
    within('lossBurst', settings.lossBurst, { from: 1, to: 1_000 });
    this.#settings = settings;
  }

  /** Loses every packet until then, in ms of the clock of `deliveries`. */
  cutUntil(ms: number): void {
    this.#downUntilMs = ms;
  }

  /** When the packet that comes at `nowMs` is delivered, in ms of the same clock: not at all, once or twice. */
  deliveries(nowMs: number): readonly number[] {
    const { counts } = this;
    const settings = this.#settings;
    // Always the same number of draws, so that one setting does not change what another does.
    const [loss, jitter, reorder, duplicate, again] = this.#draw();
    counts.offered += 1;
    const isLost = this.#loses(loss);
    if (nowMs < this.#downUntilMs) {
      counts.cutOff += 1;
      return [];
    }
    if (isLost) {
      counts.lost += 1;
      return [];
    }
    const times = [this.#timeOf(nowMs, { jitter, isHeldBack: reorder < settings.reorderRate })];
    if (duplicate < settings.duplicateRate) {
      counts.duplicated += 1;
      times.push(this.#timeOf(nowMs, { jitter: again, isHeldBack: false }));
    }
    return times;
  }

  /** Gilbert's two states: a run of losses ends with a chance that gives it its mean length. */
  #loses(draw: number): boolean {
    const { lossRate, lossBurst } = this.#settings;
    if (lossRate >= 1) return true;
    const end = 1 / lossBurst;
    const begin = (lossRate * end) / (1 - lossRate);
    // With no run to speak of, being in one makes no difference.
    const chance = lossBurst === 1 ? lossRate : this.#isLosing ? 1 - end : begin;
    this.#isLosing = draw < chance;
    return this.#isLosing;
  }

  #timeOf(
    nowMs: number,
    { jitter, isHeldBack }: { readonly jitter: number; readonly isHeldBack: boolean },
  ): number {
    const { delayMs, jitterMs, jitterShape, keepsOrder, reorderMs } = this.#settings;
    const extraMs =
      jitterShape === 'uniform'
        ? jitter * jitterMs
        : Math.min(longestTail, tailScale * ((1 - jitter) ** (-1 / tailShape) - 1)) * jitterMs;
    const ms = nowMs + delayMs + extraMs;
    if (isHeldBack) {
      this.counts.reordered += 1;
      return ms + reorderMs;
    }
    if (!keepsOrder) return ms;
    this.#lastMs = Math.max(this.#lastMs, ms);
    return this.#lastMs;
  }

  #draw(): [number, number, number, number, number] {
    const next = this.#random;
    return [next(), next(), next(), next(), next()];
  }
}

function within(
  name: string,
  value: number,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  if (value >= from && value <= to) return;
  throw new RangeError(`${name} is ${value}; it must be from ${from} to ${to}`);
}
