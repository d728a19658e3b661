import { deviceOptions } from '../device-options.ts';
import type { OutputState } from '../output-devices.ts';
import type { PageActions } from '../page-actions.ts';
import type { PageState } from '../page-state.ts';
import type { Peaks } from '../stream-meter.ts';
import { Choice } from './choice.tsx';
import { Icon } from './icon.tsx';
import { LevelMeter } from './level-meter.tsx';

/** What is heard: the level, this browser's own volume, mute and output, and the mute of the device. */
export function ListeningCard({
  state,
  actions,
  peaks,
}: {
  readonly state: PageState;
  readonly actions: PageActions;
  readonly peaks: () => Peaks | undefined;
}) {
  const { muted, volumePercent, sinkId, shortcuts } = state.preferences;
  return (
    <section class="card listening" aria-labelledby="listening-title">
      <h2 id="listening-title">Listening</h2>
      <LevelMeter peaks={peaks} label="Level of the host’s sound in decibels" />
      <fieldset class="local-sound">
        <legend>In this browser</legend>
        <button
          type="button"
          class="button mute-button"
          aria-pressed={muted}
          aria-keyshortcuts={shortcuts ? 'm' : undefined}
          onClick={() => actions.setPreferences({ muted: !muted })}
        >
          <Icon name={muted ? 'muted' : 'speaker'} />
          {muted ? 'Muted' : 'Mute'}
        </button>
        <label class="volume">
          <span>Volume</span>
          <input
            type="range"
            min={0}
            max={100}
            step={1}
            value={volumePercent}
            aria-valuetext={`${volumePercent} percent`}
            onInput={({ currentTarget }) =>
              actions.setPreferences({ volumePercent: currentTarget.valueAsNumber })
            }
          />
          <output>{volumePercent}&#8239;%</output>
        </label>
        {state.outputs.canChoose && (
          <OutputChoice
            outputs={state.outputs}
            sinkId={sinkId}
            onChoose={(chosen) => actions.setPreferences({ sinkId: chosen })}
          />
        )}
      </fieldset>
      <DeviceMute state={state} actions={actions} />
    </section>
  );
}

function OutputChoice({
  outputs,
  sinkId,
  onChoose,
}: {
  readonly outputs: OutputState;
  readonly sinkId: string;
  readonly onChoose: (sinkId: string) => void;
}) {
  return (
    <div class="output-choice">
      <Choice
        label="Play on"
        value={sinkId}
        options={deviceOptions(outputs.devices, { chosen: sinkId, unnamed: 'Output' })}
        onChoose={onChoose}
      />
      {outputs.note !== '' && (
        <p class="note" role="status">
          {outputs.note}
        </p>
      )}
    </div>
  );
}

function DeviceMute({
  state,
  actions,
}: {
  readonly state: PageState;
  readonly actions: PageActions;
}) {
  const { known, wanted, error } = state.deviceMute;
  const muted = wanted ?? known?.muted ?? false;
  return (
    <fieldset class="device-sound">
      <legend>At the device</legend>
      <button
        type="button"
        class="switch"
        role="switch"
        aria-checked={muted}
        aria-describedby="device-mute-note"
        disabled={known === undefined}
        onClick={() => actions.setDeviceMute(!muted)}
      >
        <span class="switch-track" aria-hidden="true" />
        Mute for everyone
      </button>
      <p class="note" id="device-mute-note">
        {muted
          ? 'The host is silent for every viewer.'
          : 'Silences the host for every viewer, not just here.'}
      </p>
      {error !== '' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
