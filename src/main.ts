import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import type { SupervisedChild } from '../supervisor/supervised-child.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { isLoopback } from './api/loopback.ts';
import { ApiServer } from './api/server.ts';
import { ServiceEvents } from './api/service-events.ts';
import { LiveIndicator } from './audio/input/live-indicator.ts';
import { MicrophoneControl } from './audio/input/microphone-control.ts';
import { OutputControl } from './audio/output/output-control.ts';
import { apiServices } from './composition/api-services.ts';
import type { Modules } from './composition/modules.ts';
import { childSpecs, deviceLister } from './composition/own-programs.ts';
import { tie } from './composition/ties.ts';
import { loadConfig } from './config/load-config.ts';
import type { Config } from './config/schema.ts';
import { SettingsStore } from './config/settings-store.ts';
import { HidControl } from './control/hid/hid-control.ts';
import { SocketHost } from './control/hid/socket-host.ts';
import { createPowerBoard } from './control/power/power-boards.ts';
import { PowerControl } from './control/power/power-control.ts';
import { openNativeSerialPort } from './control/serial/native-serial-port.ts';
import { SerialConsole } from './control/serial/serial-console.ts';
import { EarshotError, isEarshotError, messageOf } from './errors/earshot-error.ts';
import type { ChildRole } from './ipc/messages.ts';
import { createLog, type Log } from './log/log.ts';
import { LogRing } from './log/log-ring.ts';
import { AvCoordinator } from './media/av-coordinator.ts';
import { MediaHub } from './media/media-hub.ts';
import { IpcEncoders } from './media/segments/ipc-encoders.ts';
import { VoiceTrace } from './media/voice-trace.ts';
import { GadgetHost } from './platform/gadget/gadget-host.ts';
import { UsbGadget } from './platform/gadget/usb-gadget.ts';
import { openLines } from './platform/gpio/gpio-lines.ts';
import { type Part, runParts } from './run-parts.ts';
import { version } from './version.ts';
import { VideoControl } from './video/video-control.ts';

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
function compose(ingredients: Ingredients): Part[] {
  const { config, log, ring } = ingredients;
  const program = process.argv[1] ?? fileURLToPath(import.meta.url);
  const listDevices = deviceLister(program);
  const events = new ServiceEvents();
  // Controls and children need each other: a control looks its child up when it first speaks to it.
  const child = (name: ChildRole): SupervisedChild => supervisor.child(name);
  const audio = makeOutput(ingredients, { listDevices, child: () => child('audio-output') });
  const indicator = new LiveIndicator({ ...config.audio.input.indicator, log });
  const microphone = makeMicrophone(ingredients, {
    listDevices,
    child: () => child('audio-input'),
    media: () => media,
    indicator,
  });
  const video = makeVideo(ingredients, () => child('video'));
  const supervisor = new Supervisor({
    specs: childSpecs({ config, program, audio, microphone, video }),
    log,
  });
  const output = child('audio-output');
  const input = child('audio-input');
  const picture = video && { video, child: child('video') };
  // Also where it is off: it takes down what a configuration of before has left.
  const gadget = new UsbGadget({ config: config.usb, log });
  const hid = makeHid(ingredients, gadget);
  const serial = makeSerial(ingredients);
  const power = makePower(config.power, log);
  const media = new MediaHub({
    config: { ...config.media, loopback: isLoopback(config.http.listen) },
    hid: hid && { open: (session, link) => hid.openViewer(session, link) },
    log,
  });
  const encoders = new IpcEncoders({
    sound: output,
    video: picture?.child ?? noEncoder,
    codec: () => video?.codec,
  });
  const together = new AvCoordinator({
    viewers: media,
    encoders,
    setAudioDelay: (ms) => audio.setDelay(ms),
    log,
  });
  const trace = new VoiceTrace((on) => {
    audio.setTrace(on);
    media.watchSound(on ? (session) => trace.written(session, process.hrtime.bigint()) : undefined);
  });
  const modules: Modules = {
    ...{ config, log, ring, events, supervisor },
    ...{ audio, output, microphone, input, picture },
    ...{ hid, serial, power },
    ...{ media, encoders, together, trace },
  };
  const server = makeServer(modules);
  tie(modules);

  // The server comes before the children: it should answer when they cannot start.
  return [
    media,
    server,
    indicator,
    supervisor,
    gadget,
    // Stopped before it: keys and buttons are let go while there is a host to tell.
    ...(hid === undefined ? [] : [hid]),
    serial,
    power,
    { start() {}, stop: () => together.stop() },
    { start() {}, stop: () => audio.stop() },
    { start() {}, stop: () => video?.stop() },
    { start() {}, stop: () => microphone.close() },
  ];
}

