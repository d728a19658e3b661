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

/** Milliseconds as a browser measures them; NaN is no JSON, and what is beyond an hour is no measurement. */
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(-3_600_000), v.maxValue(3_600_000));
const serial = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

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
  /** The viewer's network changed: a new offer with new ICE credentials for the peer connection there is. At most once in 2 s. */
  v.strictObject({ type: v.literal('ice_restart_request') }),
  /** Sound and picture as displayed are apart (REFERENCE 1b): sound leads by so much. At most once a second. */
  v.strictObject({
    type: v.literal('av_sync_feedback'),
    kind: v.literal('video_late_audio_leads'),
    epoch: serial,
    segment: serial,
    /** Mean time in the jitter buffer, video less audio, over the segment. */
    delta_ms: milliseconds,
    /** How much later than the first of the epoch pictures of the segment are shown. */
    excess_ms: milliseconds,
    /** What plays the sound. */
    lane: v.picklist(['track', 'fast']),
  }),
  /** Puts the flash and the chirp into this viewer's stream, or ends it. */
  v.strictObject({ type: v.literal('av_calibration_config'), enabled: v.boolean() }),
  /** What the viewer measured of one marker: displayed flash less played chirp; positive: the picture is late. */
  v.strictObject({
    type: v.literal('av_calibration_result'),
    marker: serial,
    offset_ms: milliseconds,
    lane: v.picklist(['track', 'fast']),
  }),
]);
export type ViewerMessage = v.InferOutput<typeof viewerMessageSchema>;
/** What concerns sound and picture together. */
export type AvMessage = Extract<ViewerMessage, { type: `av_${string}` }>;

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
  /** A segment begins: two seconds of the live stream, or a clip. Its feedback names it. */
  v.strictObject({
    type: v.literal('av_segment_diagnostic'),
    epoch: serial,
    segment: serial,
    kind: v.picklist(['live', 'clip']),
    /** RTP time of the video at which it begins, 90 kHz, 32 bits, as this viewer sees it; −1: no video. */
    video_rtp: v.pipe(v.number(), v.integer()),
    /** What the device holds the sound back by now, and the largest slip of a write against its deadline; ms. */
    audio_delay_ms: v.number(),
    slip_ms: v.number(),
  }),
  /** A calibration marker was put into picture and sound. */
  v.strictObject({ type: v.literal('av_calibration_marker'), marker: serial }),
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
