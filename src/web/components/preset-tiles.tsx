import type { ComponentChildren } from 'preact';
import { type PresetName, presetNames } from '../../audio/presets.ts';

const presetTitles: Readonly<Record<PresetName, string>> = {
  low: 'Low',
  medium: 'Medium',
  high: 'High',
  ultra: 'Ultra',
};

/** A four-way selector of quality; `values` says what each preset means on this device. */
export function PresetTiles<T>({
  group,
  legend,
  shown,
  presets,
  busy,
  onChoose,
  values,
}: {
  /** Name of the radio group, one of its own for each selector. */
  readonly group: string;
  readonly legend: ComponentChildren;
  readonly shown: string | undefined;
  /** Undefined until the device has said. */
  readonly presets: Readonly<Partial<Record<PresetName, T>>> | undefined;
  readonly busy: boolean;
  readonly onChoose: (preset: PresetName) => void;
  readonly values: (settings: T) => ComponentChildren;
}) {
  return (
    <fieldset class="presets" disabled={presets === undefined} aria-busy={busy}>
      <legend>{legend}</legend>
      <div class="tiles">
        {presetNames.map((name) => {
          const settings = presets?.[name];
          return (
            <label key={name} class={shown === name ? 'tile tile-chosen' : 'tile'}>
              <input
                type="radio"
                name={group}
                value={name}
                checked={shown === name}
                onChange={() => onChoose(name)}
              />
              <span class="tile-name">{presetTitles[name]}</span>{' '}
              {settings === undefined ? <span class="tile-rate">–</span> : values(settings)}
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
