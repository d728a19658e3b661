import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import type { SupervisedChild } from '../supervisor/supervised-child.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { isLoopback } from './api/loopback.ts';
import { ApiServer } from './api/server.ts';
import { processEvent, ServiceEvents } from './api/service-events.ts';
import { listDevicesApart } from './audio/devices/list-devices.ts';
import { writeInputFrame } from './audio/input/input-frames.ts';
import { LiveIndicator } from './audio/input/live-indicator.ts';
import { MicrophoneControl } from './audio/input/microphone-control.ts';
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
import { type Part, runParts } from './run-parts.ts';
import { version } from './version.ts';

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
  const events = new ServiceEvents();
  const { child, listDevices } = ownPrograms(config);

  const audio = new OutputControl({
    board: config.audio.output,
    settings: {
      current: () => settings.current().audioOutput,
      replace: async (audioOutput) => {
        await settings.update((all) => ({ ...all, audioOutput }));
      },
    },
    child: { configure: (next) => output.configure(next) },
    listDevices: () => listDevices('capture'),
    log,
  });
  const indicator = new LiveIndicator({ ...config.audio.input.indicator, log });
  const microphone = new MicrophoneControl({
    board: config.audio.input,
    settings: {
      current: () => settings.current().audioInput,
      replace: async (audioInput) => {
        await settings.update((all) => ({ ...all, audioInput }));
      },
    },
    child: { configure: (next) => input.configure(next), restart: () => input.restart() },
    floor: { openMicrophone: (session) => media.openMicrophone(session) },
    listDevices: () => listDevices('playback'),
    indicator,
    log,
  });
  const supervisor = new Supervisor({
    specs: [
      { ...child('audio-output'), initialConfig: audio.childConfig() },
      { ...child('audio-input'), initialConfig: microphone.childConfig() },
    ],
    log,
  });
  const output = supervisor.child('audio-output');
  const input = supervisor.child('audio-input');
  const media = new MediaHub({
    config: { ...config.media, loopback: isLoopback(config.http.listen) },
    log,
  });
  media.setMicrophoneSettings(microphone.quality().effective);
  const server = new ApiServer({
    listen: config.http.listen,
    port: config.http.port,
    https: config.https,
    dataDir: config.dataDir,
    allowedHosts: config.http.allowedHosts,
    controlSocket: config.control.socket,
    webRoot: webRoot(),
    services: {
      audio,
      microphone,
      children: {
        statuses: () => supervisor.statuses(),
        restart: async (name) => {
          const named = supervisor.child(name);
          await named.restart();
          return named.status();
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
          audioOutputDelay: () => audio.delay(),
          muted: () => audio.mute().muted,
          audioInput: () => microphone.stats(),
          microphone: () => ({ status: microphone.status(), metrics: microphone.metrics() }),
          media: () => media.stats(),
          sessions: () => media.sessions(),
          ipc: () =>
            [output, input].flatMap((tied) => {
              const stats = tied.channelStats();
              return stats === undefined ? [] : [{ child: tied.name, stats }];
            }),
          api: () => server.stats(),
        },
      }),
    },
    log,
    version,
  });

  tieChild({ child: output, control: audio, events, log, ring });
  tieChild({ child: input, control: microphone, events, log, ring });
  output.on('media', (message) => {
    const frame = outputFrame(message);
    if (frame === undefined) return;
    media.publishAudio(frame);
    audio.noteFrame(frame.captureTimeNs);
  });
  media.on('microphone', (frame) => {
    const payload = writeInputFrame(frame);
    input.sendMedia({ type: 'opus', payload, timestampNs: frame.arrivalNs });
    microphone.noteFrame(performance.now());
  });
  media.on('viewers', (count) => audio.setViewers(count));
  media.on('session-closed', (session) => microphone.sessionClosed(session));
  audio.on('quality', (quality) => events.emit('audio-quality-changed', quality));
  audio.on('mute', (mute) => events.emit('audio-mute-changed', mute));
  audio.on('device', (device) => events.emit('audio-device-changed', device));
  audio.on('metrics', (metrics) => events.emit('audio-metrics-update', metrics));
  microphone.on('state', (state) => events.emit('microphone-state-changed', state));
  microphone.on('metrics', (metrics) => events.emit('microphone-metrics-update', metrics));
  microphone.on('quality', (quality) => {
    media.setMicrophoneSettings(quality.effective);
    events.emit('microphone-quality-changed', quality);
  });

  // The server comes before the children: it should answer when they cannot start.
  return [
    media,
    server,
    indicator,
    supervisor,
    { start() {}, stop: () => audio.stop() },
    { start() {}, stop: () => microphone.close() },
  ];
}

/** How this program starts itself in its other roles. */
function ownPrograms(config: Config) {
  const env = pick(process.env, audioVariables);
  const program = process.argv[1] ?? fileURLToPath(import.meta.url);
  return {
    child: (name: 'audio-output' | 'audio-input') => ({
      name,
      command: process.execPath,
      args: ['--max-old-space-size=64', program, name],
      env,
      memoryLimitBytes: config.supervisor.memoryLimitMb * 1024 * 1024,
      maxMediaAgeMs: maxSoundAgeMs,
    }),
    listDevices: (direction: 'capture' | 'playback') =>
      listDevicesApart({
        command: process.execPath,
        args: [program, 'audio-devices', direction],
        env,
      }),
  };
}

interface TiedChild {
  readonly child: SupervisedChild;
  readonly control: Pick<OutputControl, 'handleEvent' | 'handleStats' | 'handleChildRunning'>;
  readonly events: ServiceEvents;
  readonly log: Log;
  readonly ring: LogRing;
}

/** Hands what a child says of itself to its control, the log and the events. */
function tieChild({ child, control, events, log, ring }: TiedChild): void {
  const process = processEvent(child.name);
  child.on('event', (event) => control.handleEvent(event));
  child.on('stats', (stats) => control.handleStats(stats));
  child.on('log', (line) => {
    // The child's own log is structured already; what a library wrote becomes a line of ours.
    if (line.startsWith('{')) ring.write(`${line}\n`);
    else log.info({ child: child.name, line }, 'child wrote');
  });
  child.on('usage', () => events.emit(process, child.status()));
  child.on('state', (status) => {
    control.handleChildRunning(status.state === 'running');
    events.emit(process, status);
  });
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
