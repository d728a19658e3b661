import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SoundServer } from '../test/lab/sound-server.ts';
import { parseWav } from '../test/lab/wav-player.ts';
import { XClient } from '../test/lab/x-client.ts';
import { startXScreen, type XScreen } from '../test/lab/x-screen.ts';

/**
 * The demo's host: a desktop on a virtual display with a window manager, a terminal, a clock, and a player
 * whose one pipeline makes both the sound and the picture that belongs to it.
 */

export interface DemoDesktopOptions {
  /** Files of the desktop go there; the caller removes it. */
  readonly directory: string;
  readonly sound: SoundServer;
  /** Device of the sound server that the host plays into. */
  readonly into: string;
  /** WAV file played on a loop. */
  readonly music: string;
}

/** Programs that all begin and end with the session. */
type Session = readonly { readonly argv: readonly string[]; readonly env: Environment }[];
type Environment = Readonly<Record<string, string>>;

export class DemoDesktop {
  readonly #screen: XScreen;
  readonly #x: XClient;
  readonly #session: Session;
  #programs: readonly ChildProcess[] = [];

  private constructor(screen: XScreen, x: XClient, session: Session) {
    this.#screen = screen;
    this.#x = x;
    this.#session = session;
  }

  /** A display that is switched on, without a desktop yet. */
  static async make(options: DemoDesktopOptions): Promise<DemoDesktop> {
    const session = await prepare(options);
    const screen = await startXScreen({ width: 1_280, height: 720 });
    try {
      return new DemoDesktop(screen, await XClient.open(screen.display), session);
    } catch (error) {
      await screen.stop();
      throw error;
    }
  }

  /** What the picture is taken from. */
  get display(): string {
    return this.#screen.display;
  }

  /** The processes of the desktop. */
  get pids(): number[] {
    return this.#programs.flatMap(({ pid }) => pid ?? []);
  }

  /** Begins the session. Idempotent. */
  start(): void {
    if (this.#programs.length > 0) return;
    this.#programs = this.#session.map(({ argv, env }) => this.#screen.run(argv, env));
  }

  /** Ends the session: the screen is black, nothing plays. Idempotent. */
  async stop(): Promise<void> {
    const programs = this.#programs;
    this.#programs = [];
    await Promise.all(programs.map(end));
    await this.#x.blacken();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.#x.close();
    await this.#screen.stop();
  }
}

async function prepare({ directory, sound, into, music }: DemoDesktopOptions): Promise<Session> {
  const raw = join(directory, 'music.raw');
  const { rateHz, channels, data } = parseWav(await readFile(music));
  await writeFile(raw, data);
  const home = { HOME: directory, ICEWM_PRIVCFG: join(directory, 'icewm') };
  const terminal = [
    ...['xterm', '-geometry', '80x18+30+40', '-fa', 'Monospace', '-fs', '11'],
    ...['-e', 'sh', '-c', 'cd; exec bash --norc'],
  ];
  const player = [
    ...['gst-launch-1.0', '-q', 'multifilesrc', `location=${raw}`, 'loop=true'],
    ...['!', 'rawaudioparse', 'format=pcm', 'pcm-format=s16le', `sample-rate=${rateHz}`],
    ...[`num-channels=${channels}`, '!', 'tee', 'name=music'],
    ...['music.', '!', 'queue', '!', 'audioconvert', '!', 'alsasink'],
    ...[`device=${sound.feedPcm(into)}`, 'buffer-time=40000', 'latency-time=10000'],
    ...['music.', '!', 'queue', '!', 'audioconvert', '!', 'spectrascope', 'shader=fade'],
    ...['!', 'video/x-raw,width=600,height=240,framerate=30/1', '!', 'videoconvert'],
    ...['!', 'ximagesink'],
  ];
  return [
    { argv: ['icewm'], env: home },
    { argv: ['xclock', '-update', '1', '-geometry', '200x200-30+40'], env: home },
    { argv: terminal, env: { ...home, PS1: 'host $ ' } },
    { argv: player, env: { ...home, ...sound.env } },
  ];
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
