import { areaPath, linePath, niceMax, type Point, summary } from '../chart.ts';
import { formatNumber } from '../format.ts';
import { historyMs, type Measurement } from '../history.ts';
import {
  delayMethodTexts,
  laneNames,
  type MeasuredLine,
  measuredLines,
  pointsOf,
} from '../measured-lines.ts';
import type { PageMicrophoneState } from '../page-state.ts';
import type { PicturePart } from '../picture/picture-part.ts';
import { FigureList } from './figure-list.tsx';

/** The view box of each line; it is stretched to the room there is. */
const viewBox = { width: 600, height: 40 } as const;

/** The last minute of the connection, measured in this browser. */
export function MeasurementsCard({
  history,
  microphone,
  part,
}: {
  readonly history: readonly Measurement[];
  readonly microphone: PageMicrophoneState;
  /** Of the picture; undefined where there is none. */
  readonly part: PicturePart | undefined;
}) {
  const last = history.at(-1);
  const lines = part === undefined ? measuredLines : [...measuredLines, ...part.videoLines];
  return (
    <section class="card measurements" aria-labelledby="measurements-title">
      <h2 id="measurements-title">
        Measured here{' '}
        <span class="aside">
          last 60 s{last === undefined ? '' : `, now on the ${laneNames[last.lane]}`}
        </span>
      </h2>
      <div class="lines">
        {lines.map((line) => (
          <Line
            key={line.key}
            line={line}
            points={pointsOf(line, history)}
            nowMs={last?.atMs ?? 0}
            estimated={line.key === 'delay' && last?.delay?.method === 'sum'}
          />
        ))}
      </div>
      <p class="note">
        {last?.delay === undefined
          ? 'Figures appear when sound arrives.'
          : delayMethodTexts[last.delay.method]}
      </p>
      {part !== undefined && last?.video !== undefined && <part.VideoFigures video={last.video} />}
      <MicrophoneFigures microphone={microphone} />
      <details>
        <summary>Figures as a table</summary>
        <Figures history={history} lines={lines} />
      </details>
    </section>
  );
}

/** The way to the host: what is sent, and what the device makes of it. */
function MicrophoneFigures({ microphone }: { readonly microphone: PageMicrophoneState }) {
  const { sent, metrics, phase } = microphone;
  const stats = phase === 'on' ? metrics?.stats : undefined;
  const figures = [
    { name: 'Sent', value: sent?.bitrateKbps, digits: 0, unit: 'kbps' },
    { name: 'Lost on the way', value: sent?.lossPercent, digits: 1, unit: '%' },
    { name: 'Round trip', value: sent?.roundTripMs, digits: 0, unit: 'ms' },
    { name: 'Device delay', value: stats?.latencyMeanMs, digits: 0, unit: 'ms' },
    { name: 'Jitter target', value: stats?.targetMs, digits: 0, unit: 'ms' },
  ];
  return <FigureList title="Your microphone" figures={figures} />;
}

function Line({
  line,
  points,
  nowMs,
  estimated,
}: {
  readonly line: MeasuredLine;
  readonly points: readonly Point[];
  readonly nowMs: number;
  readonly estimated: boolean;
}) {
  const figures = summary(points);
  const max = niceMax(figures?.highest ?? 0, line.leastMax);
  const plot = { ...viewBox, nowMs, spanMs: historyMs, max };
  const now = formatNumber(points.at(-1)?.value, line.digits);

  return (
    <div class={`line line-${line.key}`}>
      <p class="line-name">
        {line.name} <span class="aside">0–{max}</span>
      </p>
      <svg
        class="line-plot"
        viewBox={`0 0 ${viewBox.width} ${viewBox.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={
          figures === undefined
            ? `${line.name}: nothing measured yet`
            : `${line.name}, last 60 seconds: ${formatNumber(figures.lowest, line.digits)} to ${formatNumber(figures.highest, line.digits)} ${line.unit}`
        }
      >
        <path class="line-grid" d={`M0 0H${viewBox.width}M0 ${viewBox.height}H${viewBox.width}`} />
        <path class="line-area" d={areaPath(points, plot)} />
        <path class="line-stroke" d={linePath(points, plot)} />
      </svg>
      <p class="line-now">
        <span class="figure">
          {estimated && '≈'}
          {now}
        </span>{' '}
        <span class="unit">{line.unit}</span>
      </p>
    </div>
  );
}

function Figures({
  history,
  lines,
}: {
  readonly history: readonly Measurement[];
  readonly lines: readonly MeasuredLine[];
}) {
  return (
    <table>
      <caption class="unseen">Measured in this browser over the last 60 seconds</caption>
      <thead>
        <tr>
          <th scope="col">Measure</th>
          <th scope="col">Now</th>
          <th scope="col">Lowest</th>
          <th scope="col">Mean</th>
          <th scope="col">Highest</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => {
          const points = pointsOf(line, history);
          const figures = summary(points);
          return (
            <tr key={line.key}>
              <th scope="row">
                {line.name} <span class="unit">{line.unit}</span>
              </th>
              <td>{formatNumber(points.at(-1)?.value, line.digits)}</td>
              <td>{formatNumber(figures?.lowest, line.digits)}</td>
              <td>{formatNumber(figures?.mean, line.digits)}</td>
              <td>{formatNumber(figures?.highest, line.digits)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
