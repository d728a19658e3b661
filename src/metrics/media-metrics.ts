import { labelled, type Metric, plain } from './metric.ts';

const sessionStates = ['new', 'connecting', 'connected', 'failed', 'closed'];

/** Metrics of the viewers and what is sent to them. */
export const mediaMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    ['earshot_media_sessions', '1', 'Viewer sessions by state.'],
    ['state'],
    ({ sessions }) => {
      const now = sessions();
      return sessionStates.map((state) => ({
        labels: { state },
        value: now.filter((session) => session.state === state).length,
      }));
    },
  ),
  plain(
    'counter',
    ['earshot_media_sessions_total', '1', 'Viewer sessions begun.'],
    ({ media }) => media().sessionsTotal,
  ),
  plain(
    'counter',
    [
      'earshot_media_connections_failed_total',
      '1',
      'Times the connection to a viewer failed, when it was made or later.',
    ],
    ({ media }) => media().connectionsFailed,
  ),
  plain(
    'counter',
    ['earshot_media_frames_published_total', '1', 'Opus packets handed out to the viewers.'],
    ({ media }) => media().framesPublished,
  ),
  plain(
    'counter',
    [
      'earshot_media_frames_dropped_total',
      '1',
      'Opus packets dropped for one viewer since its socket could not take them.',
    ],
    ({ media }) => media().framesDropped,
  ),
  plain(
    'counter',
    ['earshot_media_rtp_packets_sent_total', '1', 'RTP packets sent to all viewers.'],
    ({ media }) => media().packetsSent,
  ),
  plain(
    'counter',
    ['earshot_media_rtp_sent_bytes_total', 'bytes', 'Bytes of the RTP packets sent.'],
    ({ media }) => media().bytesSent,
  ),
  plain(
    'counter',
    ['earshot_media_rtp_packets_retransmitted_total', '1', 'RTP packets sent again on NACK.'],
    ({ media }) => media().packetsRetransmitted,
  ),
  plain(
    'counter',
    ['earshot_media_datagrams_refused_total', '1', 'Datagrams the ingress guard refused.'],
    ({ media }) => media().datagramsRefused,
  ),
  plain(
    'counter',
    [
      'earshot_media_tcp_connections_accepted_total',
      '1',
      'TCP connections accepted on the media port.',
    ],
    ({ media }) => media().tcp.accepted,
  ),
  labelled(
    'counter',
    [
      'earshot_media_tcp_connections_closed_total',
      '1',
      'TCP connections that the device closed; `refused`: too many were open, `stranger`: nothing authenticated came in time, or first, `malformed`: a frame longer than any datagram, `idle`: a long silence.',
    ],
    ['reason'],
    ({ media }) => {
      const { refused, strangers, malformed, idle } = media().tcp;
      return Object.entries({ refused, stranger: strangers, malformed, idle }).map(
        ([reason, value]) => ({ labels: { reason }, value }),
      );
    },
  ),
  plain(
    'counter',
    [
      'earshot_media_tcp_datagrams_dropped_total',
      '1',
      'Datagrams dropped since their TCP connection could not take them.',
    ],
    ({ media }) => media().tcp.dropped,
  ),
  plain(
    'counter',
    ['earshot_media_microphone_packets_total', '1', 'Microphone packets accepted from viewers.'],
    ({ media }) => media().microphonePackets,
  ),
  plain(
    'counter',
    ['earshot_media_microphone_received_bytes_total', 'bytes', 'Bytes of Opus in them.'],
    ({ media }) => media().microphoneBytes,
  ),
  plain(
    'gauge',
    [
      'earshot_media_microphone_packets_lost',
      '1',
      'Microphone packets that never arrived, by their sequence numbers since the start; one that comes late or twice takes one off again (RFC 3550 §6.4.1).',
    ],
    ({ media }) => media().microphoneLost,
  ),
  labelled(
    'counter',
    [
      'earshot_media_microphone_frames_dropped_total',
      '1',
      'Microphone packets that arrived and were dropped; `floor`: its viewer does not hold the microphone.',
    ],
    ['reason'],
    ({ media }) =>
      Object.entries(media().microphoneDrops).map(([reason, value]) => ({
        labels: { reason },
        value,
      })),
  ),
  plain(
    'gauge',
    [
      'earshot_media_microphone_worst_jitter_seconds',
      'seconds',
      'Largest inter-arrival jitter of a viewer’s microphone (RFC 3550 §6.4.1); absent while none arrived.',
    ],
    ({ sessions }) => {
      const sending = sessions().filter((session) => session.microphonePackets > 0);
      return sending.length === 0
        ? undefined
        : Math.max(...sending.map((session) => session.microphoneJitterMs)) / 1e3;
    },
  ),
  plain(
    'counter',
    ['earshot_media_gaps_skipped_total', '1', 'RTP clock skips for real gaps in capture.'],
    ({ media }) => media().gapsSkipped,
  ),
  plain(
    'gauge',
    [
      'earshot_media_worst_round_trip_seconds',
      'seconds',
      'Longest round trip among the connected viewers; absent when unknown.',
    ],
    ({ sessions }) => {
      const known = sessions().filter((session) => session.roundTripMs >= 0);
      return known.length === 0
        ? undefined
        : Math.max(...known.map((session) => session.roundTripMs)) / 1e3;
    },
  ),
  plain(
    'gauge',
    [
      'earshot_media_worst_loss_ratio',
      'ratio',
      'Largest fraction of packets lost in the last report of a viewer; absent without viewers.',
    ],
    ({ sessions }) => {
      const now = sessions();
      return now.length === 0 ? undefined : Math.max(...now.map((session) => session.fractionLost));
    },
  ),
];
