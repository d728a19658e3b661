import { EventEmitter } from 'node:events';
import type { Log } from '../../log/log.ts';
import { parseCombination } from './combination.ts';
import { HeldState } from './held-state.ts';
import {
  assertJiggler,
  assertLayout,
  assertPace,
  type HidConfig,
  type HidSettings,
} from './hid-config.ts';
import type { HidHost, HostState } from './hid-host.ts';
import type { HidService, HidServiceEvents, TextCheck, TypeRequest } from './hid-service.ts';
import type {
  HidLeds,
  HidStatus,
  HidViewer,
  HidViewerLink,
  JigglerSettings,
} from './hid-status.ts';
import { type HidTimers, systemTimers } from './hid-timers.ts';
import { InputLanes } from './input-lanes.ts';
import { Jiggler } from './jiggler.ts';
import { KeyTasks } from './key-tasks.ts';
import { LatencyRecord } from './latency-record.ts';
import { type LayoutName, layoutNames } from './layouts/layout-names.ts';
import { defaultCharactersPerSecond } from './limits.ts';
import type { Macro } from './macro.ts';
import { assertRunnable, checkMacro, macroNamed, runMacro, withMacro } from './macros.ts';
import { ReportWriter } from './report-writer.ts';
import { SettingsTurns } from './settings-turns.ts';
import { StatusEvents } from './status-events.ts';
import { assertTypable, planText } from './text-plan.ts';
import { typeText } from './typing.ts';
import { type MutableCounts, ViewerInput } from './viewer-input.ts';

export interface HidControlOptions {
  readonly config: Pick<HidConfig, 'wakeOnInput' | 'layout'>;
  readonly host: HidHost;
  /** Durable: `replace` resolves when they would survive a power cut, or throws unchanged. */
  readonly settings: {
    current(): HidSettings;
    replace(settings: HidSettings): Promise<void>;
  };
  readonly log: Log;
  readonly timers?: HidTimers;
}

/** Between two tries to wake a host by input, in ms. */
const wakeIntervalMs = 1_000;

/**
 * Keyboard and mouse of the host: what viewers send, texts, macros and the jiggler, brought to one host.
 *
 * INVARIANTS: one text or macro at a time; when a viewer, a task or the control itself ends, nothing of it
 * stays held.
 */
