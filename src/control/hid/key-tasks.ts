import { EarshotError, isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { HidHost } from './hid-host.ts';
import type { NoticeCode } from './hid-messages.ts';
import type { HidTaskStatus } from './hid-status.ts';
import type { HidTimers } from './hid-timers.ts';
import type { InputLanes } from './input-lanes.ts';
import type { KeyUsage } from './key-codes.ts';
import { KeyTask, notTakenError, pressMs } from './key-task.ts';

export interface KeyTasksOptions {
  readonly host: HidHost;
  readonly lanes: InputLanes;
  readonly timers: HidTimers;
  /** Whether a sleeping host is woken for a task. */
  readonly wakeOnInput: boolean;
  /** A text or macro began or ended. */
  readonly changed: () => void;
  /** It got on. */
  readonly progressed: () => void;
  /** What became of it, in words. */
  readonly tell: (code: NoticeCode, text: string) => void;
}

type TaskName = Omit<HidTaskStatus, 'done'>;

/** How long a woken host is waited for, in ms. */
const wakeWaitMs = 2_000;
/** Combinations that may wait for each other. */
const maxWaitingPresses = 16;

/** What presses keys by itself: one text or macro at a time, and combinations one after another while none runs. */
export class KeyTasks {
  readonly #options: KeyTasksOptions;
  #task: KeyTask | undefined;
  #owners = 0;
  #presses: Promise<unknown> = Promise.resolve();
  #waitingPresses = 0;

  constructor(options: KeyTasksOptions) {
    this.#options = options;
  }

  /** The text or macro that runs. */
  get status(): HidTaskStatus | null {
    return this.#task?.status ?? null;
  }

  /** Stops the text or macro; false when none runs. */
  stop(): boolean {
    const task = this.#task;
    task?.stop();
    return task !== undefined;
  }

  /** Presses the keys and lets them go. Throws HID_BUSY, HID_NO_HOST or HID_NOT_TAKEN. */
  async press(name: string, keys: readonly KeyUsage[]): Promise<void> {
    this.#assertFree();
    if (this.#waitingPresses >= maxWaitingPresses) {
      throw new EarshotError(
        'HID_BUSY',
        `${maxWaitingPresses} key combinations wait already; try again in a moment.`,
        { details: { allowed: maxWaitingPresses } },
      );
    }
    this.#waitingPresses += 1;
    const press = this.#presses.then(() => this.#pressNow(name, keys));
    this.#presses = press.catch(() => undefined);
    try {
      await press;
    } finally {
      this.#waitingPresses -= 1;
    }
  }

  /** Runs a text or macro to its end. Throws HID_BUSY, HID_NO_HOST, HID_NOT_TAKEN or HID_STOPPED. */
  async run(name: TaskName, action: (task: KeyTask) => Promise<void>): Promise<void> {
    const { changed, tell, lanes } = this.#options;
    this.#assertFree();
    const task = this.#newTask(name);
    this.#task = task;
    changed();
    try {
      await this.#presses;
      await this.#awaitHost();
      // A modifier that somebody holds would make other characters of it.
      lanes.dropAll();
      await action(task);
      tell('task-done', `${taskWords(name)} is typed`);
    } catch (error) {
      tell(isEarshotError(error, 'HID_STOPPED') ? 'task-stopped' : 'task-failed', messageOf(error));
      throw error;
    } finally {
      task.end();
      this.#task = undefined;
      changed();
    }
  }

  async #pressNow(name: string, keys: readonly KeyUsage[]): Promise<void> {
    this.#assertFree();
    await this.#awaitHost();
    const task = this.#newTask({ kind: 'macro', name, total: 1 });
    try {
      await task.hold(keys, pressMs);
    } finally {
      task.end();
    }
  }

  #newTask(status: TaskName): KeyTask {
    const { host, lanes, timers, progressed } = this.#options;
    this.#owners += 1;
    const owner = `task#${this.#owners}`;
    return new KeyTask({ host, lanes, timers, owner, status, changed: progressed });
  }

  #assertFree(): void {
    const status = this.#task?.status;
    if (status === undefined) return;
    const { done, total } = status;
    throw new EarshotError(
      'HID_BUSY',
      `Already busy: ${taskWords(status)} is at ${done} of ${total}. Wait for its end or stop it.`,
      { details: { task: status } },
    );
  }

  /** A host that takes keys; one that sleeps is woken and waited for. Throws HID_NO_HOST. */
  async #awaitHost(): Promise<void> {
    const { host, lanes, wakeOnInput } = this.#options;
    if (host.state === 'suspended' && wakeOnInput && (await host.wake())) await this.#awake();
    if (!lanes.open) throw notTakenError(host);
  }

  async #awake(): Promise<void> {
    const { host, timers } = this.#options;
    await new Promise<void>((resolve) => {
      const over = () => {
        cancel();
        host.off('state', look);
        resolve();
      };
      const look = () => {
        if (host.state !== 'suspended') over();
      };
      const cancel = timers.after(wakeWaitMs, over);
      host.on('state', look);
      look();
    });
  }
}

function taskWords({ kind, name }: TaskName): string {
  return kind === 'macro' ? `the macro "${name}"` : 'the text';
}
