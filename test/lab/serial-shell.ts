import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PtyPair, plugPtyPair } from './pty-pair.ts';

/**
 * A host with a console on a serial line: a shell on one end of a pair of pseudo-terminals, for a device that
 * opens the other. It has an empty home of its own and no variables of who started it; started by root it runs
 * as nobody, and it can never gain a privilege. When it ends, another one begins, as getty(8) does it.
 */

export interface SerialShellOptions {
  /** The line's two ends are made there; the caller removes it. */
  readonly directory: string;
  /** What the shell asks for a command with. */
  readonly prompt?: string;
}

/** Who runs it when root starts it: nobody, of Debian's base-passwd. */
const nobody = 65_534;

/** Between two shells, ms: one that ends at once must not take a processor. */
const respawnMs = 200;

export class SerialShell {
  readonly #pair: PtyPair;
  readonly #home: string;
  readonly #prompt: string;
  readonly #line: number;
  #shell: ChildProcess | undefined;
  #respawn: NodeJS.Timeout | undefined;
  #isOn = false;

  private constructor(pair: PtyPair, home: string, prompt: string) {
    this.#pair = pair;
    this.#home = home;
    this.#prompt = prompt;
    this.#line = openSync(pair.host, constants.O_RDWR | constants.O_NOCTTY);
  }

  /** Lays the line; there is no shell on it yet. */
  static async plug({ directory, prompt = 'host $ ' }: SerialShellOptions): Promise<SerialShell> {
    const pair = await plugPtyPair(directory);
    const home = await mkdtemp(join(tmpdir(), 'earshot-serial-'));
    if (process.getuid?.() === 0) await chown(home, nobody, nobody);
    return new SerialShell(pair, home, prompt);
  }

  /** The device's end of the line. */
  get port(): string {
    return this.#pair.device;
  }

  /** Begins a shell. Idempotent. */
  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#begin();
  }

  /** Ends it, with all that was started in it; the line stays. Idempotent. */
  async stop(): Promise<void> {
    this.#isOn = false;
    clearTimeout(this.#respawn);
    const shell = this.#shell;
    if (shell === undefined) return;
    const ended = once(shell, 'exit');
    // Its session hangs up with it: the terminal's (setsid(2)).
    shell.kill('SIGKILL');
    await ended;
  }

  /** Ends it and takes the line away. Idempotent. */
  async close(): Promise<void> {
    await this.stop();
    await this.#pair.unplug();
    try {
      closeSync(this.#line);
    } catch {
      // It was closed before.
    }
    await rm(this.#home, { recursive: true, force: true });
  }

  #begin(): void {
    const asRoot = process.getuid?.() === 0;
    const user = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
    const shell = spawn(
      'setpriv',
      [
        ...['--no-new-privs', ...(asRoot ? user : [])],
        // A change of the user forgets what is to happen at the parent's death.
        ...['setpriv', '--pdeathsig', 'KILL'],
        ...['setsid', '--ctty', 'sh', '-c', 'stty sane; cd; exec sh -i'],
      ],
      {
        stdio: [this.#line, this.#line, this.#line],
        env: {
          ...{ HOME: this.#home, PS1: this.#prompt, TERM: 'xterm-256color', LANG: 'C.UTF-8' },
          PATH: '/usr/local/bin:/usr/bin:/bin',
        },
      },
    );
    this.#shell = shell;
    shell.on('error', () => undefined);
    shell.once('close', () => {
      this.#shell = undefined;
      if (this.#isOn) this.#respawn = setTimeout(() => this.#begin(), respawnMs);
    });
  }
}
