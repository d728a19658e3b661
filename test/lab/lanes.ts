import type { Page } from 'playwright-core';
import * as v from 'valibot';
import type { Latency } from '../../src/web/lane-chooser.ts';
import { defaultPreferences, preferencesKey } from '../../src/web/preferences.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Which of its two lanes a page plays the host's sound on: asking for one, and looking which it is. */

/**
 * Has every page that `page` loads from now on begin with the preference, as if a person had chosen it
 * before; `auto` is what a page does unasked, and is not stored.
 */
export async function preferLatency(page: Page, latency: Latency): Promise<void> {
  if (latency === 'auto') return;
  const stored = JSON.stringify({ ...defaultPreferences, latency });
  // A page of no origin has no storage; what the page itself stored later stays.
  await page.addInitScript(`if (window.origin !== 'null') {
    const key = ${JSON.stringify(preferencesKey)};
    if (localStorage.getItem(key) === null) localStorage.setItem(key, ${JSON.stringify(stored)});
  }`);
}

const numbersSchema = v.object({
  atMs: v.number(),
  isSounding: v.boolean(),
  delayMs: v.number(),
  targetMs: v.number(),
  levelMs: v.number(),
  jitterMs: v.number(),
  driftPpm: v.number(),
  received: v.number(),
  lost: v.number(),
  recovered: v.number(),
  late: v.number(),
  malformed: v.number(),
  concealedMs: v.number(),
  underrunMs: v.number(),
  redundancy: v.boolean(),
  redundancyKbps: v.number(),
  outputLatencyMs: v.number(),
});
export type LaneNumbers = v.InferOutput<typeof numbersSchema>;

const lookSchema = v.object({
  lane: v.picklist(['fast', 'track']),
  laneReason: v.string(),
  fastLane: v.object({
    state: v.looseObject({
      kind: v.picklist(['off', 'starting', 'running', 'blocked', 'failed']),
      via: v.optional(v.picklist(['channel', 'websocket'])),
      isolated: v.optional(v.boolean()),
      reason: v.optional(v.string()),
    }),
    numbers: v.nullish(numbersSchema),
  }),
});
export type LaneLook = v.InferOutput<typeof lookSchema>;

/** What the page says of its lanes; undefined before it runs. */
export async function lookAtLanes(page: Page): Promise<LaneLook | undefined> {
  const look: unknown = await page.evaluate(`(() => {
    if (window.earshot === undefined) return undefined;
    const { lane, laneReason, fastLane } = window.earshot;
    return JSON.parse(JSON.stringify({ lane, laneReason, fastLane }));
  })()`);
  return look === undefined ? undefined : v.parse(lookSchema, look);
}

/** Waits until a page's lanes satisfy `condition`; the error says what they were last. */
export async function lanesOf(
  page: Page,
  what: string,
  condition: (look: LaneLook) => boolean,
  deadlineMs = 20_000,
): Promise<LaneLook> {
  let last: LaneLook | undefined;
  try {
    return await waitFor(
      what,
      async () => {
        last = await lookAtLanes(page);
        return last !== undefined && condition(last) && last;
      },
      deadlineMs,
    );
  } catch (cause) {
    throw new Error(`no ${what}: ${JSON.stringify(last)}`, { cause });
  }
}

/** Waits until a page plays on the fast lane and its numbers say so. */
export async function onFastLane(page: Page, deadlineMs?: number): Promise<LaneNumbers> {
  const look = await lanesOf(
    page,
    'sound on the fast lane',
    ({ lane, fastLane }) =>
      lane === 'fast' && fastLane.state.kind === 'running' && fastLane.numbers?.isSounding === true,
    deadlineMs,
  );
  const { numbers } = look.fastLane;
  if (numbers === null || numbers === undefined) throw new Error('the fast lane has no numbers');
  return numbers;
}

const changeSchema = v.object({ unixMs: v.number(), lane: v.picklist(['fast', 'track']) });

/** A change of the audible lane, on the clock of performance.now(). */
export interface LaneChange {
  readonly atMs: number;
  readonly lane: 'fast' | 'track';
}

/** Has the page note from now on when it changes lanes, to 10 ms. */
export async function noteLaneChanges(page: Page): Promise<() => Promise<LaneChange[]>> {
  await page.evaluate(`(() => {
    let lane = window.earshot.lane;
    window.laneChanges = [];
    setInterval(() => {
      if (window.earshot.lane === lane) return;
      lane = window.earshot.lane;
      window.laneChanges.push({ unixMs: performance.timeOrigin + performance.now(), lane });
    }, 10);
  })()`);
  return async () => {
    const changes: unknown = await page.evaluate('window.laneChanges');
    return v
      .parse(v.array(changeSchema), changes)
      .map(({ unixMs, lane }) => ({ atMs: unixMs - performance.timeOrigin, lane }));
  };
}

/** Chooses on the page as a person does. */
export async function chooseLatency(page: Page, latency: Latency): Promise<void> {
  const choice = page.getByRole('group', { name: 'Latency' });
  await choice.getByRole('radio', { name: new RegExp(`^${latency}`, 'i') }).check();
}

/** The end-to-end delays of the lane that sounds, as the page shows them during `ms`: one every 250 ms. */
export async function shownDelays(page: Page, ms: number): Promise<number[]> {
  const delays: unknown = await page.evaluate(`new Promise((resolve) => {
    const delays = [];
    const timer = setInterval(() => {
      const { lane, measurement } = window.earshot;
      if (measurement?.lane === lane && measurement.delay) delays.push(measurement.delay.ms);
    }, 250);
    setTimeout(() => {
      clearInterval(timer);
      resolve(delays);
    }, ${ms});
  })`);
  return v.parse(v.array(v.number()), delays);
}
