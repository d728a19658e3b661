import type { Quality } from '../../api/schema.ts';
import type { PresetName } from '../../audio/presets.ts';
import { formatBitrate, formatChannels } from '../format.ts';
import type { SettingState } from '../optimistic-setting.ts';
import { PresetTiles } from './preset-tiles.tsx';

const appliedTexts: Readonly<Record<Quality['applied'], string>> = {
  live: 'Changes take effect at once, without a gap, for every viewer.',
  restart: 'The last change restarted the capture process.',
  pending: 'Capture is not running; this takes effect when it starts.',
};

/** The four-way quality selector, each preset with the values this board runs it with. */
export function QualityCard({
  quality,
  onChoose,
}: {
  readonly quality: SettingState<PresetName, Quality>;
  readonly onChoose: (preset: PresetName) => void;
}) {
  const { known, wanted, error } = quality;
  return (
    <section class="card quality">
      <PresetTiles
        group="quality"
        legend={<h2>Quality</h2>}
        shown={wanted ?? known?.quality}
        presets={known?.presets}
        busy={wanted !== undefined}
        onChoose={onChoose}
        values={(settings) => <PresetValues settings={settings} />}
      />
      {known?.quality === 'custom' && (
        <p class="note">
          Custom settings are in force: <CustomValues settings={known.effective} />.
        </p>
      )}
      {error === '' ? (
        <p class="note" role="status">
          {known === undefined ? 'Asking the device…' : appliedTexts[known.applied]}
        </p>
      ) : (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </section>
  );
}

function PresetValues({ settings }: { readonly settings: Quality['effective'] }) {
  return (
    <>
      <span class="tile-rate">{formatBitrate(settings)}</span>{' '}
      <span class="tile-values">
        <span>{formatChannels(settings)}</span> <span>{settings.frameMs} ms frames</span>{' '}
        <span>Complexity {settings.complexity}</span>
      </span>
    </>
  );
}

function CustomValues({ settings }: { readonly settings: Quality['effective'] }) {
  return (
    <>
      {formatBitrate(settings)}, {formatChannels(settings).toLowerCase()}, {settings.frameMs} ms
      frames, complexity {settings.complexity}
    </>
  );
}
