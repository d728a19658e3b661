import type { FastLaneNumbers, FastLaneState } from './fast-lane/fast-lane.ts';

/** The two ways of the host's sound into this browser. */
export type Lane = 'fast' | 'track';

/** What a person may ask for: the fast lane while it goes well, always, or never. */
export const latencies = ['auto', 'lowest', 'steady'] as const;
export type Latency = (typeof latencies)[number];

export interface LaneChoice {
  readonly lane: Lane;
  /** Why it is not the fast lane, as a sentence; empty on the fast lane. */
  readonly reason: string;
}

export interface LaneFacts {
  readonly latency: Latency;
  /** Why there can be no fast lane here, as a sentence; empty where there can. */
  readonly obstacle: string;
  readonly state: FastLaneState;
  /** The track has a connection to come by. Without one, a rough fast lane is better than none. */
  readonly trackConnected: boolean;
}

/** What a lane is judged by. */
export interface JudgedNumbers
  extends Pick<
    FastLaneNumbers,
    'received' | 'targetMs' | 'concealedMs' | 'underrunMs' | 'isPaused'
  > {
  /** When they came, on the clock of the calls. */
  readonly atMs: number;
}

/** The first numbers of a fast lane that are looked at before it may sound in `auto`. */
export const firstLookMs = 1_000;
/** The fast lane is left when more than so much of the last 3 s was made up or silent. */
export const rough = { windowMs: 3_000, share: 0.03, targetMs: 60, withoutPacketMs: 300 } as const;
/** It is taken again when over 10 s less than so much was, and the level aimed at stayed below. */
export const calm = { windowMs: 10_000, share: 0.005, targetMs: 40 } as const;

/** Numbers that do not come at all say nothing good either; hidden pages may have them once a second. */
const unheardMs = 2_000;

/** Numbers kept: 10 s of four a second, with room for the odd one more. */
const keptMax = 64;

/** A start that takes longer is no start any more. */
const pathlessMs = 10_000;

type Roughness = 'missing' | 'uneven' | 'silent';

const later = 'It is taken again after 10 s of calm.';
const roughReasons: Readonly<Record<Roughness, string>> = {
  missing: `Too much sound went missing on the fast lane. ${later}`,
  uneven: `Packets arrive too unevenly for the fast lane. ${later}`,
  silent: `No packets came on the fast lane. ${later}`,
};

/** Why a fast lane that is in this state for `forMs` cannot sound; empty when it can. */
function stateReason(state: FastLaneState, forMs: number): string {
  switch (state.kind) {
    case 'off':
      return 'The fast lane waits for the connection.';
    case 'starting':
      return forMs < pathlessMs
        ? 'The fast lane is starting.'
        : 'No path to the device opened for the fast lane, neither a data channel nor a WebSocket.';
    case 'blocked':
      return 'The browser holds the fast lane back until you press something.';
    case 'failed':
      return state.reason || 'The fast lane failed.';
    case 'running':
      return '';
  }
}

interface Judged {
  readonly atMs: number;
  readonly received: number;
  readonly targetMs: number;
  readonly isPaused: boolean;
  /** Sound made up or missing since the lane began, ms. */
  readonly badMs: number;
}

/** What is known of a fast lane while it runs. */
interface LaneRecord {
  readonly numbers: Judged[];
  /** First and last numbers that showed new packets. */
  flowingSinceMs: number | undefined;
  lastGrowthMs: number;
  /** Last numbers that were not calm in level or flow. */
  lastUnevenMs: number;
}

