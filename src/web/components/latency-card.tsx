import { formatNumber } from '../format.ts';
import type { Measurement } from '../history.ts';
import { type Latency, latencies } from '../lane-chooser.ts';
import { laneNames } from '../measured-lines.ts';
import type { PageLanesState } from '../page-lanes.ts';

const latencyTexts: Readonly<Record<Latency, { readonly name: string; readonly line: string }>> = {
  auto: { name: 'Auto', line: 'Fast lane while it is calm' },
  lowest: { name: 'Lowest', line: 'Fast lane, calm or not' },
  steady: { name: 'Steady', line: 'Track only, a little later' },
};

/** Which lane the host's sound takes, the delay on it now, and why it is not the fast one. */
export function LatencyCard({
  latency,
  lanes,
  last,
  onChoose,
}: {
  readonly latency: Latency;
  readonly lanes: PageLanesState;
  readonly last: Measurement | undefined;
  readonly onChoose: (latency: Latency) => void;
}) {
  return (
    <section class="card latency">
      <fieldset class="latencies" aria-describedby="lane-note">
        <legend>
          <h2>Latency</h2>
        </legend>
        <div class="tiles">
          <DelayNow last={last} lanes={lanes} />
          {latencies.map((value) => (
            <label key={value} class={latency === value ? 'tile tile-chosen' : 'tile'}>
              <input
                type="radio"
                name="latency"
                value={value}
                checked={latency === value}
                onChange={() => onChoose(value)}
              />
              <span class="tile-name">{latencyTexts[value].name}</span>{' '}
              <span class="tile-values">{latencyTexts[value].line}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <p class="note" id="lane-note" role="status">
        {laneNote(lanes)}
      </p>
    </section>
  );
}

/** The delay and the lane it was measured on, which may have changed within the last second. */
function DelayNow({
  last,
  lanes,
}: {
  readonly last: Measurement | undefined;
  readonly lanes: PageLanesState;
}) {
  const delay = last?.lane === lanes.lane ? last.delay : undefined;
  return (
    <p class="delay-now">
      <span class="unseen">Delay now:</span>{' '}
      <span class="delay-figure">
        {delay?.method === 'sum' && '≈'}
        {formatNumber(delay?.ms, 0)} ms
      </span>{' '}
      <span class="aside">on the {laneNames[lanes.lane]}</span>
    </p>
  );
}

function laneNote({ lane, reason, fastLane, redundancyKbps }: PageLanesState): string {
  if (lane === 'track') return reason;
  if (redundancyKbps !== undefined) {
    return `Sent twice against loss, +${formatNumber(redundancyKbps, 0)} kbps.`;
  }
  const isDetour = fastLane.kind === 'running' && fastLane.via === 'websocket';
  return isDetour
    ? 'Past the browser’s own buffer, over TCP since UDP does not pass.'
    : 'Past the browser’s own buffer.';
}
