import type { ComponentChildren } from 'preact';
import type { ChildStatusBody } from '../../api/schema.ts';
import { formatCount, formatMegabytes, formatNumber, nothing } from '../format.ts';
import type { PageState } from '../page-state.ts';

const childStates: Readonly<Record<ChildStatusBody['state'], string>> = {
  stopped: 'Stopped',
  starting: 'Starting',
  running: 'Running',
  stopping: 'Stopping',
  'backing-off': 'Restarting soon',
  failed: 'Failed',
};

/** The device's side: what it captures from, how that goes, and the process that does it. */
export function DeviceCard({ state }: { readonly state: PageState }) {
  const { audio, devices, live } = state;
  const child = state.children['audio-output'];
  const description = devices?.devices.find(({ id }) => id === audio?.device)?.description;
  return (
    <section class="card device" aria-labelledby="device-title">
      <h2 id="device-title">
        Device {!live && <span class="aside">not reporting at the moment</span>}
      </h2>
      <dl class={live ? 'facts' : 'facts facts-old'}>
        <Fact name="Sound device" wide>
          {description ?? audio?.device ?? nothing}
          {description !== undefined && <span class="fact-id">{audio?.device}</span>}
        </Fact>
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

function Fact({
  name,
  wide = false,
  children,
}: {
  readonly name: string;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <div class={wide ? 'fact fact-wide' : 'fact'}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
