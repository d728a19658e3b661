import { areaPath, linePath, niceMax, summary } from '../../chart.ts';
import { formatNumber } from '../../format.ts';
import { historyMs } from '../../history.ts';
import type { LatencyNumbers } from '../latency-history.ts';

/** The view box; it is stretched to the room there is. */
const viewBox = { width: 600, height: 40 } as const;

/** The scale's end is never below this, so that noise near zero does not look like an event. */
const leastMax = 20;

/** From a key or a click in this browser to its report at the host, over the last minute. */
export function LatencyLine({
  latency,
  nowMs,
}: {
  readonly latency: LatencyNumbers;
  readonly nowMs: number;
}) {
  const { points, lastMs, medianMs } = latency;
  const figures = summary(points);
  const max = niceMax(figures?.highest ?? 0, leastMax);
  const plot = { ...viewBox, nowMs, spanMs: historyMs, max };
  return (
    <div class="line line-input">
      <p class="line-name">
        Input delay <span class="aside">0–{max}</span>
      </p>
      <svg
        class="line-plot"
        viewBox={`0 0 ${viewBox.width} ${viewBox.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={
          figures === undefined
            ? 'Input delay: nothing measured yet'
            : `Input delay, last 60 seconds: ${formatNumber(figures.lowest, 1)} to ${formatNumber(figures.highest, 1)} ms`
        }
      >
        <path class="line-grid" d={`M0 0H${viewBox.width}M0 ${viewBox.height}H${viewBox.width}`} />
        <path class="line-area" d={areaPath(points, plot)} />
        <path class="line-stroke" d={linePath(points, plot)} />
      </svg>
      <p class="line-now">
        <span class="figure">{formatNumber(lastMs, 1)}</span> <span class="unit">ms</span>
        <span class="line-median aside">median {formatNumber(medianMs, 1)}</span>
      </p>
    </div>
  );
}
