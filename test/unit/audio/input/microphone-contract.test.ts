import type { ApiEvents } from '../../../../src/api/schema.ts';
import {
  type InputSettings,
  MicrophoneControl,
} from '../../../../src/audio/input/microphone-control.ts';
import { silentLog } from '../../../../src/log/log.ts';
import { microphoneContract } from '../../../fixtures/microphone-contract.ts';

microphoneContract('MicrophoneControl', () => {
  const sessions = new Set<string>();
  const told: { name: keyof ApiEvents; data: unknown }[] = [];
  let settings: InputSettings = { quality: 'medium' };
  const service = new MicrophoneControl({
    board: { device: 'hw:CARD=UAC1Gadget', periodMs: 5, bufferMs: 20 },
    settings: {
      current: () => settings,
      replace: async (next) => {
        settings = next;
      },
    },
    child: {
      configure: async (config) => ({ applied: 'live', effective: config }),
      restart: async () => undefined,
    },
    floor: {
      openMicrophone: (session) => session === undefined || sessions.has(session),
    },
    listDevices: async () => [{ id: 'hw:CARD=Loopback', description: 'a card' }],
    indicator: { show: () => undefined },
    log: silentLog,
    nowMs: () => 5_000,
    unixMs: () => 1_700_000_000_000,
  });
  service.on('state', (data) => told.push({ name: 'microphone-state-changed', data }));
  service.on('quality', (data) => told.push({ name: 'microphone-quality-changed', data }));
  return {
    service,
    told,
    open: (session) => sessions.add(session),
    close: (session) => {
      sessions.delete(session);
      service.sessionClosed(session);
    },
    frame: () => service.noteFrame(5_000),
  };
});
