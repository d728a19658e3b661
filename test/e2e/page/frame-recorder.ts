import { opusPacketSamples } from '../../../src/audio/opus-packet.ts';

/** One packet of sound as it came off the wire, before the jitter buffer. */
export interface ReceivedFrame {
  readonly sequenceNumber: number;
  readonly rtpTimestamp: number;
  /** That it decodes to, at 48 kHz. */
  readonly samples: number;
  /** When the browser's network thread had it, where it says so (Chromium does); ms of performance.now(). */
  readonly arrivalMs: number;
}

/** Chromium's access to encoded frames (the form before WebRTC Encoded Transform); not in TypeScript's DOM types. */
interface EncodedStreams {
  readonly readable: ReadableStream<RTCEncodedAudioFrame>;
  readonly writable: WritableStream<RTCEncodedAudioFrame>;
}

function encodedStreams(receiver: RTCRtpReceiver): EncodedStreams {
  const create: unknown = Reflect.get(receiver, 'createEncodedStreams');
  if (typeof create !== 'function') throw new Error('this browser gives no encoded frames');
  return create.call(receiver);
}

/** Appends every frame that `receiver` gets to `frames` and hands it on unchanged. The connection must have been made with `encodedInsertableStreams`. */
export function recordFrames(receiver: RTCRtpReceiver, frames: ReceivedFrame[]): void {
  const { readable, writable } = encodedStreams(receiver);
  const watch = new TransformStream<RTCEncodedAudioFrame, RTCEncodedAudioFrame>({
    transform(frame, controller) {
      const metadata = frame.getMetadata();
      const { sequenceNumber, rtpTimestamp } = metadata;
      const received: unknown = Reflect.get(metadata, 'receiveTime');
      frames.push({
        sequenceNumber: sequenceNumber ?? -1,
        rtpTimestamp: rtpTimestamp ?? -1,
        samples: opusPacketSamples(new Uint8Array(frame.data)),
        // Without it, the time at which this page got around to the packet.
        arrivalMs: typeof received === 'number' ? received : performance.now(),
      });
      controller.enqueue(frame);
    },
  });
  void readable.pipeThrough(watch).pipeTo(writable);
}
