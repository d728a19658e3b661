import type { Status } from '../api/schema.ts';
import type { CliIo } from './cli-io.ts';
import { encoderText } from './quality-text.ts';
import {
  bytesText,
  colour,
  countText,
  durationText,
  millisecondsText,
  printable,
  textFields,
  textTable,
} from './text-table.ts';

/** The parts of `earshot status` and `earshot stats` for people. */

export function headline({ version, uptimeMs, localOnly }: Status): string {
  const reach = localOnly ? 'this machine only' : 'reachable from other machines, no accounts yet';
  return `Earshot ${version}, up ${durationText(uptimeMs)}, ${reach}\n`;
}

/** Where the page is, and what to compare with the certificate a browser warns of. */
export function httpsText({ https }: Status): string {
  if (https === null) return 'HTTPS is starting.\n';
  const { url, fingerprint256, expiresUnixMs, own } = https;
  const whose = own ? 'your own' : 'made by this device';
  const until = new Date(expiresUnixMs).toISOString().slice(0, 10);
  return textFields([
    ['HTTPS', printable(url)],
    ['Certificate', `${whose}, until ${until}`],
    ['SHA-256', printable(fingerprint256)],
  ]);
}

export function audioText({ audio }: Status, io: CliIo): string {
  const open = audio.deviceState === 'open';
  const state = open
    ? colour(io, 'green', 'open')
    : `${colour(io, 'red', 'not open')}${audio.deviceError === '' ? '' : `: ${printable(audio.deviceError)}`}`;
  return textFields([
    ['Quality', `${audio.quality}: ${encoderText(audio.effective)}`],
    ['Device', `${audio.device} (${state})`],
    ['Sound', `${audio.muted ? colour(io, 'yellow', 'muted') : 'on'}, ${levelText(audio)}`],
    ['Delay', delayText(audio)],
    [
      'Faults',
      [
        countText(audio.xruns, 'xrun'),
        countText(audio.reopens, 're-opening'),
        countText(audio.droppedFrames, 'dropped frame'),
      ].join(', '),
    ],
  ]);
}

function delayText(audio: Status['audio']): string {
  if (audio.latencyMeanMs === 0) return 'nothing is sent at the moment';
  return [
    `${audio.latencyMeanMs.toFixed(1)} ms until sent`,
    `95 % within ${audio.latencyP95Ms.toFixed(1)} ms`,
    `encoding ${audio.encodeMeanUs.toFixed(0)} µs`,
    `at most ${audio.encodeMaxUs.toFixed(0)} µs`,
  ].join(', ');
}

export function levelText({
  peakDbfs,
  rmsDbfs,
}: {
  readonly peakDbfs: number;
  readonly rmsDbfs: number;
}): string {
  return `peak ${peakDbfs.toFixed(1)} dBFS, RMS ${rmsDbfs.toFixed(1)} dBFS`;
}

export function childrenText({ children }: Status): string {
  return textTable(
    ['CHILD', 'STATE', 'PID', 'SINCE', 'RESTARTS', 'CPU', 'MEMORY', 'LAST EXIT'],
    children.map((child) => [
      child.name,
      child.state,
      child.pid === undefined ? '–' : String(child.pid),
      durationText(child.sinceMs),
      String(child.restarts),
      `${child.cpuPercent.toFixed(1)} %`,
      bytesText(child.rssBytes),
      child.lastExit === '' ? '–' : shortened(child.lastExit),
    ]),
  );
}

/** Why children are not running, and what to do about it. */
export function adviceText({ children }: Status, io: CliIo): string {
  return children
    .filter(({ state }) => state === 'failed' || state === 'backing-off')
    .map(({ name, state, lastExit, retryInMs }) => {
      const [words, then] =
        state === 'failed'
          ? [
              'has failed',
              `earshot logs tells more; once it is put right, earshot restart ${name}.`,
            ]
          : ['has ended', `It is started again in ${durationText(retryInMs)}.`];
      return `\n${colour(io, 'red', `${name} ${words}`)}: ${printable(lastExit)}\n${then}\n`;
    })
    .join('');
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}

/** The viewers; with `rates` what each got in the last second. */
export function sessionsText(
  { sessions }: Status,
  rates?: ReadonlyMap<string, SessionRates>,
): string {
  if (sessions.length === 0) return 'No viewers.\n';
  const shown = [
    ...viewerColumns,
    ...(sessions.some(({ fastLane }) => fastLane !== null) ? fastLaneColumns : []),
    ...(sessions.some(({ video }) => video !== undefined) ? videoColumns : []),
    ...(sessions.some(({ microphonePackets }) => microphonePackets > 0) ? microphoneColumns : []),
    ...(rates === undefined ? [] : [rateColumn(rates)]),
  ];
  const table = textTable(
    shown.map(([heading]) => heading),
    sessions.map((session) => shown.map(([, cell]) => cell(session))),
  );
  return `${table}${reasonsText(sessions)}`;
}

