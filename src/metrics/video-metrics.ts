import { fromStats, type Metric, plain } from './metric.ts';

const stats = fromStats(({ video }) => video());

/** Metrics of the video child: the host's picture up to its last encoded byte. */
export const videoMetrics: readonly Metric[] = [
  stats(
    'gauge',
    ['earshot_video_signal', '1', '1 while pictures come from the host.'],
    ({ signal }) => Number(signal === 'ok'),
  ),
  stats('gauge', ['earshot_video_width', '1', 'Width of the picture.'], ({ width }) => width),
  stats('gauge', ['earshot_video_height', '1', 'Height of the picture.'], ({ height }) => height),
  stats(
    'gauge',
    ['earshot_video_frames_per_second', '1', 'Pictures encoded in the last second.'],
    ({ framesPerSecond }) => framesPerSecond,
  ),
  stats(
    'gauge',
    ['earshot_video_target_bits_per_second', '1', 'Bitrate the encoder is set to.'],
    ({ bitrateKbps }) => bitrateKbps * 1e3,
  ),
  stats(
    'gauge',
    ['earshot_video_bits_per_second', '1', 'Bitrate it made in the last second.'],
    ({ measuredKbps }) => measuredKbps * 1e3,
  ),
  stats(
    'counter',
    ['earshot_video_frames_encoded_total', '1', 'Pictures encoded.'],
    ({ framesEncoded }) => framesEncoded,
  ),
  stats(
    'counter',
    ['earshot_video_keyframes_total', '1', 'Of those, keyframes.'],
    ({ keyframes }) => keyframes,
  ),
  stats(
    'counter',
    [
      'earshot_video_frames_dropped_total',
      '1',
      'Pictures dropped before the encoder because it was busy, and behind it because nobody took them.',
    ],
    ({ framesDropped }) => framesDropped,
  ),
  stats(
    'gauge',
    ['earshot_video_encode_mean_seconds', 'seconds', 'Encoder time of one picture, last second.'],
    ({ encodeMeanMs }) => encodeMeanMs / 1e3,
  ),
  stats(
    'gauge',
    ['earshot_video_encode_max_seconds', 'seconds', 'The longest of them.'],
    ({ encodeMaxMs }) => encodeMaxMs / 1e3,
  ),
  stats(
    'gauge',
    [
      'earshot_video_capture_to_encoded_seconds',
      'seconds',
      'From the capture of a picture to its last encoded byte, mean of the last second.',
    ],
    ({ captureToEncodedMs }) => captureToEncodedMs / 1e3,
  ),
  stats(
    'counter',
    ['earshot_video_reopens_total', '1', 'Times the capture device was opened anew.'],
    ({ reopens }) => reopens,
  ),
  plain(
    'gauge',
    ['earshot_video_viewers', '1', 'Viewers that get the picture.'],
    ({ media }) => media().video.viewers,
  ),
  plain(
    'counter',
    ['earshot_video_frames_sent_total', '1', 'Pictures sent, summed over the viewers.'],
    ({ media }) => media().video.framesSent,
  ),
  plain(
    'counter',
    [
      'earshot_video_sending_dropped_total',
      '1',
      'Pictures that one viewer missed, since its socket or its path could not take them.',
    ],
    ({ media }) => media().video.framesDropped,
  ),
  plain(
    'counter',
    [
      'earshot_video_rtp_packets_sent_total',
      '1',
      'RTP packets of the picture, repeats not counted.',
    ],
    ({ media }) => media().video.packetsSent,
  ),
  plain(
    'counter',
    ['earshot_video_rtp_sent_bytes_total', 'bytes', 'Bytes of those packets.'],
    ({ media }) => media().video.bytesSent,
  ),
  plain(
    'counter',
    ['earshot_video_rtp_packets_retransmitted_total', '1', 'Packets sent again on NACK.'],
    ({ media }) => media().video.packetsRetransmitted,
  ),
  plain(
    'counter',
    [
      'earshot_video_rtp_packets_padding_total',
      '1',
      'Packets sent again to see what a path carries.',
    ],
    ({ media }) => media().video.packetsPadding,
  ),
  plain(
    'counter',
    ['earshot_video_keyframes_wanted_total', '1', 'Keyframes that viewers asked for.'],
    ({ media }) => media().video.keyframesWanted,
  ),
  plain(
    'counter',
    ['earshot_video_keyframes_requested_total', '1', 'Keyframes that the encoder was asked for.'],
    ({ media }) => media().video.keyframesRequested,
  ),
];
