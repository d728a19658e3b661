import type { MicrophoneQuality as Quality } from '../../api/schema.ts';
import type { PresetName } from '../../audio/presets.ts';
import { formatBitrate, formatChannels } from '../format.ts';
import type { SettingState } from '../optimistic-setting.ts';
import { PresetTiles } from './preset-tiles.tsx';

/** The quality of the voice; it is encoded here, and chosen for whoever speaks. */
export function MicrophoneQuality({
  quality,
  onChoose,
}: {
  readonly quality: SettingState<PresetName, Quality>;
  readonly onChoose: (preset: PresetName) => void;
}) {
  const { known, wanted, error } = quality;
  return (
    <div class="mic-quality">
      <PresetTiles
        group="microphone-quality"
        legend={<h3>Voice quality</h3>}
        shown={wanted ?? known?.quality}
        presets={known?.presets}
        busy={wanted !== undefined}
        onChoose={onChoose}
        values={(settings) => <PresetValues settings={settings} />}
      />
      {error === '' ? (
        <p class="note">Changes take effect while you speak.</p>
      ) : (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function PresetValues({ settings }: { readonly settings: Quality['effective'] }) {
  return (
    <>
      <span class="tile-rate">{formatBitrate({ bitrateBps: settings.maxBitrateBps })}</span>{' '}
      <span class="tile-values">
        <span>{formatChannels(settings)}</span> <span>{settings.frameMs} ms frames</span>
      </span>
    </>
  );
}
