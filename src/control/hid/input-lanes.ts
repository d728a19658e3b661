import type { HeldState } from './held-state.ts';
import type { HidHost, ReportKind } from './hid-host.ts';
import type { HidTimers } from './hid-timers.ts';
import {
  type Done,
  InputLane,
  type InputOp,
  isMotion,
  type Placed,
  reportKindOf,
} from './input-lane.ts';
import { releaseGraceMs } from './limits.ts';
import type { ReportWriter } from './report-writer.ts';

export interface InputLanesOptions {
  readonly host: HidHost;
  readonly held: HeldState;
  readonly writer: ReportWriter;
  readonly timers: HidTimers;
}

/** Waits between two tries to tell a host what it did not take, in ms: the first, and the longest. */
const firstRepairMs = 20;
const lastRepairMs = 1_000;

type OpOf<K extends InputOp['kind']> = Omit<Extract<InputOp, { kind: K }>, 'done' | 'kind'>;

/**
 * Everybody's input on its way to the host: a lane of keys, and one of buttons, wheel and motion. Within a
 * lane, and between a key and a button, the order of arrival is kept: Ctrl is down before the click. Motion
 * holds up nothing but the buttons after it, so a host that takes no pointer still has its keys.
 *
 * INVARIANTS: every op is answered once; while the host takes no reports nothing waits and nobody holds
 * anything; what the host knows follows what is held, at the latest with the next try.
 */
export class InputLanes {
  readonly #options: InputLanesOptions;
  readonly #keys = new InputLane();
  readonly #pointer = new InputLane();
  #order = 0;
  #repairs = 0;
  #endRepair = () => {};
  #repairMs = firstRepairMs;

  constructor(options: InputLanesOptions) {
    this.#options = options;
  }

  /** Whether the host takes reports; what is given while it does not is answered with false at once. */
  get open(): boolean {
    return this.#options.host.state === 'attached';
  }

  key(op: OpOf<'key'>, done?: Done): void {
    this.#add(this.#keys, { kind: 'key', ...op, done: doneList(done) });
  }

  buttons(op: OpOf<'buttons'>, done?: Done): void {
    this.#add(this.#pointer, { kind: 'buttons', ...op, done: doneList(done) });
  }

  wheel(op: OpOf<'wheel'>, done?: Done): void {
    this.#add(this.#pointer, { kind: 'wheel', ...op, done: doneList(done) });
  }

  moveAbsolute(op: OpOf<'move-absolute'>, done?: Done): void {
    this.#add(this.#pointer, { kind: 'move-absolute', ...op, done: doneList(done) });
  }

  moveRelative(op: OpOf<'move-relative'>, done?: Done): void {
    this.#add(this.#pointer, { kind: 'move-relative', ...op, done: doneList(done) });
  }

  /** Everything of the owner's goes up after what it sent before, or in 50 ms whatever still waits. */
  release(owner: string): void {
    this.#add(this.#keys, { kind: 'release', owner, done: [] });
    const order = this.#order;
    if (!this.#keys.has(order)) return;
    this.#options.timers.after(releaseGraceMs, () => {
      if (this.#keys.has(order)) this.#releaseBefore(owner, order);
    });
  }

  /** Everything of the owner's goes up now, and what waits of it is dropped. */
  drop(owner: string): void {
    this.#drop(({ op }) => op.owner === owner, owner);
  }

  /** Everything of everybody's, likewise. */
  dropAll(): void {
    this.#dropOps(() => true);
    if (this.#options.held.releaseAll()) this.#repair();
  }

  /** To be called when the host's state changed. True when something was held and is now forgotten. */
  handleHostState(): boolean {
    const { host, held, writer } = this.#options;
    this.#repairMs = firstRepairMs;
    if (host.state === 'attached') {
      this.#repair();
      return false;
    }
    this.#repairs += 1;
    this.#endRepair();
    this.#dropOps(() => true);
    if (host.state !== 'suspended') writer.forget();
    return held.releaseAll();
  }

  /** Ends the timers and answers what waits. */
  stop(): void {
    this.#repairs += 1;
    this.#endRepair();
    this.#dropOps(() => true);
  }

  #add(lane: InputLane, op: InputOp): void {
    if (this.#options.host.state !== 'attached') {
      answer(op, false);
      return;
    }
    this.#order += 1;
    lane.add(this.#order, op);
    this.#advance();
  }

  /** Begins in each lane what may begin. */
  #advance(): void {
    this.#advanceLane(this.#keys, this.#pointer);
    this.#advanceLane(this.#pointer, this.#keys);
  }

