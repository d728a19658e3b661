import type { Delay } from './delay.ts';
import type { FastLane, FastLaneNumbers, FastLaneState } from './fast-lane/fast-lane.ts';
import { fastLaneBetween, known } from './fast-lane-stats.ts';
import { type Lane, type LaneChoice, LaneChooser, type Latency } from './lane-chooser.ts';
import type { StatsNumbers } from './stats.ts';

/** How often the lanes are compared beside the numbers, which come four times a second. */
const tickMs = 100;

/** From the change to the track until the fast lane is stopped. */
const stopAfterMs = 500;

/** What the page shows of the lanes. */
export interface PageLanesState extends LaneChoice {
  readonly fastLane: FastLaneState;
  /** What the sound being sent twice costs; undefined while it is not. */
  readonly redundancyKbps: number | undefined;
}

export const noLanes: PageLanesState = {
  lane: 'track',
  reason: '',
  fastLane: { kind: 'off' },
  redundancyKbps: undefined,
};

interface TimedNumbers {
  /** `performance.now()` ms. */
  readonly atMs: number;
  readonly numbers: FastLaneNumbers;
}

/** A second of the fast lane. */
export interface FastSecond extends StatsNumbers {
  readonly lane: 'fast';
  readonly delay: Delay | undefined;
}

export interface PageLanesOptions {
  readonly fastLane: Pick<FastLane, 'attach' | 'setSession' | 'start' | 'stop' | 'reportDelay'>;
  /** What of this browser stands in the way, as a sentence; empty when nothing does. */
  readonly obstacle: () => Promise<string>;
  /** This lane sounds from now on. */
  readonly setLane: (lane: Lane) => void;
  readonly onChange: (state: PageLanesState) => void;
  /** `performance.now()`. */
  readonly nowMs: () => number;
  /** Runs `action` after a delay, unless the function returned is called before. */
  readonly later: (delayMs: number, action: () => void) => () => void;
}

/**
 * The two lanes tied together: starts the fast lane where it can be had and is wanted, and says which
 * lane sounds.
 *
 * INVARIANT: while the page is open, the fast lane is stopped only once the track sounds.
 */
export class PageLanes {
  readonly #options: PageLanesOptions;
  readonly #chooser = new LaneChooser();
  #latency: Latency = 'auto';
  /** Undefined: not asked yet. */
  #browserObstacle: string | undefined;
  #sinkObstacle = '';
  #isInStep = false;
  /** The device's offer has a data channel in it; undefined: there was no offer yet. */
  #offered: boolean | undefined;
  #trackConnected = false;
  #isOpen = false;
  #isWanted = false;
  #isStarted = false;
  #cancelStop: () => void = () => undefined;
  #cancelTick: () => void = () => undefined;
  #state = noLanes;
  #numbers: TimedNumbers | undefined;
  /** The numbers at the end of the last second. */
  #lastSecond: TimedNumbers | undefined;

  constructor(options: PageLanesOptions) {
    this.#options = options;
  }

  get state(): PageLanesState {
    return this.#state;
  }

  /** The fast lane's last numbers, sounding or not. */
  get numbers(): FastLaneNumbers | undefined {
    return this.#numbers?.numbers;
  }

  start(): void {
    this.#isOpen = true;
    this.#tick();
    void this.#askBrowser();
  }

  stop(): void {
    this.#isOpen = false;
    this.#isWanted = false;
    // The next offer may be another device's.
    this.#offered = undefined;
    this.#cancelTick();
    this.#cancelStop();
    this.#stopFastLane();
  }

  setLatency(latency: Latency): void {
    this.#latency = latency;
    this.#update();
  }

  /** Why the fast lane cannot play on the output that is chosen; empty when it can. */
  setSinkObstacle(obstacle: string): void {
    this.#sinkObstacle = obstacle;
    this.#update();
  }

  /** The sound is to be in step with the picture, which only the track's is. */
  setInStep(inStep: boolean): void {
    this.#isInStep = inStep;
    this.#update();
  }

  setSession(id: string | undefined): void {
    this.#options.fastLane.setSession(id);
  }

  /** A peer connection is about to answer its first offer, or (undefined) is gone. */
  negotiated(
    offer: { readonly connection: RTCPeerConnection; readonly hasData: boolean } | undefined,
  ): void {
    this.#options.fastLane.attach(offer?.hasData === true ? offer.connection : undefined);
    this.#offered = offer?.hasData ?? this.#offered;
    this.#update();
  }

