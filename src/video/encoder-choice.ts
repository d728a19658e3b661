import { EarshotError } from '../errors/earshot-error.ts';
import { automaticEncoders, encoderElements } from './pipelines.ts';
import { type EncoderChoice, type VideoEncoder, videoEncoders } from './video-config.ts';

/** Every element that an encoder could be. */
export const encoderElementNames: readonly string[] = Object.values(encoderElements);

/**
 * The encoder that runs, of those whose element is present. Without knowing (GStreamer reads its plugins
 * anew, which can take longer than a start may) it is the one chosen, or VP8. Throws VIDEO_ENCODER_MISSING.
 */
export function resolveEncoder(
  choice: EncoderChoice,
  present: ReadonlySet<string> | undefined,
): VideoEncoder {
  if (present === undefined) return choice === 'auto' ? 'vp8' : choice;
  const isPresent = (encoder: VideoEncoder) => present.has(encoderElements[encoder]);
  const found = choice === 'auto' ? automaticEncoders.find(isPresent) : choice;
  if (found !== undefined && isPresent(found)) return found;
  const wanted = choice === 'auto' ? 'vp8' : choice;
  const there = videoEncoders.filter(isPresent);
  throw new EarshotError(
    'VIDEO_ENCODER_MISSING',
    `The video encoder "${wanted}" needs GStreamer's element ${encoderElements[wanted]}, which is not installed; ${there.length === 0 ? 'no encoder is' : `there is ${there.join(', ')}`}.`,
    { details: { encoder: choice, allowed: there } },
  );
}
