/** What the payload of a `video` frame can be encoded in; offers and the API call them by these names too. */
export const videoCodecs = ['vp8', 'h264'] as const;
export type VideoCodec = (typeof videoCodecs)[number];
