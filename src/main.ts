import { join } from 'node:path';
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
import { maxDelayMs } from './audio/output/output-config.ts';
import { OutputControl } from './audio/output/output-control.ts';
import { outputFrame } from './audio/output/output-frames.ts';
import { readPacketTimes } from './audio/output/packet-times.ts';
import { loadConfig } from './config/load-config.ts';
import type { Config } from './config/schema.ts';
import { SettingsStore } from './config/settings-store.ts';
import { EarshotError, isEarshotError, messageOf } from './errors/earshot-error.ts';
import type { ChildRole } from './ipc/messages.ts';
import { createLog, type Log } from './log/log.ts';
import { LogRing } from './log/log-ring.ts';
import { AvCoordinator } from './media/av-coordinator.ts';
import { MediaHub } from './media/media-hub.ts';
import { mediaService } from './media/media-service.ts';
import { IpcEncoders } from './media/segments/ipc-encoders.ts';
import { VoiceTrace } from './media/voice-trace.ts';
import { createMetrics } from './metrics/metrics.ts';
import { type Part, runParts } from './run-parts.ts';
import { version } from './version.ts';
import type { VideoCodec } from './video/video-config.ts';
import { VideoControl } from './video/video-control.ts';
import { videoFrame } from './video/video-frames.ts';

/** Sound that waited longer on its way here is dropped: a viewer wants the present, not a backlog. */
const maxSoundAgeMs = 500;
/** And a picture; the encoder may take long for one, and a segment waits for its turn. */
const maxPictureAgeMs = 2_000;
/** What the video child may use more than those of the sound. */
const videoMemoryFactor = 2;

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
  const board = config.video;
  const video =
    board.device === ''
      ? undefined
      : new VideoControl({
          board: { ...board, device: board.device },
          child: { configure: (next) => supervisor.child('video').configure(next) },
          log,
        });
  const supervisor = new Supervisor({
    specs: [
      {
        ...child('audio-output'),
        // Sound that is held back for the picture is as much older.
        maxMediaAgeMs: maxSoundAgeMs + maxDelayMs,
        initialConfig: audio.childConfig(),
      },
      { ...child('audio-input'), initialConfig: microphone.childConfig() },
      ...(video === undefined
        ? []
        : [
            {
              ...child('video'),
              env: pictureEnvironment(config),
              // Raw pictures are large: 1080p is measured at 208 MiB.
              memoryLimitBytes: videoMemoryFactor * config.supervisor.memoryLimitMb * 1024 * 1024,
              maxMediaAgeMs: maxPictureAgeMs,
              initialConfig: video.childConfig(),
            },
          ]),
    ],
    log,
  });
  const output = supervisor.child('audio-output');
  const input = supervisor.child('audio-input');
  const picture = video === undefined ? undefined : supervisor.child('video');
  const media = new MediaHub({
    config: { ...config.media, loopback: isLoopback(config.http.listen) },
    log,
  });
  media.setMicrophoneSettings(microphone.quality().effective);
  const encoders = new IpcEncoders({
    sound: output,
    video: picture ?? noEncoder,
    codec: () => video?.codec,
  });
  const together = new AvCoordinator({
    viewers: media,
    encoders,
    setAudioDelay: (ms) => audio.setDelay(ms),
    requestKeyframe: () => video?.requestKeyframe(),
    log,
  });
  const trace = new VoiceTrace((on) => {
    audio.setTrace(on);
    media.watchSound(on ? (session) => trace.written(session, process.hrtime.bigint()) : undefined);
  });
  if (config.log.voiceTrace) trace.follow((packet) => log.info({ ...packet }, 'voice trace'));
  const server = new ApiServer({
    listen: config.http.listen,
    port: config.http.port,
    https: config.https,
    dataDir: config.dataDir,
    allowedHosts: config.http.allowedHosts,
    whepToken: config.whep.token,
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
      media: mediaService(media, config.media.iceServers),
      video: { status: () => video?.status() ?? null },
      sync: { status: () => together.status() },
      trace,
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
          video: () => video?.stats(),
          media: () => media.stats(),
          sessions: () => media.sessions(),
          ipc: () =>
            [output, input, ...(picture === undefined ? [] : [picture])].flatMap((tied) => {
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
    if (encoders.receive(message)) return;
    const frame = outputFrame(message);
    if (frame === undefined) return;
    trace.received(frame, process.hrtime.bigint());
    together.liveSound(frame);
    audio.noteFrame(frame.captureTimeNs);
  });
  output.on('event', ({ name, data }) => {
    if (name !== 'trace') return;
    for (const { captureNs, ...times } of readPacketTimes(data)) trace.told(captureNs, times);
  });
  media.on('av', (session, message) => together.receive(session, message));
  if (video !== undefined && picture !== undefined) {
    tieVideo({ video, child: picture, media, together, encoders, events, range: board });
    tieChild({ child: picture, control: video, events, log, ring });
  }
  media.on('microphone', (frame) => {
    const payload = writeInputFrame(frame);
    input.sendMedia({ type: 'opus', payload, timestampNs: frame.arrivalNs });
    microphone.noteFrame(performance.now());
  });
  media.on('viewers', (count) => audio.setViewers(count));
  media.on('session-closed', (session) => {
    microphone.sessionClosed(session);
    together.sessionClosed(session);
  });
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
    { start() {}, stop: () => together.stop() },
    { start() {}, stop: () => audio.stop() },
    { start() {}, stop: () => video?.stop() },
    { start() {}, stop: () => microphone.close() },
  ];
}

