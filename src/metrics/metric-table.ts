import { performance } from 'node:perf_hooks';
import type { OutputStats } from '../audio/output/output-stats.ts';
import type { MetricSources } from './metric-sources.ts';

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric as data: the registry, the documentation and the tests walk these. */
export interface Metric {
  /** Named as Prometheus asks: `earshot_`, the thing, its base unit, `_total` on counters. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** Base unit; `1` for a plain number. */
  readonly unit: 'seconds' | 'bytes' | 'ratio' | 'decibels' | 'hertz' | '1';
  readonly help: string;
  readonly labels: readonly string[];
  readonly collect: (sources: MetricSources) => readonly Sample[];
}

type Definition = readonly [name: string, unit: Metric['unit'], help: string];

function plain(
  type: Metric['type'],
  [name, unit, help]: Definition,
  read: (sources: MetricSources) => number | undefined,
): Metric {
  return {
    name,
    type,
    unit,
    help,
    labels: [],
    collect: (sources) => {
      const value = read(sources);
      return value === undefined ? [] : [{ value }];
    },
  };
}

function labelled(
  type: Metric['type'],
  [name, unit, help]: Definition,
  labels: readonly string[],
  collect: Metric['collect'],
): Metric {
  return { name, type, unit, help, labels, collect };
}

const childStates = ['stopped', 'starting', 'running', 'stopping', 'backing-off', 'failed'];

const childMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    ['earshot_child_state', '1', '1 for the state a child process is in, 0 for the others.'],
    ['child', 'state'],
    ({ children }) =>
      children().flatMap(({ name, state }) =>
        childStates.map((each) => ({
          labels: { child: name, state: each },
          value: each === state ? 1 : 0,
        })),
      ),
  ),
  labelled(
    'counter',
    ['earshot_child_restarts_total', '1', 'Starts of a child process after unexpected exits.'],
    ['child'],
    ({ children }) =>
      children().map(({ name, restarts }) => ({ labels: { child: name }, value: restarts })),
  ),
  labelled(
    'gauge',
    [
      'earshot_child_cpu_ratio',
      'ratio',
      'CPU of a child process over the last second; 1 is one core.',
    ],
    ['child'],
    ({ children }) =>
      children().map(({ name, cpuPercent }) => ({
        labels: { child: name },
        value: cpuPercent / 100,
      })),
  ),
  labelled(
    'gauge',
    ['earshot_child_resident_memory_bytes', 'bytes', 'Resident memory of a child process.'],
    ['child'],
    ({ children }) =>
      children().map(({ name, rssBytes }) => ({ labels: { child: name }, value: rssBytes })),
  ),
];

/** A metric of the audio-output child; absent while it does not run. */
function output(
  type: Metric['type'],
  definition: Definition,
  read: (stats: OutputStats) => number,
): Metric {
  return plain(type, definition, ({ audioOutput }) => {
    const stats = audioOutput();
    return stats === undefined ? undefined : read(stats);
  });
}

const captureRateHz = 48_000;

