import { fastLaneWays } from '../media/fast-lane-packets.ts';
import type { FastLaneStatus } from '../media/fast-lane-sender.ts';
import { labelled, type Metric, plain } from './metric.ts';
import type { MetricSources } from './metric-sources.ts';

/** Metrics of the fast lane (src/media/FAST-LANE.md), and of what viewers report that they hear of it. */
export const fastLaneMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    [
      'earshot_fast_lane_sessions',
      '1',
      'Viewers whose player speaks with the device, by the way it does; it may hear the track for now.',
    ],
    ['via'],
    (sources) => {
      const lanes = lanesOf(sources);
      return fastLaneWays.map((via) => ({
        labels: { via },
        value: lanes.filter((lane) => lane.via === via).length,
      }));
    },
  ),
  plain(
    'gauge',
    ['earshot_fast_lane_sounding', '1', 'Viewers who hear the fast lane and not the track.'],
    (sources) => lanesOf(sources).filter(({ sounding }) => sounding).length,
  ),
  plain(
    'gauge',
    ['earshot_fast_lane_redundancy', '1', 'Viewers of the fast lane who ask for redundancy.'],
    (sources) => lanesOf(sources).filter(({ redundancy }) => redundancy).length,
  ),
  plain(
    'counter',
    ['earshot_fast_lane_packets_sent_total', '1', 'Messages of sound sent to all viewers.'],
    ({ media }) => media().fastLane.packetsSent,
  ),
  plain(
    'counter',
    ['earshot_fast_lane_sent_bytes_total', 'bytes', 'Bytes of the messages of sound sent.'],
    ({ media }) => media().fastLane.bytesSent,
  ),
  plain(
    'counter',
    [
      'earshot_fast_lane_redundant_packets_sent_total',
      '1',
      'Of those messages, the ones with the packet before in them.',
    ],
    ({ media }) => media().fastLane.redundantPackets,
  ),
  plain(
    'counter',
    [
      'earshot_fast_lane_redundant_sent_bytes_total',
      'bytes',
      'Bytes that redundancy took of them.',
    ],
    ({ media }) => media().fastLane.redundantBytes,
  ),
  labelled(
    'counter',
    [
      'earshot_fast_lane_messages_dropped_total',
      '1',
      'Messages dropped; `queue`: sound that a viewer’s channel or WebSocket could not take, `malformed` and `rate`: messages of viewers.',
    ],
    ['reason'],
    ({ media }) =>
      Object.entries(media().fastLane.drops).map(([reason, value]) => ({
        labels: { reason },
        value,
      })),
  ),
  heard('packets_received', 'received', 'Packets that viewers say they got.'),
  heard('packets_lost', 'lost', 'Packets that viewers say never came and were not recovered.'),
  heard('packets_recovered', 'recovered', 'Packets that viewers recovered by redundancy.'),
  heard('packets_late', 'late', 'Packets that came after their time, as viewers say.'),
  heard('packets_malformed', 'malformed', 'Messages that viewers could not read or decode.'),
  heard('concealed_seconds', 'concealedMs', 'Sound that viewers made up for lost packets.'),
  heard('underrun_seconds', 'underrunMs', 'Silence in viewers’ sound for want of packets.'),
  worst(
    'worst_delay',
    'delayMs',
    'Longest delay from capture to the speaker among the viewers who hear the fast lane',
  ),
  worst('worst_target', 'targetMs', 'Largest target of their jitter buffers'),
  worst('worst_jitter', 'jitterMs', 'Largest jitter of the packets’ arrivals at them'),
];

type Report = FastLaneStatus['report'];

function lanesOf({ sessions }: MetricSources): FastLaneStatus[] {
  return sessions().flatMap(({ fastLane }) => (fastLane === null ? [] : [fastLane]));
}

/** A total of what viewers reported. */
function heard(
  name: string,
  field: keyof ReturnType<MetricSources['media']>['fastLane']['heard'],
  help: string,
): Metric {
  const isTime = field.endsWith('Ms');
  return plain(
    'counter',
    [`earshot_fast_lane_${name}_total`, isTime ? 'seconds' : '1', help],
    ({ media }) => media().fastLane.heard[field] / (isTime ? 1e3 : 1),
  );
}

/** The largest of a time that viewers who hear the fast lane last reported. */
function worst(name: string, field: 'delayMs' | 'targetMs' | 'jitterMs', help: string): Metric {
  return plain(
    'gauge',
    [
      `earshot_fast_lane_${name}_seconds`,
      'seconds',
      `${help}, as they last said; absent when nobody does.`,
    ],
    (sources) => {
      const known = lanesOf(sources)
        .filter(({ sounding }) => sounding)
        .map(({ report }: { readonly report: Report }) => report[field])
        .filter((value) => value >= 0);
      return known.length === 0 ? undefined : Math.max(...known) / 1e3;
    },
  );
}