/** How this program starts itself in its other roles. */
function ownPrograms(config: Config) {
  const env = pick(process.env, audioVariables);
  const program = process.argv[1] ?? fileURLToPath(import.meta.url);
  return {
    child: (name: ChildRole) => ({
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

/** Takes no picture: a device without a screen has clips of sound alone. */
const noEncoder = { sendMedia: () => false };

interface TiedVideo {
  readonly video: VideoControl;
  readonly child: SupervisedChild;
  readonly media: MediaHub;
  readonly together: AvCoordinator;
  readonly encoders: IpcEncoders;
  readonly events: ServiceEvents;
  /** What the encoder may be set to. */
  readonly range: { readonly minKbps: number; readonly maxKbps: number };
}

/** The host's picture: from the child to the viewers, and what they need of it back to the child. */
function tieVideo({ video, child, media, together, encoders, events, range }: TiedVideo): void {
  const { minKbps, maxKbps } = range;
  let size = '';
  const offer = (codec: VideoCodec): void => media.setVideo({ codec, minKbps, maxKbps });
  if (video.codec !== undefined) offer(video.codec);
  video.on('codec', offer);
  video.on('status', (status) => {
    const { device, codec, width, height } = status;
    const now = `${device} ${codec} ${width}×${height}`;
    if (width > 0 && now !== size) {
      if (size !== '') together.changeEpoch();
      size = now;
    }
    events.emit('video-state-changed', status);
  });
  video.on('metrics', (status) => events.emit('video-metrics-update', status));
  media.on('keyframe-wanted', () => video.requestKeyframe());
  media.on('video-bitrate', (kbps) => video.setBitrate(kbps));
  media.on('video-viewers', (count) => video.setViewers(count));
  child.on('media', (message) => {
    if (encoders.receive(message) || video.codec === undefined) return;
    const frame = videoFrame(message, video.codec);
    if (frame !== undefined) together.livePicture(frame);
  });
}

interface TiedChild {
  readonly child: SupervisedChild;
  readonly control: Pick<
    OutputControl | VideoControl,
    'handleEvent' | 'handleStats' | 'handleChildRunning'
  >;
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

/** GStreamer looks at its plugins once, and keeps what it found; an X display may ask for a cookie. */
function pictureEnvironment({ dataDir }: Config): Record<string, string> {
  return {
    ...pick(process.env, ['HOME', 'XAUTHORITY']),
    GST_REGISTRY: join(dataDir, 'gstreamer-registry.bin'),
  };
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
