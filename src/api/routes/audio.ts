import { get, post, type Route } from '../route.ts';
import {
  devicesSchema,
  muteSchema,
  qualitySchema,
  setDeviceSchema,
  setQualitySchema,
} from '../schema.ts';

/** The host's sound: quality, mute, device. */
export const audioRoutes: readonly Route[] = [
  get(
    '/api/v1/audio/quality',
    {
      summary: 'The quality in force and what each preset means on this board.',
      answer: '`quality`, `effective`, `presets`, `applied`',
      answers: qualitySchema,
    },
    ({ services }) => services.audio.quality(),
  ),
  post(
    '/api/v1/audio/quality',
    {
      summary: 'Chooses a preset, or `custom` with its encoder settings; live and durable.',
      answer: 'as GET',
      answers: qualitySchema,
      body: setQualitySchema,
      example: { quality: 'high' },
      invalidCode: 'QUALITY_INVALID',
      errors: ['SETTINGS_WRITE_FAILED'],
    },
    ({ services }, body) => services.audio.setQuality(body),
  ),
  get(
    '/api/v1/audio/mute',
    {
      summary: 'Whether the host’s sound is muted for every viewer.',
      answer: '`muted`',
      answers: muteSchema,
    },
    ({ services }) => services.audio.mute(),
  ),
  post(
    '/api/v1/audio/mute',
    {
      summary: 'Mutes the host’s sound for every viewer, or lets it through again; durable.',
      answer: 'as GET',
      answers: muteSchema,
      body: muteSchema,
      example: { muted: true },
      errors: ['SETTINGS_WRITE_FAILED'],
    },
    ({ services }, body) => services.audio.setMute(body),
  ),
  get(
    '/api/v1/audio/devices',
    {
      summary: 'The capture devices of this machine, and which one is used.',
      answer: '`current`, `devices`',
      answers: devicesSchema,
      errors: ['AUDIO_DEVICE_FAILED', 'AUDIO_NATIVE_MISSING'],
    },
    ({ services }) => services.audio.devices(),
  ),
  post(
    '/api/v1/audio/device',
    {
      summary:
        'Captures from another device, by an id of `/api/v1/audio/devices`; live and durable.',
      answer: 'as `/api/v1/audio/devices`',
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
    ({ services }, { device }) => services.audio.setDevice(device),
  ),
];
