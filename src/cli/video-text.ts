import type { VideoStatus } from '../api/schema.ts';
import type { CliIo } from './cli-io.ts';
import { colour, countText, printable, textFields } from './text-table.ts';

/** The host's picture for people. */

const signals = {
  ok: 'there is a picture',
  opening: 'nobody watches',
  'no-signal': 'no signal',
  unsupported: 'a signal that cannot be taken',
  lost: 'the capture device is not there',
} as const satisfies Record<VideoStatus['signal'], string>;

/** Signal, size, rate, and what encoding costs. */
export function videoText(status: VideoStatus, io: CliIo): string {
  const { signal, reason, device } = status;
  const isFault = signal !== 'ok' && signal !== 'opening';
  const words = isFault ? colour(io, 'red', signals[signal]) : signals[signal];
  return textFields([
    ['Picture', `${device} (${words}${reason === '' ? '' : `: ${printable(reason)}`})`],
    ['Size', sizeText(status)],
    ['Encoding', encodingText(status)],
    [
      'Pictures',
      [
        `${status.framesEncoded} encoded`,
        countText(status.keyframes, 'keyframe'),
        `${status.framesDropped} dropped`,
      ].join(', '),
    ],
  ]);
}

function sizeText({ width, height, framesPerSecond, codec }: VideoStatus): string {
  if (width === 0) return 'not known yet';
  return `${width} × ${height}, ${framesPerSecond.toFixed(1)} pictures a second, ${codec === 'h264' ? 'H.264' : 'VP8'}`;
}

function encodingText(status: VideoStatus): string {
  if (status.framesPerSecond === 0) return 'nothing is encoded at the moment';
  return [
    `${status.measuredKbps.toFixed(0)} of ${status.bitrateKbps} kbps`,
    `${status.encodeMeanMs.toFixed(1)} ms a picture`,
    `at most ${status.encodeMaxMs.toFixed(1)} ms`,
    `${status.captureToEncodedMs.toFixed(1)} ms from the capture`,
  ].join(', ');
}
