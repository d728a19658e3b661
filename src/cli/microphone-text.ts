import type { MicrophoneMetrics, MicrophoneStatus } from '../api/schema.ts';
import type { InputStats } from '../audio/input/input-stats.ts';
import type { CliIo } from './cli-io.ts';
import { microphoneSettingsText } from './quality-text.ts';
import { levelText } from './status-text.ts';
import { bytesText, colour, countText, durationText, printable, textFields } from './text-table.ts';

/** The microphone for people. */

/** Who holds it, whether the host hears it, its level and delay. */
export function microphoneText(
  status: MicrophoneStatus,
  { stats }: MicrophoneMetrics,
  io: CliIo,
): string {
  const always = [
    ['Microphone', floorText(status, io)],
    ['Quality', `${status.quality}: ${microphoneSettingsText(status.effective)}`],
    ['Device', deviceText(status, io)],
  ] as const;
  if (status.holder === null || stats === null) return textFields(always);
  return textFields([
    ...always,
    ['Level', levelText(status)],
    ['Delay', delayText(stats)],
    ['Concealed', concealedText(stats)],
  ]);
}

/** `held by s1 for 1 min 2 s, live` */
function floorText({ holder, live, muted, connected }: MicrophoneStatus, io: CliIo): string {
  if (holder === null) return 'off, nobody holds it; a viewer turns it on in the page';
  const state = live
    ? colour(io, 'red', 'live')
    : colour(
        io,
        'yellow',
        [muted && 'muted', !connected && 'no sound arrives'].filter(Boolean).join(', '),
      );
  return `held by ${printable(holder.session)} for ${durationText(holder.heldMs)}, ${state}`;
}

const deviceStates = {
  closed: 'closed while nobody holds the microphone',
  opening: 'not open',
  open: 'open',
  idle: 'open, the host does not record',
} as const satisfies Record<MicrophoneStatus['deviceState'], string>;

function deviceText({ device, deviceState, deviceError }: MicrophoneStatus, io: CliIo): string {
  const words = deviceStates[deviceState];
  const state = deviceState === 'opening' ? colour(io, 'red', words) : words;
  return `${device} (${state}${deviceError === '' ? '' : `: ${printable(deviceError)}`})`;
}

function delayText({ latencyMeanMs, latencyP95Ms, levelMs, targetMs }: InputStats): string {
  if (latencyMeanMs === 0) return 'nothing is played at the moment';
  return `${latencyMeanMs.toFixed(1)} ms, 95 % within ${latencyP95Ms.toFixed(1)} ms; buffer ${levelMs.toFixed(1)} ms, target ${targetMs.toFixed(1)} ms`;
}

/** `1.2 % of what was played (FEC 0.9 %, PLC 0.3 %)` */
function concealedText(stats: InputStats): string {
  const share = concealedShare(stats);
  if (share === undefined) return 'nothing was played yet';
  const { fec, plc } = share;
  return `${percentText(fec + plc)} of what was played (FEC ${percentText(fec)}, PLC ${percentText(plc)})`;
}

const percentText = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** What concealment is computed from. */
export type ConcealmentCounts = Pick<InputStats, 'fecSamples' | 'plcSamples' | 'playedSamples'>;

/** Shares (0–1) of the played sound that were lost on the way; undefined while nothing was played. */
export function concealedShare({ fecSamples, plcSamples, playedSamples }: ConcealmentCounts) {
  if (playedSamples <= 0) return undefined;
  return {
    fec: Math.min(1, fecSamples / playedSamples),
    plc: Math.min(1, plcSamples / playedSamples),
  };
}

/** Every number of `GET /api/v1/microphone/metrics`. */
export function microphoneMetricsText(metrics: MicrophoneMetrics): string {
  const { stats, connectionDrops, lastFrameUnixMs } = metrics;
  const counted = [
    ['Connection', countText(connectionDrops, 'drop')],
    ['Last packet', lastFrameUnixMs === 0 ? 'none yet' : new Date(lastFrameUnixMs).toISOString()],
  ] as const;
  if (stats === null) return `${textFields(counted)}The sound process is not running.\n`;
  return textFields([...counted, ...statsFields(stats)]);
}

