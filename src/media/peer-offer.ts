import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import type { VideoCodec } from '../ipc/video-codec.ts';
import { offerMicrophone, offerSound } from './opus-sdp.ts';
import type { OfferedSection } from './sdp-offer.ts';
import { offerVideo } from './video-sdp.ts';

/** Ids of the sections of an offer (RFC 5888), in its order. */
export const mids = { sound: '0', microphone: '1', video: 'video', data: 'data' } as const;

export interface PeerOffer {
  readonly cname: string;
  readonly soundSsrc: number;
  readonly microphone: MicrophoneSettings;
  readonly video:
    | { readonly codec: VideoCodec; readonly ssrc: number; readonly rtxSsrc: number }
    | undefined;
  /** Sound and picture in one MediaStream, which a browser plays in step, at the delay of the slower one. */
  readonly sync: boolean;
}

/** The sections of a viewer's offer: host's sound, microphone, host's picture where there is one, data. */
export function offerSections(offer: PeerOffer): OfferedSection[] {
  const { cname, video, sync } = offer;
  const sound = offerSound({
    mid: mids.sound,
    ssrc: offer.soundSsrc,
    cname,
    streamId: sync ? 'earshot' : 'earshot-sound',
    trackId: 'host-sound',
  });
  const microphone = offerMicrophone({ mid: mids.microphone, settings: offer.microphone });
  const picture =
    video === undefined
      ? []
      : [
          offerVideo({
            ...video,
            mid: mids.video,
            cname,
            streamId: sync ? 'earshot' : 'earshot-picture',
            trackId: 'host-picture',
          }),
        ];
  return [sound, microphone, ...picture, { kind: 'application', mid: mids.data }];
}
