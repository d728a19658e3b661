import { matchMs } from '../calibration/marker-matcher.ts';
import { markersWanted, type SyncCheckState } from '../calibration/sync-check.ts';
import { offsetWords, summaryOf } from '../calibration/sync-text.ts';
import { linePath } from '../chart.ts';
import { formatNumber } from '../format.ts';
import { laneNames } from '../measured-lines.ts';
import type { SyncCardProps } from '../picture/picture-part.ts';
import { Check } from './check.tsx';

const viewBox = { width: 300, height: 60 } as const;

/** How far picture and sound are apart as displayed and played, measured on demand. */
export function SyncCard({ picture, canCheck, onCheck, inStep, onInStep }: SyncCardProps) {
  const { check, audioDelayMs } = picture;
  const summary = summaryOf(check.offsets.map(({ offsetMs }) => offsetMs));
  const lane = check.offsets.at(-1)?.lane;
  return (
    <section class="card sync" aria-labelledby="sync-title">
      <h2 id="sync-title">
        Sync <span class="aside">picture against sound</span>
      </h2>
      <div class="sync-row">
        <button
          type="button"
          class="button"
          disabled={check.running || !canCheck}
          onClick={onCheck}
        >
          {check.running ? `Checking, ${check.offsets.length} of ${markersWanted}` : 'Check sync'}
        </button>
        <div role="status" class="sync-words">
          {summary !== undefined && (
            <p>
              <strong>{offsetWords(summary)}</strong>{' '}
              <span class="aside">
                ± {formatNumber(summary.spreadMs, 0)} ms
                {lane !== undefined && `, on the ${laneNames[lane]}`}
              </span>
            </p>
          )}
          <p class="note">{noteOf(check)}</p>
        </div>
      </div>
      <Check checked={inStep} onChange={onInStep}>
        Keep the sound in step: later, and never on the fast lane
      </Check>
      {check.history.length > 0 && <OffsetChart history={check.history} />}
      <p class="note">
        {audioDelayMs === undefined || audioDelayMs <= 0
          ? 'The device does not hold the sound back.'
          : `The device holds the sound back by ${formatNumber(audioDelayMs, 0)} ms.`}
      </p>
    </section>
  );
}

function noteOf({ running, note, history }: SyncCheckState): string {
  if (running) return 'The device flashes and chirps, for 15 s at most.';
  if (note !== '' || history.length > 0) return note;
  return 'The device flashes and chirps for a few seconds, and this page looks and listens.';
}

/** Each offset measured so far; the line in the middle is where picture and sound are together. */
function OffsetChart({ history }: { readonly history: SyncCheckState['history'] }) {
  const points = history.map(({ offsetMs }, index) => ({
    atMs: index * 1_000,
    value: offsetMs + matchMs,
  }));
  const plot = {
    ...viewBox,
    nowMs: (history.length - 1) * 1_000,
    spanMs: Math.max(1, history.length - 1) * 1_000,
    max: 2 * matchMs,
  };
  const offsets = history.map(({ offsetMs }) => Math.round(offsetMs));
  return (
    <div class="sync-chart">
      <p class="aside">
        +{matchMs} to −{matchMs} ms
      </p>
      <svg
        class="line-plot sync-plot"
        viewBox={`0 0 ${viewBox.width} ${viewBox.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${offsets.length} offsets measured, from ${Math.min(...offsets)} to ${Math.max(...offsets)} ms`}
      >
        <path
          class="line-grid"
          d={`M0 0H${viewBox.width}M0 ${viewBox.height / 2}H${viewBox.width}M0 ${viewBox.height}H${viewBox.width}`}
        />
        <path class="line-stroke" d={linePath(points, plot)} />
      </svg>
    </div>
  );
}
