import { EarshotError } from '../../errors/earshot-error.ts';
import { act, get, post, type Route } from '../route.ts';
import {
  childStatusSchema,
  devicesSchema,
  microphoneMetricsSchema,
  microphoneQualitySchema,
  microphoneStatusSchema,
  muteSchema,
  setDeviceSchema,
  setMicrophoneQualitySchema,
  startMicrophoneSchema,
  stopMicrophoneSchema,
} from '../schema.ts';
import { microphoneChild } from '../service-events.ts';

/** What of the state every change of it answers with. */
const asStatus = 'as `GET /api/v1/microphone`';

/** A viewer's voice on its way to the host: who holds it, mute, quality, device, numbers. */
export const microphoneRoutes: readonly Route[] = [
  get(
    '/api/v1/microphone',
    {
      summary: 'Who holds the microphone, whether the host hears it, its quality and its device.',
      answer:
        '`holder` (`session`, `heldMs`; null while nobody holds it), `connected`, `live`, `muted`, `quality`, `effective`, `device`, `deviceState`, `deviceError`, `peakDbfs`, `rmsDbfs`',
      answers: microphoneStatusSchema,
    },
    ({ services }) => services.microphone.status(),
  ),
  post(
    '/api/v1/microphone/start',
    {
      summary:
        'Gives the microphone to a viewer: `session` is the `session_id` of its WebSocket. While another one holds it, `details.holder` of the refusal is that `holder`; `takeover` takes it.',
      answer: asStatus,
      answers: microphoneStatusSchema,
      body: startMicrophoneSchema,
      example: { session: 's1', takeover: true },
      errors: ['MICROPHONE_HELD', 'MICROPHONE_SESSION_UNKNOWN'],
    },
    ({ services }, body) => services.microphone.start(body),
  ),
  post(
    '/api/v1/microphone/stop',
    {
      summary:
        'Frees the microphone; with `session` only where that one holds it, and otherwise changes nothing.',
      answer: asStatus,
      answers: microphoneStatusSchema,
      body: stopMicrophoneSchema,
      example: {},
    },
    ({ services }, body) => services.microphone.stop(body),
  ),
  post(
    '/api/v1/microphone/mute',
    {
      summary:
        'Mutes whoever holds the microphone, or lets the voice through again; the next holder begins unmuted.',
      answer: asStatus,
      answers: microphoneStatusSchema,
      body: muteSchema,
      example: { muted: true },
      errors: ['MICROPHONE_NOT_HELD'],
    },
    ({ services }, body) => services.microphone.setMute(body),
  ),
  act(
    '/api/v1/microphone/reset',
    {
      summary: 'Starts the audio-input process anew; the holder keeps the microphone.',
      answer: asStatus,
      answers: microphoneStatusSchema,
      errors: ['CHILD_NOT_RUNNING', 'CHILD_BUSY'],
    },
    ({ services }) => services.microphone.reset(),
  ),
  get(
    '/api/v1/microphone/quality',
    {
      summary: 'The microphone’s quality and what each preset asks of the browser.',
      answer: '`quality`, `effective`, `presets`, `applied`',
      answers: microphoneQualitySchema,
    },
    ({ services }) => services.microphone.quality(),
  ),
  post(
    '/api/v1/microphone/quality',
    {
      summary: 'Chooses the microphone’s preset; live and durable.',
      answer: 'as GET',
      answers: microphoneQualitySchema,
      body: setMicrophoneQualitySchema,
      example: { quality: 'high' },
      invalidCode: 'QUALITY_INVALID',
      errors: ['SETTINGS_WRITE_FAILED'],
    },
    ({ services }, body) => services.microphone.setQuality(body),
  ),
  get(
    '/api/v1/microphone/devices',
    {
      summary: 'The playback devices of this machine, and which one the host records from.',
      answer: '`current`, `devices`',
      answers: devicesSchema,
      errors: ['AUDIO_DEVICE_FAILED', 'AUDIO_NATIVE_MISSING'],
    },
    ({ services }) => services.microphone.devices(),
  ),
  post(
    '/api/v1/microphone/device',
    {
      summary:
        'Plays the microphone into another device, by an id of `/api/v1/microphone/devices`; live and durable.',
      answer: 'as `/api/v1/microphone/devices`',
      answers: devicesSchema,
      body: setDeviceSchema,
      example: { device: 'hw:CARD=UAC1Gadget' },
      errors: [
        'AUDIO_DEVICE_UNKNOWN',
        'AUDIO_DEVICE_FAILED',
        'AUDIO_NATIVE_MISSING',
        'SETTINGS_WRITE_FAILED',
      ],
    },
    ({ services }, { device }) => services.microphone.setDevice(device),
  ),
  get(
    '/api/v1/microphone/metrics',
    {
      summary: 'The numbers of the microphone’s way from the network to the sound card.',
      answer:
        '`stats` (the audio-input process’s last report; null while it does not run), `connectionDrops`, `lastFrameUnixMs`',
      answers: microphoneMetricsSchema,
    },
    ({ services }) => services.microphone.metrics(),
  ),
  get(
    '/api/v1/microphone/process-metrics',
    {
      summary: 'The process that plays the microphone: state, restarts, CPU and memory.',
      answer: 'the audio-input child as in `/api/v1/status`',
      answers: childStatusSchema,
      errors: ['CHILD_UNKNOWN'],
    },
    ({ services }) => {
      const child = services.children.statuses().find(({ name }) => name === microphoneChild);
      if (child !== undefined) return child;
      throw new EarshotError('CHILD_UNKNOWN', `This Earshot runs no child "${microphoneChild}".`);
    },
  ),
];
