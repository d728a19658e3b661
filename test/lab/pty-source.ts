import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A serial line whose host talks as fast as it is read; see pty-source.py. */
export class PtySource {
  /** The device's end of the line. */
  readonly path: string;
  readonly #program: ChildProcess;

  private constructor(path: string, program: ChildProcess) {
    this.path = path;
    this.#program = program;
  }

  /** Makes the line; `path` must not exist. */
  static async start(path: string): Promise<PtySource> {
    const script = new URL('pty-source.py', import.meta.url).pathname;
    const program = spawn('setpriv', ['--pdeathsig', 'KILL', 'python3', script, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const source = new PtySource(path, program);
    await source.#says('ready');
    return source;
  }

  /** Sends so many bytes; resolves when the last is in the line. */
  async send(bytes: number, deadlineMs: number): Promise<void> {
    this.#program.stdin?.write(`${bytes}\n`);
    await this.#says('done', deadlineMs);
  }

  async close(): Promise<void> {
    if (this.#program.exitCode !== null || this.#program.signalCode !== null) return;
    const ended = once(this.#program, 'exit');
    this.#program.stdin?.end();
    await ended;
  }

  async #says(word: string, deadlineMs = 10_000): Promise<void> {
    const { stdout } = this.#program;
    if (stdout === null) throw new Error('the source has no standard output');
    const [text] = await once(stdout, 'data', { signal: AbortSignal.timeout(deadlineMs) });
    if (String(text).trim() !== word) throw new Error(`the source says ${String(text)}`);
  }
}
