import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as v from 'valibot';
import { encoderSettingsSchema } from '../../../src/audio/encoder-settings.ts';
import { microphoneSettingsSchema } from '../../../src/audio/microphone-settings.ts';
import {
  defaultPreset,
  microphonePresets,
  outputPresets,
  type PresetName,
  presetNames,
} from '../../../src/audio/presets.ts';

test('every preset is within what the encoder takes', () => {
  for (const [name, preset] of Object.entries(outputPresets)) {
    assert.deepEqual(v.parse(encoderSettingsSchema, preset), preset, name);
  }
});

test('every microphone preset is within what a browser is asked', () => {
  for (const [name, preset] of Object.entries(microphonePresets)) {
    assert.deepEqual(v.parse(microphoneSettingsSchema, preset), preset, name);
  }
});

test('the names are the presets, from the smallest bitrate to the largest', () => {
  assert.deepEqual([...presetNames].sort(), Object.keys(outputPresets).sort());
  assert.deepEqual([...presetNames].sort(), Object.keys(microphonePresets).sort());
  for (const bitrates of [
    presetNames.map((name) => outputPresets[name].bitrateBps),
    presetNames.map((name) => microphonePresets[name].maxBitrateBps),
  ]) {
    assert.deepEqual(
      bitrates,
      bitrates.toSorted((a, b) => a - b),
    );
  }
});

test('no two presets are the same', () => {
  for (const presets of [outputPresets, microphonePresets]) {
    const texts = Object.values(presets).map((preset) => JSON.stringify(preset));
    assert.equal(new Set(texts).size, texts.length);
  }
});

const onOff = (on: boolean): string => (on ? 'on' : 'off');

const rows = {
  output: (name: PresetName): string[] => {
    const preset = outputPresets[name];
    return [
      `${preset.bitrateBps / 1_000} kbps`,
      `${preset.channels}`,
      `${preset.frameMs} ms`,
      preset.application,
      `${preset.complexity}`,
      preset.vbr,
      preset.signal,
      preset.bandwidth,
      onOff(preset.dtx),
      onOff(preset.fec),
    ];
  },
  microphone: (name: PresetName): string[] => {
    const preset = microphonePresets[name];
    return [
      `${preset.maxBitrateBps / 1_000} kbps`,
      `${preset.channels}`,
      `${preset.frameMs} ms`,
      onOff(preset.dtx),
      onOff(preset.fec),
    ];
  },
};

for (const [direction, cells] of Object.entries(rows)) {
  test(`the ${direction} table in the documentation is this table`, async () => {
    const text = await readFile(new URL('../../../docs/presets.md', import.meta.url), 'utf8');
    for (const name of presetNames) {
      const first = name === defaultPreset ? `${name} (default)` : name;
      const row = `| ${[first, ...cells(name)].join(' | ')} |`;
      assert.ok(text.includes(row), `docs/presets.md lacks ${row}`);
    }
  });
}
