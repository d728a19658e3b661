import { type Definition, labelled, type Metric } from './metric.ts';
import type { MetricSources } from './metric-sources.ts';

type IpcStats = ReturnType<MetricSources['ipc']>[number]['stats'];

function ipc(definition: Definition, read: (stats: IpcStats) => number): Metric {
  return labelled('counter', definition, ['child'], (sources) =>
    sources.ipc().map(({ child, stats }) => ({ labels: { child }, value: read(stats) })),
  );
}

/** Metrics of the channels between the main process and its children. */
export const ipcMetrics: readonly Metric[] = [
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
    ({ mediaDropped }) =>
      mediaDropped.opus + mediaDropped.video + mediaDropped.pcm + mediaDropped.picture,
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