function statsFields(stats: InputStats): (readonly [string, string])[] {
  return [
    ['Received', `${countText(stats.receivedFrames, 'packet')}, ${bytesText(stats.receivedBytes)}`],
    [
      'Decoded',
      `${countText(stats.decodedFrames, 'packet')} in ${stats.decodeMeanUs.toFixed(0)} µs, at most ${stats.decodeMaxUs.toFixed(0)} µs`,
    ],
    [
      'Dropped',
      `${stats.lateFrames} late, ${stats.duplicateFrames} twice, ${stats.malformedFrames} not Opus, ${stats.droppedFrames} without room or device`,
    ],
    [
      'Played',
      `${secondsText(stats.playedSamples)} (paused by the sender: ${secondsText(stats.dtxSamples)})`,
    ],
    ['Concealed', concealedText(stats)],
    ['Delay', delayText(stats)],
    [
      'Adjusted',
      `${secondsText(stats.shortenedSamples)} taken out, ${secondsText(stats.lengthenedSamples)} put in, drift ${stats.driftPpm.toFixed(0)} ppm`,
    ],
    ['Jitter', `${stats.jitterMs.toFixed(1)} ms`],
    [
      'Faults',
      [
        countText(stats.xruns, 'xrun'),
        countText(stats.starvations, 'starvation'),
        countText(stats.reopens, 're-opening'),
        countText(stats.suspends, 'suspend'),
        countText(stats.streamResets, 'new stream'),
      ].join(', '),
    ],
    [
      'Device',
      stats.deviceRateHz === 0
        ? stats.deviceState
        : `${stats.deviceState}, ${stats.deviceRateHz} Hz, ${countText(stats.deviceChannels, 'channel')}, ${stats.realtime ? 'SCHED_FIFO' : 'no SCHED_FIFO'}`,
    ],
    ['Level', levelText(stats)],
  ];
}

const secondsText = (samples: number): string => `${(samples / 48_000).toFixed(1)} s`;

type Grown =
  | 'receivedFrames'
  | 'receivedBytes'
  | 'xruns'
  | 'fecSamples'
  | 'plcSamples'
  | 'playedSamples';

/** What the microphone did between two looks. */
export interface MicrophoneRates {
  readonly packetsPerS: number;
  readonly bitsPerS: number;
  readonly xrunsPerS: number;
  /** Share (0–1) of what was played; 0 while nothing was. */
  readonly concealedShare: number;
}

/** Rates of the microphone; undefined when no time passed, or the sound process is not the same. */
export function microphoneRates(
  before: InputStats | null,
  after: InputStats | null,
  seconds: number,
): MicrophoneRates | undefined {
  if (before === null || after === null || seconds <= 0) return undefined;
  const grown = (name: Grown): number => after[name] - before[name];
  if (grown('receivedFrames') < 0 || grown('playedSamples') < 0) return undefined;
  const { fec, plc } = concealedShare({
    fecSamples: grown('fecSamples'),
    plcSamples: grown('plcSamples'),
    playedSamples: grown('playedSamples'),
  }) ?? { fec: 0, plc: 0 };
  return {
    packetsPerS: grown('receivedFrames') / seconds,
    bitsPerS: (grown('receivedBytes') * 8) / seconds,
    xrunsPerS: grown('xruns') / seconds,
    concealedShare: fec + plc,
  };
}

/** `50 packets, 32 kbps, 0.0 xruns, 1.2 % concealed` */
export function microphoneRatesText(rates: MicrophoneRates): string {
  return [
    `${rates.packetsPerS.toFixed(0)} packets`,
    `${(rates.bitsPerS / 1_000).toFixed(0)} kbps`,
    `${rates.xrunsPerS.toFixed(1)} xruns`,
    `${percentText(rates.concealedShare)} concealed`,
  ].join(', ');
}