/** Why a viewer is not connected, or gets no picture: sentences, too long for a column. */
function reasonsText(sessions: Status['sessions']): string {
  return sessions
    .flatMap(({ id, reason, video }) => [
      ...(reason === '' ? [] : [`${printable(id)}: ${printable(reason)}\n`]),
      ...(video === undefined || video.reason === ''
        ? []
        : [`${printable(id)}, picture: ${printable(video.reason)}\n`]),
    ])
    .join('');
}

type SessionStatus = Status['sessions'][number];
type Column = readonly [heading: string, cell: (session: SessionStatus) => string];

const viewerColumns: readonly Column[] = [
  ['VIEWER', ({ id }) => id],
  ['STATE', ({ state }) => state],
  ['SINCE', ({ ageMs }) => durationText(ageMs)],
  ['VIA', ({ candidateType }) => (candidateType === '' ? '–' : candidateType)],
  ['RTT', ({ roundTripMs }) => millisecondsText(roundTripMs)],
  ['JITTER', ({ jitterMs }) => `${jitterMs.toFixed(1)} ms`],
  ['LOSS', ({ fractionLost }) => `${(fractionLost * 100).toFixed(1)} %`],
  ['PACKETS', ({ packetsSent }) => String(packetsSent)],
  ['SENT AGAIN', ({ packetsRetransmitted }) => String(packetsRetransmitted)],
];

/** What the viewer hears, and how late; only shown when one speaks the fast lane. */
const fastLaneColumns: readonly Column[] = [
  ['HEARS', ({ fastLane }) => (fastLane?.sounding === true ? 'fast lane' : 'track')],
  ['DELAY', ({ fastLane }) => millisecondsText(fastLane?.report.delayMs)],
];

/** What the viewer sees; only shown on a device with a picture. */
const videoColumns: readonly Column[] = [
  [
    'PICTURES',
    ({ video }) => {
      if (video === undefined) return '–';
      return video.reason === '' ? String(video.framesSent) : 'none';
    },
  ],
  ['MISSED', ({ video }) => (video === undefined ? '–' : String(video.framesDropped))],
  [
    'PATH CARRIES',
    ({ video }) =>
      video === undefined || video.targetKbps < 0 ? '–' : `${video.targetKbps.toFixed(0)} kbps`,
  ],
];

/** What arrives of a viewer's microphone; only shown when one has sent. */
const microphoneColumns: readonly Column[] = [
  ['MIC PACKETS', ({ microphonePackets }) => String(microphonePackets)],
  ['MIC LOST', ({ microphoneLost }) => String(microphoneLost)],
  ['MIC JITTER', ({ microphoneJitterMs }) => `${microphoneJitterMs.toFixed(1)} ms`],
];

const rateColumn = (rates: ReadonlyMap<string, SessionRates>): Column => [
  'RATE',
  ({ id }) => rateText(rates.get(id)),
];

function rateText(rate: SessionRates | undefined): string {
  return rate === undefined
    ? '–'
    : `${rate.packetsPerS.toFixed(0)}/s, ${(rate.bitsPerS / 1_000).toFixed(0)} kbps`;
}

/** What a session got per second between two looks at it. */
export interface SessionRates {
  readonly packetsPerS: number;
  readonly bitsPerS: number;
}

/** Rates of the sessions that were there both times, by the device's own clock. */
export function sessionRates(before: Status, after: Status): Map<string, SessionRates> {
  const seconds = (after.uptimeMs - before.uptimeMs) / 1_000;
  const rates = new Map<string, SessionRates>();
  if (seconds <= 0) return rates;
  for (const session of after.sessions) {
    const earlier = before.sessions.find(({ id }) => id === session.id);
    if (earlier === undefined) continue;
    rates.set(session.id, {
      packetsPerS: (session.packetsSent - earlier.packetsSent) / seconds,
      bitsPerS: ((session.bytesSent - earlier.bytesSent) * 8) / seconds,
    });
  }
  return rates;
}

/** Faults per second between two looks. */
export function faultRates(before: Status, after: Status) {
  const seconds = (after.uptimeMs - before.uptimeMs) / 1_000;
  const perS = (name: 'xruns' | 'reopens' | 'droppedFrames'): number =>
    seconds <= 0 ? 0 : (after.audio[name] - before.audio[name]) / seconds;
  return {
    xrunsPerS: perS('xruns'),
    reopensPerS: perS('reopens'),
    droppedFramesPerS: perS('droppedFrames'),
  };
}
