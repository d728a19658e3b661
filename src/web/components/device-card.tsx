import type { ComponentChildren } from 'preact';
import type { ChildStatusBody } from '../../api/schema.ts';
import { formatCount, formatMegabytes, formatNumber, nothing } from '../format.ts';
import type { PageActions } from '../page-actions.ts';
import type { PageState } from '../page-state.ts';
import { Choice } from './choice.tsx';

const childStates: Readonly<Record<ChildStatusBody['state'], string>> = {
  stopped: 'Stopped',
  starting: 'Starting',
  running: 'Running',
  stopping: 'Stopping',
  'backing-off': 'Restarting soon',
  failed: 'Failed',
};

/** The device's side: what it captures from, how that goes, and the process that does it. */
export function DeviceCard({
  state,
  actions,
}: {
  readonly state: PageState;
  readonly actions: PageActions;
}) {
  const { audio, live } = state;
  const child = state.children['audio-output'];
  return (
    <section class="card device" aria-labelledby="device-title">
      <h2 id="device-title">
        Device {!live && <span class="aside">not reporting at the moment</span>}
      </h2>
      <div class="device-choices">
        <DeviceChoice
          label="Host’s sound from"
          setting={state.device}
          onChoose={actions.chooseDevice}
        />
        <DeviceChoice
          label="Microphone to the host by"
          setting={state.microphone.device}
          onChoose={actions.microphone.chooseDevice}
        />
      </div>
      <dl class={live ? 'facts' : 'facts facts-old'}>
        <Fact name="State">{audio === undefined ? nothing : deviceStates[audio.deviceState]}</Fact>
        <Fact name="Host level">
          {audio === undefined ? nothing : `${formatNumber(audio.rmsDbfs, 0).replace('-', '−')} dB`}
        </Fact>
        <Fact name="Overruns">{count(audio?.xruns)}</Fact>
        <Fact name="Reopened">{count(audio?.reopens)}</Fact>
        <Fact name="Frames dropped">{count(audio?.droppedFrames)}</Fact>
        <Fact name="Round trip">{formatNumber(state.history.at(-1)?.roundTripMs, 1)} ms</Fact>
        <Fact name="Capture process">
          {child === undefined ? nothing : childStates[child.state]}
        </Fact>
        <Fact name="Restarts">{count(child?.restarts)}</Fact>
        <Fact name="Load">
          {child === undefined
            ? nothing
            : `${child.cpuPercent.toFixed(1)} %, ${formatMegabytes(child.rssBytes)}`}
        </Fact>
      </dl>
    </section>
  );
}

const deviceStates = { open: 'Open', opening: 'Waiting for it' } as const;

function count(value: number | undefined): string {
  return value === undefined ? nothing : formatCount(value);
}

/** A device of the host's side, by what it is called; the id where it has no name or is not there. */
function DeviceChoice({
  label,
  setting,
  onChoose,
}: {
  readonly label: string;
  readonly setting: PageState['device'];
  readonly onChoose: (device: string) => void;
}) {
  const { known, wanted, error } = setting;
  const current = wanted ?? known?.current ?? '';
  const devices = known?.devices ?? [];
  const listed = devices.some(({ id }) => id === current);
  const options = [
    ...(listed ? [] : [{ value: current, text: current === '' ? nothing : current }]),
    ...devices.map(({ id, description }) => ({ value: id, text: description || id })),
  ];
  return (
    <div class="device-choice">
      <Choice
        label={label}
        value={current}
        options={options}
        disabled={known === undefined}
        onChoose={onChoose}
      />
      {error === '' ? (
        <span class="fact-id">{current === '' ? nothing : current}</span>
      ) : (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