  /** Whether the track has a connection to come by. */
  setTrackConnected(connected: boolean): void {
    this.#trackConnected = connected;
    this.#update();
  }

  /** The fast lane's state changed. */
  stateChanged(fastLane: FastLaneState): void {
    this.#state = { ...this.#state, fastLane };
    if (fastLane.kind !== 'running') {
      this.#numbers = undefined;
      this.#lastSecond = undefined;
    }
    this.#update(true);
  }

  /** Numbers of the fast lane. */
  received(numbers: FastLaneNumbers): void {
    // The clock that their own time is of may be set meanwhile.
    const atMs = this.#options.nowMs();
    this.#numbers = { atMs, numbers };
    this.#chooser.received({ ...numbers, atMs });
    this.#update();
  }

  /** The second since the last call, when the fast lane sounds and is measured; call it once a second. */
  second(): FastSecond | undefined {
    const before = this.#lastSecond;
    const after = this.#numbers;
    this.#lastSecond = after;
    this.#showRedundancy(after?.numbers);
    if (this.#state.lane !== 'fast' || before === undefined || after === undefined)
      return undefined;
    if (after.atMs <= before.atMs) return undefined;
    const ms = known(after.numbers.delayMs);
    return {
      ...fastLaneBetween(before.numbers, after.numbers, after.atMs - before.atMs),
      lane: 'fast',
      delay: ms === undefined ? undefined : { ms, method: 'ping' },
    };
  }

  /** The delay of the lane that sounds, for the device to know. */
  reportDelay(delay: Delay | undefined): void {
    this.#options.fastLane.reportDelay(delay?.ms ?? -1, this.#state.lane === 'fast');
  }

  async #askBrowser(): Promise<void> {
    this.#browserObstacle ??= await this.#options.obstacle();
    this.#update();
  }

  get #obstacle(): string {
    const browser = this.#browserObstacle ?? '';
    if (browser !== '') return browser;
    if (this.#isInStep) return 'The sound is kept in step with the picture.';
    return this.#offered === false
      ? 'This device does not offer the fast lane.'
      : this.#sinkObstacle;
  }

  #tick(): void {
    this.#cancelTick();
    this.#cancelTick = this.#options.later(tickMs, () => {
      if (this.#state.fastLane.kind !== 'off') this.#update();
      this.#tick();
    });
  }

  #update(stateChanged = false): void {
    this.#runFastLane();
    const { lane, reason } = this.#chooser.choose(
      {
        latency: this.#latency,
        obstacle: this.#obstacle,
        state: this.#state.fastLane,
        trackConnected: this.#trackConnected,
      },
      this.#options.nowMs(),
    );
    const changed = lane !== this.#state.lane || reason !== this.#state.reason;
    if (!changed && !stateChanged) return;
    const laneChanged = lane !== this.#state.lane;
    this.#state = { ...this.#state, lane, reason };
    if (laneChanged) this.#laneChanged(lane);
    this.#options.onChange(this.#state);
  }

  #laneChanged(lane: Lane): void {
    this.#options.setLane(lane);
    // Unknown until the lane that sounds now is measured.
    this.#options.fastLane.reportDelay(-1, lane === 'fast');
  }

  /** Starts or stops it, as is wanted now. */
  #runFastLane(): void {
    const isWanted =
      this.#isOpen &&
      this.#latency !== 'steady' &&
      this.#browserObstacle === '' &&
      this.#offered === true &&
      !this.#isInStep &&
      this.#sinkObstacle === '';
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    this.#cancelStop();
    if (!isWanted) {
      // It sounds until the track does, and who is only looking through the choices comes back.
      this.#cancelStop = this.#options.later(stopAfterMs, () => this.#stopFastLane());
    } else if (!this.#isStarted) this.#startFastLane();
  }

  #startFastLane(): void {
    this.#isStarted = true;
    this.#options.fastLane.start().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#isStarted) this.stateChanged({ kind: 'failed', reason });
    });
  }

  #stopFastLane(): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#options.fastLane.stop();
  }

  #showRedundancy(numbers: FastLaneNumbers | undefined): void {
    const redundancyKbps = numbers?.redundancy === true ? numbers.redundancyKbps : undefined;
    if (redundancyKbps === this.#state.redundancyKbps) return;
    this.#state = { ...this.#state, redundancyKbps };
    this.#options.onChange(this.#state);
  }
}