export class HidControl extends EventEmitter<HidServiceEvents> implements HidService {
  readonly #options: HidControlOptions;
  readonly #timers: HidTimers;
  readonly #held = new HeldState();
  readonly #writer: ReportWriter;
  readonly #lanes: InputLanes;
  readonly #jiggler: Jiggler;
  readonly #settings: SettingsTurns<HidSettings>;
  readonly #statusEvents: StatusEvents;
  readonly #tasks: KeyTasks;
  readonly #viewers = new Set<ViewerInput>();
  readonly #keyLatency = new LatencyRecord();
  readonly #pointerLatency = new LatencyRecord();
  readonly #counts: MutableCounts = {
    keyEvents: 0,
    pointerEvents: 0,
    reportsTaken: 0,
    reportsFailed: 0,
    malformed: 0,
    stale: 0,
    dropped: 0,
    deadMan: 0,
    overflows: 0,
    unsent: 0,
  };
  readonly #handleState = (state: HostState, reason: string) => this.#hostChanged(state, reason);
  readonly #handleLeds = (mask: number) => this.#ledsChanged(mask);
  #leds = 0;
  #owners = 0;
  #wokenMs = Number.NEGATIVE_INFINITY;

  constructor(options: HidControlOptions) {
    super();
    this.#options = options;
    const { host } = options;
    const timers = options.timers ?? systemTimers;
    const held = this.#held;
    this.#timers = timers;
    this.#writer = new ReportWriter({ host, held, counts: this.#counts });
    this.#lanes = new InputLanes({ host, held, writer: this.#writer, timers });
    this.#settings = new SettingsTurns(options.settings);
    this.#jiggler = new Jiggler({
      timers,
      settings: () => this.#jigglerSettings(),
      move: () => this.#jiggle(),
    });
    this.#statusEvents = new StatusEvents({
      timers,
      emit: () => this.emit('status', this.status()),
    });
    this.#tasks = new KeyTasks({
      host,
      lanes: this.#lanes,
      timers,
      wakeOnInput: options.config.wakeOnInput,
      changed: () => this.#statusEvents.changed(),
      progressed: () => {
        this.#jiggler.noteInput();
        this.#statusEvents.progressed();
      },
      tell: (code, text) => {
        for (const viewer of this.#viewers) viewer.notice(code, text);
      },
    });
  }

  async start(): Promise<void> {
    const { host } = this.#options;
    host.on('state', this.#handleState);
    host.on('leds', this.#handleLeds);
    this.#jiggler.apply();
    await host.start();
  }

  /** Releases everything, tells the host, and ends; idempotent. */
  async stop(): Promise<void> {
    const { host } = this.#options;
    this.#jiggler.stop();
    for (const viewer of [...this.#viewers]) viewer.close();
    this.release();
    await this.#writer.syncAll();
    this.#lanes.stop();
    this.#statusEvents.stop();
    host.off('state', this.#handleState);
    host.off('leds', this.#handleLeds);
    await host.stop();
    await this.#settings.settled();
  }

  status(): HidStatus {
    const { host } = this.#options;
    return {
      host: host.state,
      reason: host.reason,
      leds: ledsOf(this.#leds),
      viewers: this.#viewers.size,
      heldKeys: this.#held.keyCount,
      heldButtons: this.#held.buttonCount,
      layout: this.#layout(),
      layouts: layoutNames,
      jiggler: this.#jigglerSettings(),
      task: this.#tasks.status,
      latencyMs: this.#keyLatency.summary(),
      counts: { ...this.#counts },
    };
  }

  latency() {
    return {
      keys: this.#keyLatency.histogram(),
      pointer: this.#pointerLatency.histogram(),
    };
  }

  openViewer(id: string, link: HidViewerLink): HidViewer {
    this.#owners += 1;
    const viewer = new ViewerInput({
      owner: `viewer ${id}#${this.#owners}`,
      link,
      lanes: this.#lanes,
      held: this.#held,
      timers: this.#timers,
      counts: this.#counts,
      keyLatency: this.#keyLatency,
      pointerLatency: this.#pointerLatency,
      noteInput: () => this.#jiggler.noteInput(),
      notePress: () => this.#wakeByInput(),
      closed: (closed) => {
        this.#viewers.delete(closed);
        this.#statusEvents.changed();
      },
    });
    this.#viewers.add(viewer);
    viewer.send({ type: 'host', state: this.#options.host.state });
    viewer.send({ type: 'leds', mask: this.#leds });
    this.#statusEvents.changed();
    return viewer;
  }

  async press(combination: string): Promise<void> {
    const keys = parseCombination(combination);
    this.#jiggler.noteInput();
    await this.#tasks.press(combination, keys);
  }

  async type(text: string, request: TypeRequest = {}): Promise<{ characters: number }> {
    const layout = assertLayout(request.layout ?? this.#layout());
    const charactersPerSecond = assertPace(
      request.charactersPerSecond ?? defaultCharactersPerSecond,
    );
    const plan = planText(text, layout);
    assertTypable(plan, layout);
    const { characters } = plan;
    await this.#tasks.run({ kind: 'text', name: '', total: characters }, (task) =>
      typeText(task, {
        text,
        layout,
        charactersPerSecond,
        capsLock: this.#capsLock(),
        typed: () => task.advance(),
      }),
    );
    return { characters };
  }

  check(text: string, layout?: LayoutName): TextCheck {
    const { characters, untypable } = planText(text, assertLayout(layout ?? this.#layout()));
    return { characters, untypable };
  }

  stopTask(): boolean {
    return this.#tasks.stop();
  }

  macros(): readonly Macro[] {
    return this.#options.settings.current().macros;
  }

  async saveMacro(input: unknown): Promise<Macro> {
    const macro = checkMacro(input);
    await this.#settings.change(({ macros }) => ({ macros: withMacro(macros, macro) }));
    this.emit('macros', this.macros());
    return macro;
  }

  async removeMacro(name: string): Promise<void> {
    await this.#settings.change(({ macros }) => {
      const gone = macroNamed(macros, name);
      return { macros: macros.filter((macro) => macro !== gone) };
    });
    this.emit('macros', this.macros());
  }

  async runMacro(name: string): Promise<void> {
    const macro = macroNamed(this.macros(), name);
    const layout = this.#layout();
    assertRunnable(macro, layout);
    await this.#tasks.run({ kind: 'macro', name, total: macro.steps.length }, (task) =>
      runMacro(task, macro, { layout, capsLock: () => this.#capsLock() }),
    );
  }

  async setJiggler(change: Partial<JigglerSettings>): Promise<JigglerSettings> {
    await this.#settings.change(({ jiggler }) => ({
      jiggler: assertJiggler({ ...jiggler, ...change }),
    }));
    this.#jiggler.apply();
    this.#statusEvents.changed();
    return this.#jigglerSettings();
  }

  async setLayout(layout: LayoutName): Promise<LayoutName> {
    const chosen = assertLayout(layout);
    await this.#settings.change(() => ({ layout: chosen }));
    this.#statusEvents.changed();
    return chosen;
  }

  wake(): Promise<boolean> {
    return this.#options.host.wake();
  }

  release(): void {
    this.stopTask();
    this.#lanes.dropAll();
  }

  #hostChanged(state: HostState, reason: string): void {
    this.#options.log.info({ state, reason }, 'the host of keyboard and mouse changed');
    const forgotten = this.#lanes.handleHostState();
    for (const viewer of this.#viewers) {
      viewer.send({ type: 'host', state });
      if (state !== 'attached') viewer.lapse();
      if (forgotten) viewer.notice('host-gone', `held keys are forgotten: the host is ${state}`);
    }
    if (state === 'detached' || state === 'none') this.#ledsChanged(0);
    this.#statusEvents.changed();
  }

  #ledsChanged(mask: number): void {
    const leds = mask & 0b1_1111;
    if (leds === this.#leds) return;
    this.#leds = leds;
    for (const viewer of this.#viewers) viewer.send({ type: 'leds', mask: leds });
    this.#statusEvents.changed();
  }

  #wakeByInput(): void {
    const { host, config } = this.#options;
    const nowMs = this.#timers.nowMs();
    if (host.state !== 'suspended' || !config.wakeOnInput) return;
    if (nowMs - this.#wokenMs < wakeIntervalMs) return;
    this.#wokenMs = nowMs;
    void host.wake().then((woken) => {
      this.#options.log.info({ woken }, 'input woke the host');
    });
  }

  #jiggle(): void {
    const owner = 'jiggler';
    this.#lanes.moveRelative({ owner, dx: 1, dy: 0 }, (taken) => {
      if (taken) this.#lanes.moveRelative({ owner, dx: -1, dy: 0 });
    });
  }

  #layout(): LayoutName {
    return this.#options.settings.current().layout ?? this.#options.config.layout;
  }

  #jigglerSettings(): JigglerSettings {
    return this.#options.settings.current().jiggler;
  }

  #capsLock(): boolean {
    return ledsOf(this.#leds).caps;
  }
}

function ledsOf(mask: number): HidLeds {
  return {
    num: (mask & 1) !== 0,
    caps: (mask & 2) !== 0,
    scroll: (mask & 4) !== 0,
    compose: (mask & 8) !== 0,
    kana: (mask & 16) !== 0,
  };
}
