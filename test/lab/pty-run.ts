import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { waitFor } from '../fixtures/wait-for.ts';

/** A command that runs on a terminal of its own. */
export class PtyRun {
  /** What the terminal shows. */
  shown = '';
  readonly #child;
  readonly #ended;
  #errors = '';

  constructor(command: readonly string[], env: Readonly<Record<string, string>>) {
    const script = new URL('pty-run.py', import.meta.url).pathname;
    this.#child = spawn('python3', [script, ...command], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#ended = once(this.#child, 'close');
    this.#child.stdout?.on('data', (text) => {
      this.shown += String(text);
    });
    this.#child.stderr?.on('data', (text) => {
      this.#errors += String(text);
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(Buffer.from(text, 'latin1'));
  }

  signal(name: 'SIGTERM' | 'SIGHUP' | 'SIGINT'): void {
    const [, , , control] = this.#child.stdio;
    if (control instanceof Writable) control.write(`${name}\n`);
  }

  async shows(text: string): Promise<void> {
    await waitFor(`"${text}" in ${JSON.stringify(this.shown)}`, () => this.shown.includes(text));
  }

  /** Its exit status (128 + signal), and whether the terminal is as it was before. */
  async ended(): Promise<{ readonly code: number; readonly isSane: boolean }> {
    await this.#ended;
    return JSON.parse(this.#errors.trim().split('\n').at(-1) ?? '');
  }

  kill(): void {
    this.#child.stdin?.end();
    this.signal('SIGTERM');
  }
}
