import * as v from 'valibot';

/**
 * Messages of the session WebSocket (`/api/v1/session`), JSON, one object a text frame. The device
 * offers; candidates trickle both ways (RFC 8838) and may arrive before the description they belong to.
 */

const sdp = v.pipe(v.string(), v.minLength(1), v.maxLength(32 * 1024));

const iceCandidate = v.strictObject({
  type: v.literal('ice_candidate'),
  /** A candidate line (RFC 8839 §5.1); empty for end-of-candidates. */
  candidate: v.pipe(v.string(), v.maxLength(1_024)),
  sdp_mid: v.nullable(v.pipe(v.string(), v.maxLength(64))),
  sdp_mline_index: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(64))),
});

/** What a viewer may send. */
export const viewerMessageSchema = v.variant('type', [
  /** The page is ready for an offer. */
  v.strictObject({ type: v.literal('webrtc_ready') }),
  v.strictObject({ type: v.literal('webrtc_answer'), sdp }),
  iceCandidate,
  /** Build the peer connection anew; the session lives on. At most once in 2 s. */
  v.strictObject({
    type: v.literal('direct_media_reset_request'),
    reason: v.optional(v.pipe(v.string(), v.maxLength(200))),
  }),
  /** The first sound is playing. */
  v.strictObject({ type: v.literal('client_media_ready') }),
]);
export type ViewerMessage = v.InferOutput<typeof viewerMessageSchema>;

/** What the device sends. */
export const deviceMessageSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('webrtc_config'),
    session_id: v.string(),
    ice_servers: v.array(
      v.strictObject({
        urls: v.array(v.string()),
        username: v.optional(v.string()),
        credential: v.optional(v.string()),
      }),
    ),
  }),
  v.strictObject({ type: v.literal('webrtc_offer'), sdp }),
  iceCandidate,
  /** Connection state in one word, and in a sentence when something went wrong. */
  v.strictObject({
    type: v.literal('session_state'),
    state: v.picklist(['new', 'connecting', 'connected', 'failed', 'closed']),
    reason: v.optional(v.string()),
  }),
  /** The viewer's message was refused. */
  v.strictObject({ type: v.literal('error'), code: v.string(), message: v.string() }),
]);
export type DeviceMessage = v.InferOutput<typeof deviceMessageSchema>;
