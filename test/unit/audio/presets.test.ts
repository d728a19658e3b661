import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as v from 'valibot';
import { encoderSettingsSchema } from '../../../src/audio/encoder-settings.ts';
import { defaultPreset, outputPresets, presetNames } from '../../../src/audio/presets.ts';

test('every preset is within what the encoder takes', () => {
  for (const [name, preset] of Object.entries(outputPresets)) {
    assert.deepEqual(v.parse(encoderSettingsSchema, preset), preset, name);
  }
});

test('the names are the presets, from the smallest bitrate to the largest', () => {
  assert.deepEqual([...presetNames].sort(), Object.keys(outputPresets).sort());
  const bitrates = presetNames.map((name) => outputPresets[name].bitrateBps);
  assert.deepEqual(
    bitrates,
    bitrates.toSorted((a, b) => a - b),
  );
});

test('the table in the documentation is this table', async () => {
  const text = await readFile(new URL('../../../docs/presets.md', import.meta.url), 'utf8');
  for (const name of presetNames) {
    const preset = outputPresets[name];
    const cells = [
      name === defaultPreset ? `${name} (default)` : name,
      `${preset.bitrateBps / 1_000} kbps`,
      `${preset.channels}`,
      `${preset.frameMs} ms`,
      preset.application,
      `${preset.complexity}`,
      preset.vbr,
      preset.signal,
      preset.bandwidth,
      preset.dtx ? 'on' : 'off',
      preset.fec ? 'on' : 'off',
    ];
    assert.ok(
      text.includes(`| ${cells.join(' | ')} |`),
      `docs/presets.md lacks the row of ${name}`,
    );
  }
});
