import { hostStates } from '../control/hid/hid-messages.ts';
import type { HidStatus } from '../control/hid/hid-status.ts';
import { hidWays } from '../media/hid-channels.ts';
import { hidDropReasons } from '../media/hid-counts.ts';
import {
  type Definition,
  fromStats,
  histogram,
  labelled,
  type Metric,
  plain,
  type Sample,
} from './metric.ts';
import type { MetricSources } from './metric-sources.ts';

const status = fromStats(({ hid }) => hid()?.status);

/** Samples of a status that is not always there, one a label's value. */
function byStatus(
  type: Metric['type'],
  definition: Definition,
  label: string,
  read: (status: HidStatus) => Readonly<Record<string, number>>,
): Metric {
  return labelled(type, definition, [label], ({ hid }) => {
    const now = hid()?.status;
    if (now === undefined) return [];
    return Object.entries(read(now)).map(([name, value]) => ({ labels: { [label]: name }, value }));
  });
}

/** Keyboard and mouse: the host, what viewers hold, and what became of their events. Absent on a device without. */
const hostMetrics: readonly Metric[] = [
  byStatus(
    'gauge',
    ['earshot_hid_host_state', '1', '1 for the state the host is in.'],
    'state',
    ({ host }) => Object.fromEntries(hostStates.map((state) => [state, Number(state === host)])),
  ),
  status(
    'gauge',
    ['earshot_hid_viewers', '1', 'Connections that may send keys.'],
    ({ viewers }) => viewers,
  ),
  status(
    'gauge',
    ['earshot_hid_held_keys', '1', 'Keys held now, whoever holds them.'],
    ({ heldKeys }) => heldKeys,
  ),
  status(
    'gauge',
    ['earshot_hid_held_buttons', '1', 'Buttons held now.'],
    ({ heldButtons }) => heldButtons,
  ),
  status('gauge', ['earshot_hid_jiggler', '1', '1 while the jiggler is on.'], ({ jiggler }) =>
    Number(jiggler.enabled),
  ),
  status('gauge', ['earshot_hid_typing', '1', '1 while a text or a macro is typed.'], ({ task }) =>
    Number(task !== null),
  ),
  byStatus(
    'counter',
    [
      'earshot_hid_events_total',
      '1',
      'Events of viewers; `key`: keys, buttons and wheel turns, `pointer`: motions before coalescing.',
    ],
    'kind',
    ({ counts }) => ({ key: counts.keyEvents, pointer: counts.pointerEvents }),
  ),
  byStatus(
    'counter',
    ['earshot_hid_reports_total', '1', 'Reports that the host took, and did not take.'],
    'result',
    ({ counts }) => ({ taken: counts.reportsTaken, failed: counts.reportsFailed }),
  ),
  byStatus(
    'counter',
    [
      'earshot_hid_events_dropped_total',
      '1',
      'Events that never reached the host; `malformed`: no message of the protocol, `stale`: a pointer’s after a newer one, `key`: keys, buttons and wheel turns that were too many, too late, or had no host.',
    ],
    'reason',
    ({ counts }) => ({ malformed: counts.malformed, stale: counts.stale, key: counts.dropped }),
  ),
  status(
    'counter',
    [
      'earshot_hid_dead_man_total',
      '1',
      'Times all a viewer held was released since it was silent.',
    ],
    ({ counts }) => counts.deadMan,
  ),
  status(
    'counter',
    ['earshot_hid_overflows_total', '1', 'Times a viewer sent more than the device takes.'],
    ({ counts }) => counts.overflows,
  ),
  status(
    'counter',
    ['earshot_hid_answers_unsent_total', '1', 'Messages that a viewer’s connection did not take.'],
    ({ counts }) => counts.unsent,
  ),
  histogram(
    [
      'earshot_hid_latency_seconds',
      'seconds',
      'From a viewer’s event to the write of its report; `keys` with buttons and wheel.',
    ],
    ['kind'],
    ({ hid }) => {
      const latency = hid()?.latency;
      if (latency === undefined) return [];
      return [
        { labels: { kind: 'keys' }, ...latency.keys },
        { labels: { kind: 'pointer' }, ...latency.pointer },
      ];
    },
  ),
];

const mediaHid = ({ media }: MetricSources) => media().hid;

/** The messages of keyboard and pointer on their way from and to the viewers. */
const messageMetrics: readonly Metric[] = [
  labelled(
    'counter',
    [
      'earshot_hid_messages_received_total',
      '1',
      'Messages of viewers, by the data channel (`keys`, `pointer`) or the WebSocket they came by.',
    ],
    ['way'],
    (sources) =>
      hidWays.map((way) => ({ labels: { way }, value: mediaHid(sources).received[way] })),
  ),
  labelled(
    'counter',
    [
      'earshot_hid_messages_dropped_total',
      '1',
      'Messages of viewers that were dropped; `rate`: too many, `size`: too long, `no-keys`: while the channel of the keys was not open.',
    ],
    ['way', 'reason'],
    (sources) => {
      const { dropped } = mediaHid(sources);
      return hidWays.flatMap((way) =>
        hidDropReasons.map((reason): Sample => {
          return { labels: { way, reason }, value: dropped[way][reason] };
        }),
      );
    },
  ),
  plain(
    'counter',
    ['earshot_hid_messages_sent_total', '1', 'Messages sent to viewers.'],
    (sources) => mediaHid(sources).sent,
  ),
  plain(
    'counter',
    ['earshot_hid_messages_unsent_total', '1', 'Messages that a viewer’s way did not take.'],
    (sources) => mediaHid(sources).unsent,
  ),
  plain(
    'counter',
    [
      'earshot_hid_channel_overflows_total',
      '1',
      'Channels of keys closed since the viewer did not take what it was sent.',
    ],
    (sources) => mediaHid(sources).overflows,
  ),
];

/** Metrics of keyboard and mouse. */
export const hidMetrics: readonly Metric[] = [...hostMetrics, ...messageMetrics];
