import type { VideoStatus } from '../../api/schema.ts';
import type { ConnectionState } from '../connection-state.ts';
import { formatNumber } from '../format.ts';
import type { VideoNumbers } from '../video-stats.ts';
import type { PictureState } from './picture-state.ts';

const signalTexts: Readonly<Record<VideoStatus['signal'], string>> = {
  ok: '',
  opening: 'The device is opening the picture.',
  'no-signal': 'No signal from the host.',
  unsupported: 'The host sends a picture that the device cannot take.',
  lost: 'The device that captures the picture is gone.',
};

const codecNames = { vp8: 'VP8', h264: 'H.264' } as const;

/** Whether this browser decodes what the device encodes; so far as either says. */
export function canDecode(
  codec: VideoStatus['codec'] | undefined,
  capabilities = RTCRtpReceiver.getCapabilities('video'),
): boolean {
  if (codec === undefined || codec === null || capabilities === null) return true;
  return capabilities.codecs.some(({ mimeType }) => mimeType.toLowerCase() === `video/${codec}`);
}

/** What stands in place of the picture while there is none; empty while there is one. */
export function placeholderWords({
  connection,
  status,
  picture,
  decodes = true,
}: {
  readonly connection: ConnectionState['kind'];
  readonly status: VideoStatus | undefined;
  readonly picture: Pick<PictureState, 'shown'>;
  /** See {@link canDecode}. */
  readonly decodes?: boolean;
}): string {
  if (picture.shown) return '';
  if (!decodes && status?.codec) {
    return `This browser cannot decode ${codecNames[status.codec]}, in which the device sends the picture.`;
  }
  if (connection !== 'connected') return 'The picture comes with the connection.';
  const text = status === undefined ? '' : signalTexts[status.signal];
  return text === '' ? 'Waiting for the first picture.' : withReason(text, status);
}

/** What is said over a picture that is there; empty when all is well. */
export function overlayWords(
  { shown, stillMs }: Pick<PictureState, 'shown' | 'stillMs'>,
  status: VideoStatus | undefined,
): string {
  if (!shown) return '';
  if (stillMs > 0) return `The picture stands still for ${Math.round(stillMs / 1_000)} s.`;
  // What is shown then is the device's own slate.
  const text = status === undefined ? '' : signalTexts[status.signal];
  return text === '' ? '' : withReason(text, status);
}

function withReason(text: string, status: VideoStatus | undefined): string {
  const reason = status?.reason.trim() ?? '';
  return reason === '' ? text : `${text} ${reason}`;
}

/** E.g. `1280×720 · 30 fps · 1500 kbps · VP8`. */
export function figuresText(numbers: VideoNumbers | undefined): string {
  if (numbers?.width === undefined || numbers.height === undefined) return '';
  const parts = [
    `${numbers.width}×${numbers.height}`,
    `${formatNumber(numbers.framesPerSecond, 0)} fps`,
    `${formatNumber(numbers.bitrateKbps, 0)} kbps`,
    numbers.codec ?? '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}