function emptyRecord(): LaneRecord {
  return {
    numbers: [],
    flowingSinceMs: undefined,
    lastGrowthMs: Number.NEGATIVE_INFINITY,
    lastUnevenMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Chooses the lane that sounds. Knows no clock: times come with the calls, `performance.now()` ms.
 *
 * INVARIANT: once `auto` has left the fast lane for how it went, it takes it again only after 10 s in
 * which nothing was wrong.
 */
export class LaneChooser {
  #record = emptyRecord();
  #lane: Lane = 'track';
  #state: { readonly kind: FastLaneState['kind']; readonly sinceMs: number } | undefined;
  /** Why and when `auto` left the fast lane; undefined: it did not, or has taken it again. */
  #left: { readonly atMs: number; readonly reason: string } | undefined;

  /** What the fast lane says of itself, about four times a second, sounding or not. */
  received(numbers: JudgedNumbers): void {
    const { atMs, received, targetMs, isPaused, concealedMs, underrunMs } = numbers;
    const next = { atMs, received, targetMs, isPaused, badMs: concealedMs + underrunMs };
    const last = this.#record.numbers.at(-1);
    // Counters that fall are those of another beginning.
    if (last !== undefined && (received < last.received || next.badMs < last.badMs)) {
      this.#record = emptyRecord();
    }
    const record = this.#record;
    if (received > (record.numbers.at(-1)?.received ?? 0)) {
      record.flowingSinceMs ??= atMs;
      record.lastGrowthMs = atMs;
    }
    record.numbers.push(next);
    if (record.numbers.length > keptMax) record.numbers.shift();
    if (targetMs >= calm.targetMs || this.#isSilent(atMs)) record.lastUnevenMs = atMs;
  }

  /** The lane that is to sound from now on. */
  choose(facts: LaneFacts, nowMs: number): LaneChoice {
    const { kind } = facts.state;
    if (kind !== this.#state?.kind) this.#state = { kind, sinceMs: nowMs };
    if (kind !== 'running') this.#record = emptyRecord();
    const reason = this.#reasonAgainst(facts, nowMs);
    this.#lane = reason === '' ? 'fast' : 'track';
    return { lane: this.#lane, reason };
  }

  #reasonAgainst({ latency, obstacle, state, trackConnected }: LaneFacts, nowMs: number): string {
    if (latency === 'steady') {
      this.#left = undefined;
      return 'Steady keeps to the track.';
    }
    if (obstacle !== '') return obstacle;
    if (state.kind === 'failed') this.#left = { atMs: nowMs, reason: state.reason };
    const held = stateReason(state, nowMs - (this.#state?.sinceMs ?? nowMs));
    if (held !== '') return held;
    if (this.#record.flowingSinceMs === undefined) {
      return 'The fast lane waits for its first packets.';
    }
    if (latency === 'lowest' || !trackConnected) return '';
    return this.#lane === 'fast' ? this.#reasonToLeave(nowMs) : this.#reasonToStayAway(nowMs);
  }

  #reasonToLeave(nowMs: number): string {
    const roughness = this.#roughness(nowMs);
    if (roughness === undefined) return '';
    this.#left = { atMs: nowMs, reason: roughReasons[roughness] };
    return this.#left.reason;
  }

  #reasonToStayAway(nowMs: number): string {
    if (this.#left !== undefined) {
      if (!this.#isCalmSince(this.#left.atMs, nowMs)) return this.#left.reason;
      this.#left = undefined;
      return '';
    }
    const { flowingSinceMs = nowMs } = this.#record;
    if (nowMs - flowingSinceMs < firstLookMs) return 'A first look at how the fast lane goes.';
    const roughness = this.#roughness(nowMs);
    return roughness === undefined ? '' : roughReasons[roughness];
  }

  #roughness(nowMs: number): Roughness | undefined {
    if (this.#badShare(nowMs, rough.windowMs) > rough.share) return 'missing';
    if ((this.#record.numbers.at(-1)?.targetMs ?? 0) > rough.targetMs) return 'uneven';
    return this.#isSilent(nowMs) ? 'silent' : undefined;
  }

  #isCalmSince(leftMs: number, nowMs: number): boolean {
    const { flowingSinceMs = nowMs, lastUnevenMs } = this.#record;
    const sinceMs = Math.max(leftMs, flowingSinceMs, lastUnevenMs);
    return (
      nowMs - sinceMs >= calm.windowMs &&
      !this.#isSilent(nowMs) &&
      this.#badShare(nowMs, calm.windowMs) < calm.share
    );
  }

  /** Sound made up or missing in the last `windowMs`, of all that time, 0–1. */
  #badShare(nowMs: number, windowMs: number): number {
    const { numbers } = this.#record;
    const before = numbers.findLast(({ atMs }) => nowMs - atMs >= windowMs) ?? numbers[0];
    const badMs = (numbers.at(-1)?.badMs ?? 0) - (before?.badMs ?? 0);
    return badMs / windowMs;
  }

  /** Numbers come a quarter of a second apart: it takes one without a new packet to tell a pause. */
  #isSilent(nowMs: number): boolean {
    const { numbers, lastGrowthMs } = this.#record;
    const lastMs = numbers.at(-1)?.atMs ?? nowMs;
    if (nowMs - lastMs >= unheardMs) return true;
    if (numbers.at(-1)?.isPaused === true) return false;
    return lastMs > lastGrowthMs && nowMs - lastGrowthMs >= rough.withoutPacketMs;
  }
}
