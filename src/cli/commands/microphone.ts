import {
  type MicrophoneQuality,
  microphoneMetricsSchema,
  microphoneQualitySchema,
  microphoneStatusSchema,
} from '../../api/schema.ts';
import { presetNames } from '../../audio/presets.ts';
import { type Command, type Invocation, print } from '../command.ts';
import { microphoneMetricsText, microphoneText } from '../microphone-text.ts';
import { changedText, microphoneSettingsText, qualityOf, qualityTable } from '../quality-text.ts';
import { deviceCommands } from './device-commands.ts';

const path = '/api/v1/microphone';

/** The microphone: all but turning it on, which takes a viewer with a voice. */

const takesNothing = { arguments: '', minArguments: 0, maxArguments: 0, options: {} } as const;

async function showStatus(invocation: Invocation): Promise<void> {
  const { client, io } = invocation;
  const status = await client.get(path, microphoneStatusSchema);
  const metrics = await client.get(`${path}/metrics`, microphoneMetricsSchema);
  print(invocation, status, () => microphoneText(status, metrics, io));
}

const statusCommand: Command = {
  words: ['mic', 'status'],
  ...takesNothing,
  summary: 'Show who holds the microphone, whether the host hears it, its level and its delay.',
  run: showStatus,
};

const stopCommand: Command = {
  words: ['mic', 'stop'],
  ...takesNothing,
  summary: 'Turn the microphone off, whoever holds it.',
  run: async (invocation) => {
    const status = await invocation.client.post(`${path}/stop`, {}, microphoneStatusSchema);
    print(invocation, status, () => 'nobody holds the microphone\n');
  },
};

function muteCommand(word: 'mute' | 'unmute', summary: string): Command {
  return {
    words: ['mic', word],
    ...takesNothing,
    summary,
    run: async (invocation) => {
      const body = { muted: word === 'mute' };
      const status = await invocation.client.post(`${path}/mute`, body, microphoneStatusSchema);
      print(invocation, status, () => `${status.muted ? 'muted' : 'not muted'}\n`);
    },
  };
}

const resetCommand: Command = {
  words: ['mic', 'reset'],
  ...takesNothing,
  summary: 'Start the process that plays the microphone anew; its holder keeps it.',
  run: async (invocation) => {
    const { client } = invocation;
    const status = await client.post(`${path}/reset`, undefined, microphoneStatusSchema);
    print(invocation, status, () => 'audio-input was started anew\n');
  },
};

const qualityCommand: Command = {
  words: ['mic', 'quality'],
  arguments: `[${presetNames.join('|')}]`,
  minArguments: 0,
  maxArguments: 1,
  summary:
    'Show what the viewer’s browser is asked to send, or choose another quality; takes effect at once and lasts.',
  options: {},
  run: async (invocation) => {
    const { client, positionals } = invocation;
    const [name] = positionals;
    const url = `${path}/quality`;
    if (name === undefined) {
      const now = await client.get(url, microphoneQualitySchema);
      print(invocation, now, () => qualityText(now));
      return;
    }
    const body = { quality: qualityOf(name, presetNames) };
    const after = await client.post(url, body, microphoneQualitySchema);
    print(invocation, after, () => changedText(after, microphoneSettingsText(after.effective)));
  },
};

function qualityText({ quality, presets, applied }: MicrophoneQuality): string {
  const meanings = presetNames.map((name) => {
    const settings = presets[name];
    return [name, settings === undefined ? '' : microphoneSettingsText(settings)] as const;
  });
  return qualityTable({ quality, meanings, applied });
}

const metricsCommand: Command = {
  words: ['mic', 'metrics'],
  ...takesNothing,
  summary: 'Show every number of the microphone’s way from the network to the sound card.',
  run: async (invocation) => {
    const metrics = await invocation.client.get(`${path}/metrics`, microphoneMetricsSchema);
    print(invocation, metrics, () => microphoneMetricsText(metrics));
  },
};

const { devices, device } = deviceCommands({
  family: 'mic',
  path,
  kind: 'playback',
  choose: 'Play the microphone into',
  chosen: 'playing into',
});

export const microphoneCommands: readonly Command[] = [
  statusCommand,
  stopCommand,
  muteCommand('mute', 'Mute whoever holds the microphone; the next holder begins unmuted.'),
  muteCommand('unmute', 'Let the holder’s voice through again.'),
  resetCommand,
  qualityCommand,
  devices,
  device,
  metricsCommand,
  // Last, since its word begins all the others.
  {
    words: ['mic'],
    ...takesNothing,
    summary: 'The same as mic status.',
    run: showStatus,
  },
];