const audioOutputMetrics: readonly Metric[] = [
  plain(
    'gauge',
    ['earshot_audio_output_muted', '1', '1 while the host’s sound is muted for every viewer.'],
    ({ muted }) => Number(muted()),
  ),
  output(
    'gauge',
    ['earshot_audio_output_device_open', '1', '1 while the capture device is open.'],
    ({ deviceState }) => Number(deviceState === 'open'),
  ),
  output(
    'gauge',
    [
      'earshot_audio_output_device_rate_hertz',
      'hertz',
      'Sample rate of the device; 0 while closed.',
    ],
    ({ deviceRateHz }) => deviceRateHz,
  ),
  output(
    'gauge',
    ['earshot_audio_output_device_channels', '1', 'Channels of the device; 0 while closed.'],
    ({ deviceChannels }) => deviceChannels,
  ),
  output(
    'counter',
    [
      'earshot_audio_output_captured_samples_total',
      '1',
      'Samples per channel read from the device.',
    ],
    ({ capturedSamples }) => capturedSamples,
  ),
  output(
    'counter',
    ['earshot_audio_output_encoded_frames_total', '1', 'Opus packets made.'],
    ({ encodedFrames }) => encodedFrames,
  ),
  output(
    'counter',
    ['earshot_audio_output_encoded_bytes_total', 'bytes', 'Bytes of the Opus packets made.'],
    ({ encodedBytes }) => encodedBytes,
  ),
  output(
    'counter',
    [
      'earshot_audio_output_dropped_frames_total',
      '1',
      'Opus packets dropped since nobody collected them for 100 ms.',
    ],
    ({ droppedFrames }) => droppedFrames,
  ),
  output(
    'counter',
    ['earshot_audio_output_xruns_total', '1', 'Overruns of the capture buffer (EPIPE).'],
    ({ xruns }) => xruns,
  ),
  output(
    'counter',
    ['earshot_audio_output_suspends_total', '1', 'Suspends of the device (ESTRPIPE).'],
    ({ suspends }) => suspends,
  ),
  output(
    'counter',
    ['earshot_audio_output_reopens_total', '1', 'Re-openings of the device.'],
    ({ reopens }) => reopens,
  ),
  output(
    'counter',
    [
      'earshot_audio_output_lost_seconds_total',
      'seconds',
      'Sound lost to overruns and gaps, by the sound card’s own timestamps.',
    ],
    ({ lostSamples }) => lostSamples / captureRateHz,
  ),
  output(
    'gauge',
    [
      'earshot_audio_output_encode_mean_seconds',
      'seconds',
      'Mean time to encode one packet, last second.',
    ],
    ({ encodeMeanUs }) => encodeMeanUs / 1e6,
  ),
  output(
    'gauge',
    [
      'earshot_audio_output_encode_max_seconds',
      'seconds',
      'Longest time to encode one packet, last second.',
    ],
    ({ encodeMaxUs }) => encodeMaxUs / 1e6,
  ),
  output(
    'gauge',
    [
      'earshot_audio_output_peak_decibels',
      'decibels',
      'Peak of the last second in dBFS; −120 is silence.',
    ],
    ({ peakDbfs }) => peakDbfs,
  ),
  output(
    'gauge',
    ['earshot_audio_output_rms_decibels', 'decibels', 'RMS level of the last second in dBFS.'],
    ({ rmsDbfs }) => rmsDbfs,
  ),
  output(
    'gauge',
    ['earshot_audio_output_realtime', '1', '1 when the capture thread runs with SCHED_FIFO.'],
    ({ realtime }) => Number(realtime),
  ),
];

const sessionStates = ['new', 'connecting', 'connected', 'failed', 'closed'];

const mediaMetrics: readonly Metric[] = [
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
      'earshot_media_microphone_frames_dropped_total',
      '1',
      'Microphone packets that arrived and were dropped.',
    ],
    ({ media }) => media().microphoneFramesDropped,
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

type IpcStats = ReturnType<MetricSources['ipc']>[number]['stats'];

function ipc(definition: Definition, read: (stats: IpcStats) => number): Metric {
  return labelled('counter', definition, ['child'], (sources) =>
    sources.ipc().map(({ child, stats }) => ({ labels: { child }, value: read(stats) })),
  );
}

