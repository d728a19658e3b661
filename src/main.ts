import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { Supervisor } from '../supervisor/supervisor.ts';
import { isLoopback } from './api/loopback.ts';
import { ApiServer } from './api/server.ts';
import { ServiceEvents } from './api/service-events.ts';
import { listDevicesApart } from './audio/devices/list-devices.ts';
import { OutputControl } from './audio/output/output-control.ts';
import { outputFrame } from './audio/output/output-frames.ts';
import { loadConfig } from './config/load-config.ts';
import type { Config } from './config/schema.ts';
import { SettingsStore } from './config/settings-store.ts';
import { EarshotError, isEarshotError, messageOf } from './errors/earshot-error.ts';
import { createLog, type Log } from './log/log.ts';
import { LogRing } from './log/log-ring.ts';
import { MediaHub } from './media/media-hub.ts';
import { createMetrics } from './metrics/metrics.ts';
import { version } from './version.ts';

/** A part of the program. Parts are started in the order of their list and stopped in reverse. */
interface Part {
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** How long everything together may take to stop before the process ends anyway, in ms. */
const stopDeadlineMs = 10_000;

/** Sound that waited longer on its way here is dropped: a viewer wants the present, not a backlog. */
const maxSoundAgeMs = 500;

/** What ALSA and its plugins need of the environment; a child gets nothing else of it. */
const audioVariables = [
  'ALSA_CONFIG_PATH',
  'PULSE_COOKIE',
  'PULSE_RUNTIME_PATH',
  'PULSE_SERVER',
  'PULSE_STATE_PATH',
  'XDG_RUNTIME_DIR',
] as const;

/** The main process: starts everything, and stops it on SIGTERM or SIGINT. */
export async function runMain(argv: readonly string[]): Promise<void> {
  try {
    const { config, source } = await loadConfig({ path: configPath(argv) });
    const ring = new LogRing({ next: pino.destination({ dest: 2, sync: true }) });
    const log = createLog({ level: config.log.level, role: 'main', destination: ring });
    log.info({ version, config: source ?? 'defaults', pid: process.pid }, 'earshot starts');
    const settings = new SettingsStore({ dataDir: config.dataDir, log });
    await settings.load();
    await runParts(compose({ config, settings, log, ring }), log);
  } catch (error) {
    const code = isEarshotError(error) ? `${error.code}: ` : '';
    process.stderr.write(`earshot: ${code}${messageOf(error)}\n`);
    process.exit(isEarshotError(error) ? error.exitCode : 1);
  }
}

function configPath(argv: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...argv], options: { config: { type: 'string' } } }).values.config;
  } catch (cause) {
    throw new EarshotError('CLI_USAGE', `${messageOf(cause)} (usage: earshot [--config FILE])`, {
      cause,
    });
  }
}

interface Ingredients {
  readonly config: Config;
  readonly settings: SettingsStore;
  readonly log: Log;
  readonly ring: LogRing;
}

/** Makes every part of the main process and ties them together. */
function compose({ config, settings, log, ring }: Ingredients): Part[] {
  const environment = pick(process.env, audioVariables);
  const program = process.argv[1] ?? fileURLToPath(import.meta.url);
  const events = new ServiceEvents();

  const audio = new OutputControl({
    board: config.audio.output,
    settings: {
      current: () => settings.current().audioOutput,
      replace: async (audioOutput) => {
        await settings.update((all) => ({ ...all, audioOutput }));
      },
    },
    child: { configure: (next) => output.configure(next) },
    listDevices: () =>
      listDevicesApart({
        command: process.execPath,
        args: [program, 'audio-devices'],
        env: environment,
      }),
    log,
  });
  const supervisor = new Supervisor({
    specs: [
      {
        name: 'audio-output',
        command: process.execPath,
        args: ['--max-old-space-size=64', program, 'audio-output'],
        env: environment,
        initialConfig: audio.childConfig(),
        memoryLimitBytes: config.supervisor.memoryLimitMb * 1024 * 1024,
        maxMediaAgeMs: maxSoundAgeMs,
      },
    ],
    log,
  });
  const output = supervisor.child('audio-output');
  const media = new MediaHub({
    config: { ...config.media, loopback: isLoopback(config.http.listen) },
    log,
  });
  const server = new ApiServer({
    listen: config.http.listen,
    port: config.http.port,
    allowedHosts: config.http.allowedHosts,
    controlSocket: config.control.socket,
    webRoot: webRoot(),
    services: {
      audio,
      children: {
        statuses: () => supervisor.statuses(),
        restart: async (name) => {
          const child = supervisor.child(name);
          await child.restart();
          return child.status();
        },
      },
      media,
      logs: ring,
      events,
      metrics: createMetrics({
        sources: {
          version,
          children: () => supervisor.statuses(),
          audioOutput: () => audio.stats(),
          muted: () => audio.mute().muted,
          media: () => media.stats(),
          sessions: () => media.sessions(),
          ipc: () => {
            const stats = output.channelStats();
            return stats === undefined ? [] : [{ child: output.name, stats }];
          },
          api: () => server.stats(),
        },
      }),
    },
    log,
    version,
  });

  output.on('media', (message) => {
    const frame = outputFrame(message);
    if (frame !== undefined) media.publishAudio(frame);
  });
  output.on('event', (event) => audio.handleEvent(event));
  output.on('stats', (stats) => audio.handleStats(stats));
  output.on('log', (line) => {
    // The child's own log is structured already; what a library wrote becomes a line of ours.
    if (line.startsWith('{')) ring.write(`${line}\n`);
    else log.info({ child: output.name, line }, 'child wrote');
  });
  output.on('usage', () => events.emit('audio-process-metrics', output.status()));
  output.on('state', (status) => {
    audio.handleChildRunning(status.state === 'running');
    events.emit('audio-process-metrics', status);
  });
  audio.on('quality', (quality) => events.emit('audio-quality-changed', quality));
  audio.on('mute', (mute) => events.emit('audio-mute-changed', mute));
  audio.on('device', (device) => events.emit('audio-device-changed', device));
  audio.on('metrics', (metrics) => events.emit('audio-metrics-update', metrics));
  media.on('viewers', (count) => audio.setViewers(count));

  // The server comes before the children: it should answer when they cannot start.
  return [media, server, supervisor, { start() {}, stop: () => audio.stop() }];
}

async function runParts(parts: readonly Part[], log: Log): Promise<void> {
  const started: Part[] = [];
  let stopping = false;

  const stop = async (signal: string): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'earshot stops');
    setTimeout(() => process.exit(1), stopDeadlineMs).unref();
    await stopAll(started, log);
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void stop(signal));
  }
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'unforeseen error, the process ends');
    process.exit(1);
  });

  try {
    for (const part of parts) {
      started.push(part);
      await part.start();
    }
  } catch (error) {
    if (stopping) return;
    await stopAll(started, log);
    throw error;
  }
}

async function stopAll(parts: readonly Part[], log: Log): Promise<void> {
  for (const part of parts.toReversed()) {
    try {
      await part.stop();
    } catch (error) {
      log.error({ err: error }, 'a part did not stop cleanly');
    }
  }
}

/** The built page: beside this bundle, or in `dist/` when run from the sources. */
function webRoot(): string {
  const fromSources = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(fromSources ? '../dist/web' : './web', import.meta.url));
}

function pick(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
