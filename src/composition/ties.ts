import type { SupervisedChild } from '../../supervisor/supervised-child.ts';
import { processEvent } from '../api/service-events.ts';
import { writeInputFrame } from '../audio/input/input-frames.ts';
import type { OutputControl } from '../audio/output/output-control.ts';
import { outputFrame } from '../audio/output/output-frames.ts';
import { readPacketTimes } from '../audio/output/packet-times.ts';
import type { VideoCodec } from '../ipc/video-codec.ts';
import type { VideoControl } from '../video/video-control.ts';
import { videoFrame } from '../video/video-frames.ts';
import type { Modules, PictureModules } from './modules.ts';

/** Ties the modules together: what each says goes to those whom it concerns, and to the API's events. */
export function tie(modules: Modules): void {
  tieSound(modules);
  tieMicrophone(modules);
  if (modules.picture !== undefined) tiePicture(modules, modules.picture);
  tieViewers(modules);
  tieControl(modules);
}

/** The host's sound: from its child to the viewers. */
function tieSound(modules: Modules): void {
  const { config, log, events, audio, output, encoders, together, trace } = modules;
  tieChild(modules, output, audio);
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
  if (config.log.voiceTrace) trace.follow((packet) => log.info({ ...packet }, 'voice trace'));
  audio.on('quality', (quality) => events.emit('audio-quality-changed', quality));
  audio.on('mute', (mute) => events.emit('audio-mute-changed', mute));
  audio.on('device', (device) => events.emit('audio-device-changed', device));
  audio.on('metrics', (metrics) => events.emit('audio-metrics-update', metrics));
}

/** The viewers' microphone: to its child, and from there to the host. */
function tieMicrophone(modules: Modules): void {
  const { events, microphone, input, media } = modules;
  tieChild(modules, input, microphone);
  media.on('microphone', (frame) => {
    const payload = writeInputFrame(frame);
    input.sendMedia({ type: 'opus', payload, timestampNs: frame.arrivalNs });
    microphone.noteFrame(performance.now());
  });
  media.setMicrophoneSettings(microphone.quality().effective);
  microphone.on('state', (state) => events.emit('microphone-state-changed', state));
  microphone.on('metrics', (metrics) => events.emit('microphone-metrics-update', metrics));
  microphone.on('quality', (quality) => {
    media.setMicrophoneSettings(quality.effective);
    events.emit('microphone-quality-changed', quality);
  });
}

/** The host's picture: from the child to the viewers, and what they need of it back to the child. */
function tiePicture(modules: Modules, { video, child }: PictureModules): void {
  const { config, events, media, encoders, together } = modules;
  tieChild(modules, child, video);
  const { minKbps, maxKbps } = config.video;
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

/** What viewers say of themselves, and their end. */
function tieViewers({ media, audio, microphone, together }: Modules): void {
  media.on('av', (session, message) => together.receive(session, message));
  media.on('viewers', (count) => audio.setViewers(count));
  media.on('session-closed', (session) => {
    microphone.sessionClosed(session);
    together.sessionClosed(session);
  });
}

/** Keyboard, mouse, serial console and power: what changes is told. */
function tieControl({ events, hid, serial, power }: Modules): void {
  hid?.on('status', (status) => events.emit('hid-state-changed', status));
  serial.on('state', (state) => events.emit('serial-state-changed', state));
  power.on('status', (status) => events.emit('power-state-changed', status));
}

/** Hands what a child says of itself to its control, the log and the events. */
function tieChild(
  { events, log, ring }: Modules,
  child: SupervisedChild,
  control: Pick<OutputControl | VideoControl, 'handleEvent' | 'handleStats' | 'handleChildRunning'>,
): void {
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