  #advanceLane(lane: InputLane, other: InputLane): void {
    const { next } = lane;
    if (next === undefined || !lane.idle) return;
    if (!isMotion(next.op) && other.waitsBefore(next.order)) return;
    const op = lane.begin();
    if (op === undefined) return;
    void this.#run(op).then((taken) => {
      lane.end();
      answer(op, taken);
      if (!taken) this.#giveUp(lane, reportKindOf(op));
      this.#advance();
    });
  }

  async #run(op: InputOp): Promise<boolean> {
    const { held, writer } = this.#options;
    switch (op.kind) {
      case 'key':
        held.setKey(op.owner, op.key, op.down);
        return writer.sync(op.key.page);
      case 'release':
        held.release(op.owner);
        // The pointers are told too, but keys do not wait for a host that takes none.
        this.#repair();
        return writer.sync('keyboard');
      case 'buttons':
        return this.#setButtons(op);
      case 'wheel':
        return writer.move({ dx: 0, dy: 0, wheel: op.wheel, pan: op.pan });
      case 'move-absolute':
        writer.moveTo(op.x, op.y);
        return writer.sync('absolute');
      case 'move-relative':
        return writer.move({ dx: op.dx, dy: op.dy, wheel: 0, pan: 0 });
      default:
        return op satisfies never;
    }
  }

  /** Buttons that were held on the other pointer are up there. */
  #setButtons(op: Extract<InputOp, { kind: 'buttons' }>): Promise<boolean> {
    const { held, writer } = this.#options;
    const other = op.mode === 'absolute' ? 'relative' : 'absolute';
    const before = held.buttons(other);
    held.setButtons(op.owner, op.mode, op.mask);
    if (op.mode === 'absolute') writer.moveTo(op.x, op.y);
    if (held.buttons(other) !== before) this.#repair();
    return writer.sync(op.mode);
  }

  /**
   * The host does not take this kind of report now. What waits behind it would come late and out of place:
   * it counts for what is held, and the host is told of that alone. Other kinds go on.
   */
  #giveUp(lane: InputLane, kind: ReportKind): void {
    const { held } = this.#options;
    if (!this.open) return;
    for (const { op, order } of lane.remove((placed) => reportKindOf(placed.op) === kind)) {
      if (op.kind === 'key') held.setKey(op.owner, op.key, op.down);
      if (op.kind === 'buttons') held.setButtons(op.owner, op.mode, op.mask);
      if (op.kind === 'release') this.#releaseBefore(op.owner, order);
      answer(op, false);
    }
    this.#repair();
  }

  /** Releases the owner as it was to be at `order`: what came before goes with it, in either lane. */
  #releaseBefore(owner: string, order: number): void {
    this.#drop(({ op, order: each }) => op.owner === owner && each <= order, owner);
  }

  #drop(fits: (placed: Placed) => boolean, owner: string): void {
    this.#dropOps(fits);
    if (this.#options.held.release(owner)) this.#repair();
    this.#advance();
  }

  /** Tells the host at once what it does not know, and again until it knows or goes. */
  #repair(): void {
    const { host, timers, writer } = this.#options;
    this.#endRepair();
    this.#repairs += 1;
    const repair = this.#repairs;
    void writer.syncAll().then(() => {
      if (repair !== this.#repairs || host.state !== 'attached') return;
      if (writer.inSync) {
        this.#repairMs = firstRepairMs;
        return;
      }
      this.#endRepair = timers.after(this.#repairMs, () => this.#repair());
      this.#repairMs = Math.min(this.#repairMs * 2, lastRepairMs);
    });
  }

  #dropOps(fits: (placed: Placed) => boolean): void {
    for (const lane of [this.#keys, this.#pointer]) {
      for (const { op } of lane.remove(fits)) answer(op, false);
    }
  }
}

function doneList(done: Done | undefined): Done[] {
  return done === undefined ? [] : [done];
}

function answer({ done }: InputOp, taken: boolean): void {
  for (const each of done) each(taken);
}
