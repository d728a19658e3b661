import { muteSchema, type Quality, qualityNames, qualitySchema } from '../../api/schema.ts';
import { type EncoderSettings, encoderSettingsSchema } from '../../audio/encoder-settings.ts';
import { presetNames } from '../../audio/presets.ts';
import { checkInput, faultSentences } from '../../errors/check-input.ts';
import { type Command, type Invocation, print, usageError } from '../command.ts';
import { changedText, encoderText, qualityOf, qualityTable } from '../quality-text.ts';
import { deviceCommands } from './device-commands.ts';

const qualityPath = '/api/v1/audio/quality';

/** The options of `custom`, and which encoder setting each one is. */
const customOptions = {
  bitrate: {
    setting: 'bitrateBps',
    value: 'BPS',
    summary: 'custom: bits per second, 6000–510000; 96k is 96000.',
  },
  channels: { setting: 'channels', value: 'N', summary: 'custom: 1 or 2.' },
  'frame-ms': {
    setting: 'frameMs',
    value: 'MS',
    summary: 'custom: frame length 2.5, 5, 10, 20, 40 or 60.',
  },
  application: {
    setting: 'application',
    value: 'NAME',
    summary: 'custom: voip, audio or restricted-lowdelay.',
  },
  complexity: { setting: 'complexity', value: 'N', summary: 'custom: 0 (cheapest) to 10 (best).' },
  vbr: { setting: 'vbr', value: 'MODE', summary: 'custom: cbr, vbr or constrained.' },
  signal: { setting: 'signal', value: 'KIND', summary: 'custom: auto, voice or music.' },
  bandwidth: {
    setting: 'bandwidth',
    value: 'NAME',
    summary: 'custom: narrowband, mediumband, wideband, superwideband or fullband.',
  },
  dtx: { setting: 'dtx', value: 'on|off', summary: 'custom: send hardly anything in silence.' },
  fec: { setting: 'fec', value: 'on|off', summary: 'custom: in-band forward error correction.' },
} as const satisfies Record<
  string,
  { setting: keyof EncoderSettings; value: string; summary: string }
>;

export const qualityCommand: Command = {
  words: ['audio', 'quality'],
  arguments: `[${qualityNames.join('|')}]`,
  minArguments: 0,
  maxArguments: 1,
  summary:
    'Show the quality of the host’s sound, or choose another; takes effect at once and lasts.',
  options: customOptions,
  run: async (invocation) => {
    const { client, positionals, options } = invocation;
    const [name] = positionals;
    const given = Object.keys(customOptions).filter((option) => options[option] !== undefined);
    if (given.length > 0 && name !== 'custom') {
      throw usageError(
        `--${given[0]} goes with custom: earshot audio quality custom --${given[0]} …`,
      );
    }
    const before = await client.get(qualityPath, qualitySchema);
    if (name === undefined) {
      print(invocation, before, () => qualityText(before));
      return;
    }
    const request = qualityRequest(name, invocation, before);
    const after = await client.post(qualityPath, request, qualitySchema);
    print(invocation, after, () => changedText(after, encoderText(after.effective)));
  },
};

function qualityRequest(name: string, invocation: Invocation, before: Quality) {
  const quality = qualityOf(name, qualityNames);
  const changes = customChanges(invocation);
  if (quality !== 'custom' || Object.keys(changes).length === 0) return { quality };
  const checked = checkInput(encoderSettingsSchema, { ...before.effective, ...changes });
  if (!checked.ok) throw usageError(faultSentences(checked.faults));
  return { quality, custom: checked.value };
}

/** The encoder settings named by options; what is not named stays as it is now. */
function customChanges({ options }: Invocation): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(customOptions).flatMap(([option, { setting }]) => {
      const text = options[option];
      return typeof text === 'string' ? [[setting, settingValue(text)]] : [];
    }),
  );
}

function settingValue(text: string): unknown {
  if (text === 'on' || text === 'off') return text === 'on';
  const number = /^(\d+(?:\.\d+)?)(k?)$/i.exec(text);
  if (number === null) return text;
  return Number(number[1]) * (number[2] === '' ? 1 : 1_000);
}

function qualityText({ quality, effective, presets, applied }: Quality): string {
  const meanings = presetNames.map(
    (name) => [name, presets[name] === undefined ? '' : encoderText(presets[name])] as const,
  );
  const custom = ['custom', encoderText(effective)] as const;
  return qualityTable({
    quality,
    meanings: quality === 'custom' ? [...meanings, custom] : meanings,
    applied,
  });
}

export const { devices: devicesCommand, device: deviceCommand } = deviceCommands({
  family: 'audio',
  path: '/api/v1/audio',
  kind: 'capture',
  choose: 'Capture from',
  chosen: 'capturing from',
});

export const muteCommand: Command = {
  words: ['audio', 'mute'],
  arguments: '[on|off]',
  minArguments: 0,
  maxArguments: 1,
  summary: 'Mute the host’s sound for every viewer, let it through again, or show which.',
  options: {},
  run: async (invocation) => {
    const { client, positionals } = invocation;
    const [word] = positionals;
    if (word !== undefined && word !== 'on' && word !== 'off') {
      throw usageError(`"${word}" is neither on nor off.`);
    }
    const path = '/api/v1/audio/mute';
    const answer =
      word === undefined
        ? await client.get(path, muteSchema)
        : await client.post(path, { muted: word === 'on' }, muteSchema);
    print(invocation, answer, () => `${answer.muted ? 'muted' : 'not muted'}\n`);
  },
};