const ipcMetrics: readonly Metric[] = [
  ipc(
    ['earshot_ipc_frames_sent_total', '1', 'Frames sent to a child over its channel.'],
    ({ framesSent }) => framesSent,
  ),
  ipc(
    ['earshot_ipc_sent_bytes_total', 'bytes', 'Bytes sent to a child over its channel.'],
    ({ bytesSent }) => bytesSent,
  ),
  ipc(
    ['earshot_ipc_frames_received_total', '1', 'Frames received from a child.'],
    ({ framesReceived }) => framesReceived,
  ),
  ipc(
    ['earshot_ipc_received_bytes_total', 'bytes', 'Bytes received from a child.'],
    ({ bytesReceived }) => bytesReceived,
  ),
  ipc(
    ['earshot_ipc_media_dropped_total', '1', 'Media frames dropped since a child read too slowly.'],
    ({ mediaDropped }) => mediaDropped.opus + mediaDropped.video + mediaDropped.pcm,
  ),
  ipc(
    ['earshot_ipc_media_stale_total', '1', 'Media frames dropped on arrival for their age.'],
    ({ mediaStale }) => mediaStale,
  ),
  ipc(
    ['earshot_ipc_sequence_gaps_total', '1', 'Frames missing between those that arrived.'],
    ({ sequenceGaps }) => sequenceGaps,
  ),
  ipc(
    [
      'earshot_ipc_invalid_messages_total',
      '1',
      'Control messages that did not match their schema.',
    ],
    ({ invalidMessages }) => invalidMessages,
  ),
  ipc(
    ['earshot_ipc_request_timeouts_total', '1', 'Requests a child did not answer in time.'],
    ({ requestTimeouts }) => requestTimeouts,
  ),
];

const apiMetrics: readonly Metric[] = [
  labelled(
    'counter',
    ['earshot_api_requests_total', '1', 'HTTP requests answered.'],
    ['method', 'route', 'status'],
    ({ api }) =>
      api().requests.map(({ method, route, status, count }) => ({
        labels: { method, route, status: String(status) },
        value: count,
      })),
  ),
  plain(
    'gauge',
    ['earshot_api_streams', '1', 'Event and log streams open now.'],
    ({ api }) => api().streamsOpen,
  ),
  plain(
    'counter',
    ['earshot_api_streams_total', '1', 'Event and log streams opened.'],
    ({ api }) => api().streamsTotal,
  ),
  plain(
    'counter',
    ['earshot_api_streams_dropped_total', '1', 'Streams ended since their reader was too slow.'],
    ({ api }) => api().streamsDropped,
  ),
  plain(
    'gauge',
    ['earshot_api_websockets', '1', 'Session WebSockets open now.'],
    ({ api }) => api().socketsOpen,
  ),
  plain(
    'counter',
    ['earshot_api_websockets_total', '1', 'Session WebSockets opened.'],
    ({ api }) => api().socketsTotal,
  ),
  plain(
    'counter',
    [
      'earshot_api_websockets_dropped_total',
      '1',
      'Session WebSockets ended by the server: silent, flooding, binary or too slow.',
    ],
    ({ api }) => api().socketsDropped,
  ),
];

const processMetrics: readonly Metric[] = [
  labelled(
    'gauge',
    ['earshot_build_info', '1', 'Always 1; the labels name the release and its runtime.'],
    ['version', 'node'],
    ({ version }) => [{ labels: { version, node: process.version }, value: 1 }],
  ),
  plain(
    'gauge',
    ['earshot_process_start_time_seconds', 'seconds', 'When the main process started, Unix time.'],
    () => performance.timeOrigin / 1e3,
  ),
  plain(
    'counter',
    ['earshot_process_cpu_seconds_total', 'seconds', 'CPU time of the main process.'],
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  ),
  plain(
    'gauge',
    ['earshot_process_resident_memory_bytes', 'bytes', 'Resident memory of the main process.'],
    () => process.memoryUsage.rss(),
  ),
  plain(
    'gauge',
    ['earshot_process_heap_used_bytes', 'bytes', 'JavaScript heap in use in the main process.'],
    () => process.memoryUsage().heapUsed,
  ),
  plain(
    'gauge',
    [
      'earshot_process_event_loop_utilization_ratio',
      'ratio',
      'Share of time the main process’s event loop was busy since it started.',
    ],
    () => performance.eventLoopUtilization().utilization,
  ),
];

/** Every metric Earshot exports, in the order of the documentation. */
export const metricTable: readonly Metric[] = [
  ...childMetrics,
  ...audioOutputMetrics,
  ...mediaMetrics,
  ...ipcMetrics,
  ...apiMetrics,
  ...processMetrics,
];