type DeviceLister = ReturnType<typeof deviceLister>;

/** The host's sound as the API sees it. */
function makeOutput(
  { config, settings, log }: Ingredients,
  needs: { readonly listDevices: DeviceLister; readonly child: () => SupervisedChild },
): OutputControl {
  return new OutputControl({
    board: config.audio.output,
    settings: {
      current: () => settings.current().audioOutput,
      replace: async (audioOutput) => {
        await settings.update((all) => ({ ...all, audioOutput }));
      },
    },
    child: { configure: (next) => needs.child().configure(next) },
    listDevices: () => needs.listDevices('capture'),
    log,
  });
}

/** The viewers' microphone as the API sees it. */
function makeMicrophone(
  { config, settings, log }: Ingredients,
  needs: {
    readonly listDevices: DeviceLister;
    readonly child: () => SupervisedChild;
    readonly media: () => MediaHub;
    readonly indicator: LiveIndicator;
  },
): MicrophoneControl {
  return new MicrophoneControl({
    board: config.audio.input,
    settings: {
      current: () => settings.current().audioInput,
      replace: async (audioInput) => {
        await settings.update((all) => ({ ...all, audioInput }));
      },
    },
    child: {
      configure: (next) => needs.child().configure(next),
      restart: () => needs.child().restart(),
    },
    floor: { openMicrophone: (session) => needs.media().openMicrophone(session) },
    listDevices: () => needs.listDevices('playback'),
    indicator: needs.indicator,
    log,
  });
}

/** The host's picture; undefined where none is configured. */
function makeVideo(
  { config: { video: board }, log }: Ingredients,
  child: () => SupervisedChild,
): VideoControl | undefined {
  if (board.device === '') return undefined;
  return new VideoControl({
    board: { ...board, device: board.device },
    child: { configure: (next) => child().configure(next) },
    log,
  });
}

/** Keyboard and mouse; undefined on a device without a host to tell. */
function makeHid(
  { config, settings, log }: Ingredients,
  gadget: UsbGadget,
): HidControl | undefined {
  const { host } = config.hid;
  if (host === 'none') return undefined;
  return new HidControl({
    config: config.hid,
    host:
      host === 'usb'
        ? new GadgetHost({ gadget, log })
        : new SocketHost({ path: host.slice('unix:'.length), log }),
    settings: {
      current: () => settings.current().hid,
      replace: async (hid) => {
        await settings.update((all) => ({ ...all, hid }));
      },
    },
    log,
  });
}

/** The host's serial console. */
function makeSerial({ config, settings, log }: Ingredients): SerialConsole {
  return new SerialConsole({
    config: config.serial,
    settings: {
      current: () => settings.current().serial,
      replace: async (serial) => {
        await settings.update((all) => ({ ...all, serial }));
      },
    },
    open: openNativeSerialPort,
    log,
  });
}

/** The host's buttons and LEDs. */
function makePower(config: Config['power'], log: Log): PowerControl {
  const board = createPowerBoard({ config, openPort: openNativeSerialPort, openLines, log });
  return new PowerControl({ config, board, log });
}

/** The server, with everything that it serves. */
function makeServer(modules: Modules): ApiServer {
  const { config, log } = modules;
  const server: ApiServer = new ApiServer({
    listen: config.http.listen,
    port: config.http.port,
    https: config.https,
    dataDir: config.dataDir,
    allowedHosts: config.http.allowedHosts,
    whepToken: config.whep.token,
    controlSocket: config.control.socket,
    webRoot: webRoot(),
    services: apiServices(modules, () => server.stats()),
    log,
    version,
  });
  return server;
}

/** Takes no picture: a device without a screen has clips of sound alone. */
const noEncoder = { sendMedia: () => false };

/** The built page: beside this bundle, or in `dist/` when run from the sources. */
function webRoot(): string {
  const fromSources = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(fromSources ? '../dist/web' : './web', import.meta.url));
}
