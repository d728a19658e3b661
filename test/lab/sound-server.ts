import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A sound card in user space: a private PulseAudio with one null sink per device. What is played into
 * a device's feed is what a program captures from it, bit for bit at the sink's own rate.
 */

export interface SinkOptions {
  /** Name of the device: ALSA PCM `<name>_in` captures, `<name>_feed` plays. Letters, digits, underscores. */
  readonly name: string;
  /** 48,000 by default. */
  readonly rateHz?: number;
  /** 2 by default. */
  readonly channels?: number;
  /** Programs that record from the server's default device hear what is played into this one: a microphone. */
  readonly isMicrophone?: boolean;
  /** Name of an earlier device that plays the same at the same moment what is played into this one. */
  readonly alsoInto?: string;
}

export interface SoundServerOptions {
  readonly sinks: readonly SinkOptions[];
  /** More ALSA configuration for the same file, e.g. a fault plugin's PCM. */
  readonly extraConfig?: string;
}

/** How long the server may take to start or to end, in ms. */
const serverDeadlineMs = 10_000;

export class SoundServer {
  /** Private directory of this server; gone after stop(). */
  readonly dir: string;
  /** What a program needs in its environment to find this server, by ALSA and by PulseAudio. */
  readonly env: Readonly<Record<string, string>>;
  readonly #sinks: readonly SinkOptions[];
  #process: ChildProcess | undefined;
  readonly #onProcessExit = (): void => {
    this.#process?.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  };

  constructor(dir: string, sinks: readonly SinkOptions[]) {
    this.dir = dir;
    this.#sinks = sinks;
    this.env = {
      ALSA_CONFIG_PATH: join(dir, 'asound.conf'),
      PULSE_SERVER: `unix:${this.#socket}`,
      PULSE_COOKIE: join(dir, 'cookie'),
      PULSE_RUNTIME_PATH: join(dir, 'pulse'),
      PULSE_STATE_PATH: join(dir, 'state'),
      XDG_RUNTIME_DIR: dir,
    };
  }

  get #socket(): string {
    return join(this.dir, 'native');
  }

  /** The server's process id, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** ALSA PCM to capture what `name` carries. */
  capturePcm(name: string): string {
    return `${this.#known(name).name}_in`;
  }

  /** ALSA PCM to play into `name`. */
  feedPcm(name: string): string {
    return `${this.#known(name).name}_feed`;
  }

  /** PulseAudio's name of the sink, for programs that speak to PulseAudio directly (`PULSE_SINK`). */
  sinkName(name: string): string {
    return this.#known(name).name;
  }

  /** PulseAudio's name of the source that carries what is played into `name`. */
  monitorName(name: string): string {
    return `${this.#known(name).name}.monitor`;
  }

  /** PulseAudio's name of the microphone that hears what is played into `name`. Throws when it is none. */
  microphoneName(name: string): string {
    const sink = this.#known(name);
    if (sink.isMicrophone !== true) throw new Error(`the sink '${name}' is no microphone`);
    return sourceOf(sink);
  }

  /** Starts the server; returns when it takes connections. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    process.once('exit', this.#onProcessExit);
    await this.#spawn();
  }

  /** Ends the server and removes its files. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    process.removeListener('exit', this.#onProcessExit);
    await rm(this.dir, { recursive: true, force: true });
  }

  /** The server dies as in a crash: its clients see their connections close. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Kills the server if it runs and starts it anew, with the same sinks and names. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#spawn();
  }

  #known(name: string): SinkOptions {
    const sink = this.#sinks.find((candidate) => candidate.name === name);
    if (sink === undefined) {
      throw new Error(
        `no sink '${name}'; there are ${this.#sinks.map((s) => s.name).join(', ') || 'none'}`,
      );
    }
    return sink;
  }

  async #spawn(): Promise<void> {
    await rm(this.#socket, { force: true });
    await rm(join(this.dir, 'pulse'), { recursive: true, force: true });
    // Real-time where allowed: a sound card is hardware, and does not wait for a processor.
    // setpriv: the server does not outlive this process, not even when it is killed.
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'pulseaudio'],
        ...['-n', '-F', join(this.dir, 'lab.pa'), '--daemonize=no', '--exit-idle-time=-1'],
        ...['--use-pid-file=no', '--realtime=yes', '--high-priority=yes', '--log-target=stderr'],
      ],
      {
        env: { ...this.env, PATH: process.env['PATH'] ?? '', HOME: this.dir },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4_096);
    });
    child.on('error', (error) => {
      stderr += error.message;
    });
    this.#process = child;
    const deadline = performance.now() + serverDeadlineMs;
    while (!(await accepts(this.#socket))) {
      if (child.exitCode !== null || child.pid === undefined || performance.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`PulseAudio did not start: ${stderr}`);
      }
      await delay(5);
    }
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.pid === undefined) return;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const forced = setTimeout(() => child.kill('SIGKILL'), serverDeadlineMs / 4);
    await exited;
    clearTimeout(forced);
  }
}

/** Writes the configuration of a private sound server and starts it. The caller stops it. */
export async function startSoundServer(options: SoundServerOptions): Promise<SoundServer> {
  const dir = await mkdtemp(join(tmpdir(), 'earshot-sound-'));
  const server = new SoundServer(dir, options.sinks);
  await mkdir(join(dir, 'state'));
  await writeFile(join(dir, 'lab.pa'), pulseScript(dir, options.sinks));
  await writeFile(join(dir, 'asound.conf'), alsaConfig(dir, options));
  // What a browser asks for the card's rate; without it 44,100, and every sound is resampled.
  await mkdir(join(dir, '.config', 'pulse'), { recursive: true });
  await writeFile(join(dir, '.config', 'pulse', 'daemon.conf'), 'default-sample-rate = 48000\n');
  await server.start();
  return server;
}

function sourceOf({ name }: SinkOptions): string {
  return `${name}_source`;
}

function pulseScript(dir: string, sinks: readonly SinkOptions[]): string {
  // norewinds: without it the first sound comes 0.5 to 2 s late.
  const modules = sinks.map(({ name, rateHz = 48_000, channels = 2, alsoInto }) =>
    alsoInto === undefined
      ? `load-module module-null-sink norewinds=1 sink_name=${name} rate=${rateHz} channels=${channels} format=s16le`
      : `load-module module-remap-sink sink_name=${name} master=${alsoInto} remix=no`,
  );
  // Browsers hide monitors, so the microphone is a device of its own that carries the monitor's sound.
  const microphones = sinks
    .filter(({ isMicrophone }) => isMicrophone)
    .flatMap((sink) => [
      `load-module module-remap-source source_name=${sourceOf(sink)} master=${sink.name}.monitor remix=no`,
      `set-default-source ${sourceOf(sink)}`,
    ]);
  return [
    ...modules,
    ...microphones,
    `load-module module-native-protocol-unix auth-anonymous=1 socket=${join(dir, 'native')}`,
    '',
  ].join('\n');
}

function alsaConfig(dir: string, { sinks, extraConfig = '' }: SoundServerOptions): string {
  const server = `server "unix:${join(dir, 'native')}"`;
  const pcms = sinks.map(
    ({ name }) => `
pcm.${name}_in {
  type pulse
  ${server}
  device "${name}.monitor"
  hint { show on description "Lab sound card ${name}" }
}
pcm.${name}_feed {
  type pulse
  ${server}
  device "${name}"
}`,
  );
  return `</usr/share/alsa/alsa.conf>\n${pcms.join('\n')}\n${extraConfig}\n`;
}

/** Whether somebody listens on the Unix socket `path`. */
async function accepts(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
