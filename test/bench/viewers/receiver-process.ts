import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Snapshot } from './rates.ts';

const messageSchema = v.variant('type', [
  v.object({ type: v.literal('ready') }),
  v.object({
    type: v.literal('received'),
    viewers: v.array(
      v.object({
        atMs: v.number(),
        soundPackets: v.number(),
        videoPackets: v.number(),
        videoBytes: v.number(),
        pictures: v.number(),
      }),
    ),
  }),
]);

/** What receivers.ts says. */
export type ReceiversMessage = v.InferOutput<typeof messageSchema>;

const program = fileURLToPath(new URL('./receivers.ts', import.meta.url));
const connectDeadlineMs = 60_000;
const answerDeadlineMs = 10_000;

/** So many viewers that decode nothing, in a process of their own: what they cost is not what is measured. */
export class ReceiverProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;

  constructor(options: { readonly url: string; readonly count: number }) {
    const args = [program, options.url, `${options.count}`];
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface(this.#child.stdout);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until each has sound and a whole keyframe. Throws after a minute, or when they end. */
  async ready(): Promise<void> {
    await this.#next('ready', connectDeadlineMs);
  }

  /** What has reached each of them. Throws after 10 s without an answer, or when they end. */
  async received(): Promise<readonly Snapshot[]> {
    this.#child.stdin.write('?\n');
    const message = await this.#next('received', answerDeadlineMs);
    return message.type === 'received' ? message.viewers : [];
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.stdin.end();
    const deadline = setTimeout(() => child.kill('SIGKILL'), answerDeadlineMs);
    await ended;
    clearTimeout(deadline);
  }

  async #next(type: ReceiversMessage['type'], deadlineMs: number): Promise<ReceiversMessage> {
    const ended = new AbortController();
    const onClose = (): void => ended.abort();
    this.#lines.once('close', onClose);
    try {
      const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(deadlineMs)]);
      const [line] = await once(this.#lines, 'line', { signal });
      const message = v.parse(messageSchema, JSON.parse(String(line)));
      if (message.type !== type) throw new Error(`they said ${message.type}`);
      return message;
    } catch (cause) {
      throw new Error(`the receiving viewers did not say "${type}"`, { cause });
    } finally {
      this.#lines.off('close', onClose);
    }
  }
}
