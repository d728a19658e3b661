import { median, round } from '../bench.ts';
import { growth, type Snapshot } from './attribution.ts';

/** What the counters of a run come to. */

const samplesPerMs = 48;

export interface OutputFields {
  /** Of the capture. */
  readonly xruns: number;
  readonly droppedFrames: number;
  readonly packetsLost: number;
  /** Made up by the browser, since the listening began. */
  readonly concealedMs: number;
  readonly stretchedMs: number;
  /** Sound that the browser's own output lacked. */
  readonly playoutGapsMs: number;
}

export function outputFields(snapshots: readonly Snapshot[]): OutputFields {
  const grown = (counter: string): number => growth(snapshots, counter);
  return {
    xruns: grown('earshot_audio_output_xruns_total'),
    droppedFrames: grown('earshot_audio_output_dropped_frames_total'),
    packetsLost: grown('inbound.packetsLost'),
    concealedMs: round(grown('inbound.concealedSamples') / samplesPerMs),
    stretchedMs: round(
      (grown('inbound.insertedSamplesForDeceleration') +
        grown('inbound.removedSamplesForAcceleration')) /
        samplesPerMs,
    ),
    playoutGapsMs: round(grown('playout.synthesizedSamplesDuration') * 1_000),
  };
}

export interface FastFields {
  readonly lost: number;
  readonly recovered: number;
  readonly late: number;
  readonly concealedMs: number;
  readonly underrunMs: number;
  readonly targetMinMs: number;
  readonly targetMaxMs: number;
  readonly levelMinMs: number;
  readonly levelMaxMs: number;
  /** Middle of the second half, end to end as the page shows it. */
  readonly delayMs: number;
  readonly driftPpm: number;
}

/** Of the fast lane. */
export function fastFields(snapshots: readonly Snapshot[]): FastFields {
  const grown = (name: string): number => growth(snapshots, `fast.${name}`);
  const values = (name: string): number[] =>
    snapshots.flatMap(({ counters }) => counters[`fast.${name}`] ?? []);
  const later = (name: string): number[] => values(name).slice(snapshots.length >> 1);
  const [targets, levels] = [values('targetMs'), values('levelMs')];
  return {
    lost: grown('lost'),
    recovered: grown('recovered'),
    late: grown('late'),
    concealedMs: round(grown('concealedMs')),
    underrunMs: round(grown('underrunMs')),
    targetMinMs: round(Math.min(...targets)),
    targetMaxMs: round(Math.max(...targets)),
    levelMinMs: round(Math.min(...levels)),
    levelMaxMs: round(Math.max(...levels)),
    delayMs: round(median(later('delayMs'))),
    driftPpm: round(median(later('driftPpm'))),
  };
}

export interface InputFields {
  /** Of the playback. */
  readonly xruns: number;
  readonly starvations: number;
  readonly packetsLost: number;
  readonly late: number;
  readonly dropped: number;
  readonly plcMs: number;
  readonly fecMs: number;
  readonly dtxMs: number;
  readonly shortenedMs: number;
  readonly lengthenedMs: number;
  readonly targetMinMs: number;
  readonly targetMaxMs: number;
  readonly levelMinMs: number;
  readonly levelMaxMs: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** Median of the second half, and the furthest of it from 0: the lab's clocks do not drift. */
  readonly driftPpm: number;
  readonly driftWorstPpm: number;
}

export function inputFields(snapshots: readonly Snapshot[]): InputFields {
  const of = (name: string): string => `earshot_audio_input_${name}`;
  const total = (name: string): number => growth(snapshots, `${of(name)}_total`);
  const ms = (name: string): number => round(total(`${name}_seconds`) * 1_000);
  const gauge = (name: string): number[] =>
    snapshots.map(({ counters }) => (counters[of(`${name}_seconds`)] ?? 0) * 1_000);
  const targets = gauge('jitter_buffer_target');
  const levels = gauge('jitter_buffer_level');
  const drifts = snapshots
    .slice(snapshots.length >> 1)
    .map(({ counters }) => (counters[of('drift_ratio')] ?? 0) * 1e6);
  return {
    xruns: total('xruns'),
    starvations: total('starvations'),
    packetsLost: growth(snapshots, 'earshot_media_microphone_packets_lost'),
    late: total('late_frames'),
    dropped: total('dropped_frames'),
    plcMs: ms('plc'),
    fecMs: ms('fec'),
    dtxMs: ms('dtx'),
    shortenedMs: ms('shortened'),
    lengthenedMs: ms('lengthened'),
    targetMinMs: round(Math.min(...targets)),
    targetMaxMs: round(Math.max(...targets)),
    levelMinMs: round(Math.min(...levels)),
    levelMaxMs: round(Math.max(...levels)),
    latencyMs: round(median(gauge('latency_mean'))),
    jitterMs: round(median(gauge('jitter'))),
    driftPpm: round(median(drifts)),
    driftWorstPpm: round(Math.max(...drifts.map(Math.abs))),
  };
}
