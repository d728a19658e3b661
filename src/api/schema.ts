import * as v from 'valibot';
import { encoderSettingsSchema } from '../audio/encoder-settings.ts';
import { inputDeviceStates, inputStatsSchema } from '../audio/input/input-stats.ts';
import { microphoneSettingsSchema } from '../audio/microphone-settings.ts';
import { presetNames } from '../audio/presets.ts';
import type { HidStatus } from '../control/hid/hid-status.ts';
import { machineNameSchema, macSchema } from '../control/power/power-config.ts';
import {
  type PowerStatus,
  type PressAnswer,
  powerStatusSchema,
  pressAnswerSchema,
  type WakeAnswer,
  wakeAnswerSchema,
} from '../control/power/power-status.ts';
import { breakMsSchema, defaultBreakMs } from '../control/serial/console-messages.ts';
import { setSerialLineSchema } from '../control/serial/serial-line.ts';
import { type SerialStatus, serialStatusSchema } from '../control/serial/serial-status.ts';
import { videoCodecs } from '../ipc/video-codec.ts';
import { fastLaneWays } from '../media/fast-lane-packets.ts';
import { type VideoStatus, videoStatusSchema } from '../video/video-status.ts';

/**
 * Bodies of the HTTP API under /api/v1, shared by the server, the page and the command. Requests are
 * validated with these; answers are typed by them.
 */

export const qualityNames = [...presetNames, 'custom'] as const;
export type QualityName = (typeof qualityNames)[number];

/** POST /audio/quality. `custom` needs `custom` with it unless one was set before. */
export const setQualitySchema = v.strictObject({
  quality: v.picklist(qualityNames),
  custom: v.optional(encoderSettingsSchema),
});
export type SetQuality = v.InferOutput<typeof setQualitySchema>;

/** GET and POST /audio/quality. */
export const qualitySchema = v.strictObject({
  quality: v.picklist(qualityNames),
  /** What the encoder runs with now (a board may lower the complexity). */
  effective: encoderSettingsSchema,
  /** Every preset as this board would run it, for the selector. */
  presets: v.record(v.picklist(presetNames), encoderSettingsSchema),
  /** How the last change reached the encoder; `pending`: the child is not running and has it from its next start on. */
  applied: v.picklist(['live', 'restart', 'pending']),
});
export type Quality = v.InferOutput<typeof qualitySchema>;

/** POST /audio/mute, and its answer. */
export const muteSchema = v.strictObject({ muted: v.boolean() });
export type Mute = v.InferOutput<typeof muteSchema>;

/** POST /audio/device and /microphone/device: choose a device by an id of the list of devices beside it. */
export const setDeviceSchema = v.strictObject({ device: v.pipe(v.string(), v.maxLength(256)) });

/** GET /audio/devices and /microphone/devices. */
export const devicesSchema = v.strictObject({
  current: v.string(),
  devices: v.array(
    v.strictObject({
      /** What `audio.output.device` and `audio.input.device` take, e.g. `hw:CARD=UAC1Gadget,DEV=0`. */
      id: v.string(),
      description: v.string(),
    }),
  ),
});
export type Devices = v.InferOutput<typeof devicesSchema>;

/** One supervised child in GET /status. */
export const childStatusSchema = v.strictObject({
  name: v.string(),
  state: v.picklist(['stopped', 'starting', 'running', 'stopping', 'backing-off', 'failed']),
  /** Absent while no process lives. */
  pid: v.optional(v.number()),
  /** Milliseconds in this state. */
  sinceMs: v.number(),
  /** Starts after unexpected exits, since main started. */
  restarts: v.number(),
  /** How the last process ended, in words; empty when none has. */
  lastExit: v.string(),
  /** Until the next try, while backing off; 0 otherwise. */
  retryInMs: v.number(),
  /** Of one core, over the last second; and resident memory. */
  cpuPercent: v.number(),
  rssBytes: v.number(),
});
export type ChildStatusBody = v.InferOutput<typeof childStatusSchema>;

/** What a viewer says of its reception on the fast lane (src/media/FAST-LANE.md); −1: unknown. */
const fastLaneReportSchema = v.strictObject({
  isSounding: v.boolean(),
  delayMs: v.number(),
  targetMs: v.number(),
  jitterMs: v.number(),
  roundTripMs: v.number(),
  driftPpm: v.number(),
  received: v.number(),
  lost: v.number(),
  recovered: v.number(),
  late: v.number(),
  malformed: v.number(),
  concealedMs: v.number(),
  underrunMs: v.number(),
});

export const fastLaneStatusSchema = v.strictObject({
  via: v.picklist(fastLaneWays),
  /** The viewer hears this lane, not the track. */
  sounding: v.boolean(),
  redundancy: v.boolean(),
  packetsSent: v.number(),
  bytesSent: v.number(),
  /** Packets that the viewer's channel or WebSocket could not take. */
  dropped: v.number(),
  report: fastLaneReportSchema,
});

/** The picture on its way to one viewer. */
const videoSendingSchema = v.strictObject({
  codec: v.picklist(videoCodecs),
  /** Why the viewer gets no picture, in a sentence; empty when it gets one, or may. */
  reason: v.string(),
  packetsSent: v.number(),
  bytesSent: v.number(),
  framesSent: v.number(),
  keyframesSent: v.number(),
  /** Pictures that this viewer missed, since its socket or its path could not take them. */
  framesDropped: v.number(),
  packetsRetransmitted: v.number(),
  /** Packets repeated to see what the path carries. */
  packetsPadding: v.number(),
  /** Keyframes that the viewer asked for. */
  keyframesWanted: v.number(),
  /** What its path is estimated to carry; −1 while it gives no feedback. */
  targetKbps: v.number(),
  packetsLost: v.number(),
  lossPercent: v.number(),
  jitterMs: v.number(),
  roundTripMs: v.number(),
});

export const sessionStatusSchema = v.strictObject({
  id: v.string(),
  state: v.picklist(['new', 'connecting', 'connected', 'failed', 'closed']),
  reason: v.string(),
  ageMs: v.number(),
  candidateType: v.string(),
  packetsSent: v.number(),
  bytesSent: v.number(),
  packetsRetransmitted: v.number(),
  packetsLost: v.number(),
  fractionLost: v.number(),
  jitterMs: v.number(),
  roundTripMs: v.number(),
  microphonePackets: v.number(),
  microphoneBytes: v.number(),
  microphoneLost: v.number(),
  microphoneJitterMs: v.number(),
  microphoneFramesDropped: v.number(),
  datagramsRefused: v.number(),
  /** Null while the viewer says nothing on it. */
  fastLane: v.nullable(fastLaneStatusSchema),
  /** Absent on a device without a picture. */
  video: v.optional(videoSendingSchema),
});

/** POST /microphone/start: `session` is the `session_id` of the viewer's WebSocket. */
export const startMicrophoneSchema = v.strictObject({
  session: v.pipe(v.string(), v.maxLength(64)),
  /** Takes the microphone from whoever holds it. */
  takeover: v.optional(v.boolean(), false),
});
export type StartMicrophone = v.InferOutput<typeof startMicrophoneSchema>;

/** POST /microphone/stop: with `session`, only when that one holds the microphone; without, whoever does. */
export const stopMicrophoneSchema = v.strictObject({
  session: v.optional(v.pipe(v.string(), v.maxLength(64))),
});
export type StopMicrophone = v.InferOutput<typeof stopMicrophoneSchema>;

/** POST /microphone/quality. */
export const setMicrophoneQualitySchema = v.strictObject({ quality: v.picklist(presetNames) });
export type SetMicrophoneQuality = v.InferOutput<typeof setMicrophoneQualitySchema>;

/** GET and POST /microphone/quality. */
export const microphoneQualitySchema = v.strictObject({
  quality: v.picklist(presetNames),
  /** What the viewer's browser is asked to encode with. */
  effective: microphoneSettingsSchema,
  presets: v.record(v.picklist(presetNames), microphoneSettingsSchema),
  /** How the last change reached the audio-input child; `pending`: it is not running and gets it at its next start. */
  applied: v.picklist(['live', 'restart', 'pending']),
});
export type MicrophoneQuality = v.InferOutput<typeof microphoneQualitySchema>;

/** GET /microphone, and the answer of start, stop, mute and reset. */
export const microphoneStatusSchema = v.strictObject({
  /** Who holds the microphone; null while nobody does. */
  holder: v.nullable(v.strictObject({ session: v.string(), heldMs: v.number() })),
  /** The holder's sound arrives: a packet came within the last second. */
  connected: v.boolean(),
  /** The host hears the holder: held, connected and not muted. */
  live: v.boolean(),
  /** Muted on the device, whoever holds it. Not kept: a new holder begins unmuted. */
  muted: v.boolean(),
  quality: v.picklist(presetNames),
  effective: microphoneSettingsSchema,
  device: v.string(),
  deviceState: v.picklist(inputDeviceStates),
  /** Why the device does not play; empty otherwise. */
  deviceError: v.string(),
  /** Level of the last second in dBFS, as played to the host. */
  peakDbfs: v.number(),
  rmsDbfs: v.number(),
});
export type MicrophoneStatus = v.InferOutput<typeof microphoneStatusSchema>;

/** GET /microphone/metrics, and the event of each second. */
export const microphoneMetricsSchema = v.strictObject({
  /** The child's last report; null while it does not run. */
  stats: v.nullable(inputStatsSchema),
  /** Times the holder's sound stopped arriving while it held the microphone, since the device started. */
  connectionDrops: v.number(),
  /** When the holder's last packet arrived, Unix time in ms; 0 before the first. */
  lastFrameUnixMs: v.number(),
});
export type MicrophoneMetrics = v.InferOutput<typeof microphoneMetricsSchema>;

/** GET /video: the host's picture. */
/** GET /serial: the host's serial console. */
/** POST /serial/line: what is left out stays. */
export {
  type SerialStatus,
  serialStatusSchema,
  setSerialLineSchema,
  type VideoStatus,
  videoStatusSchema,
};

/** POST /serial/break. */
export const sendBreakSchema = v.strictObject({ ms: v.optional(breakMsSchema, defaultBreakMs) });

/** GET /power, POST /power/press, hold and reset, and POST /power/wake. */
export {
  type PowerStatus,
  type PressAnswer,
  powerStatusSchema,
  pressAnswerSchema,
  type WakeAnswer,
  wakeAnswerSchema,
};

/** POST /power/wake: a machine of `power.wakeOnLan` by its name, or any by its address; neither: the only one. */
export const wakeRequestSchema = v.strictObject({
  name: v.optional(machineNameSchema),
  mac: v.optional(macSchema),
});
export type WakeRequest = v.InferOutput<typeof wakeRequestSchema>;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** GET /sync: how sound and picture are kept together. */
export const syncStatusSchema = v.strictObject({
  /** What the sound is held back by, and where that is heading, ms. */
  audioDelayMs: v.number(),
  targetMs: v.number(),
  /** A sync check runs. */
  calibrating: v.boolean(),
  /** Live packets and pictures that gave way to a clip. */
  displaced: count,
  segments: v.strictObject({
    published: count,
    staleAtEnqueue: count,
    staleAtEncode: count,
    staleAtPublish: count,
    staleBetweenSamples: count,
    failed: count,
    gapsSkipped: count,
    fences: count,
  }),
  /** What each viewer measured, oldest first; positive: the picture is late. */
  viewers: v.array(
    v.strictObject({
      session: v.string(),
      results: v.array(
        v.strictObject({
          marker: count,
          offsetMs: v.number(),
          lane: v.picklist(['track', 'fast']),
          unixMs: v.number(),
        }),
      ),
    }),
  ),
});
export type SyncStatus = v.InferOutput<typeof syncStatusSchema>;

/** The HTTPS server. */
export const httpsStatusSchema = v.strictObject({
  /** Its page: at the address listened on, or at the device's first one where it listens on all. */
  url: v.string(),
  port: v.number(),
  /** SHA-256 over its certificate, `AB:CD:…`, to compare with what a browser shows. */
  fingerprint256: v.string(),
  /** When the certificate ends, Unix time in ms. */
  expiresUnixMs: v.number(),
  /** The owner's own certificate, in place of one the device made. */
  own: v.boolean(),
});
export type HttpsStatus = v.InferOutput<typeof httpsStatusSchema>;

/** GET /status. */
export const statusSchema = v.strictObject({
  version: v.string(),
  uptimeMs: v.number(),
  /** False when the server listens beyond this machine while accounts do not exist yet. */
  localOnly: v.boolean(),
  /** Null until the certificate is ready, a moment after the start. */
  https: v.nullable(httpsStatusSchema),
  audio: v.strictObject({
    quality: v.picklist(qualityNames),
    effective: encoderSettingsSchema,
    muted: v.boolean(),
    device: v.string(),
    deviceState: v.picklist(['opening', 'open']),
    /** Why the device is not open; empty otherwise. */
    deviceError: v.string(),
    /** Level of the last second in dBFS. */
    peakDbfs: v.number(),
    rmsDbfs: v.number(),
    xruns: v.number(),
    reopens: v.number(),
    droppedFrames: v.number(),
    /** Opus packets made, and their bytes. */
    encodedFrames: v.number(),
    encodedBytes: v.number(),
    /** Time to encode one packet in µs: mean and largest of the last second. */
    encodeMeanUs: v.number(),
    encodeMaxUs: v.number(),
    /** From the capture of a packet's first sample until it is sent, in ms, over the last second. */
    latencyMeanMs: v.number(),
    latencyP95Ms: v.number(),
    /** When the last packet was made, Unix time in ms; 0 before the first. */
    lastFrameUnixMs: v.number(),
  }),
  microphone: microphoneStatusSchema,
  /** Null on a device that is configured without a picture. */
  video: v.nullable(videoStatusSchema),
  children: v.array(childStatusSchema),
  sessions: v.array(sessionStatusSchema),
});
export type Status = v.InferOutput<typeof statusSchema>;

/** A line of GET /trace: a packet of the host's sound on its way; times in ms since its first sample was captured. */
export const tracedPacketSchema = v.strictObject({
  capturedUs: v.number(),
  completeMs: v.number(),
  encodedMs: v.number(),
  sentMs: v.number(),
  receivedMs: v.number(),
  written: v.array(v.strictObject({ session: v.string(), ms: v.number() })),
});

/** An answer to a request that failed, with the status of its code. */
export const errorBodySchema = v.strictObject({
  error: v.strictObject({
    code: v.string(),
    message: v.string(),
    details: v.optional(v.record(v.string(), v.unknown())),
  }),
});

/** Events of GET /api/v1/events (Server-Sent Events): name and data. */
export interface ApiEvents {
  'audio-mute-changed': Mute;
  'audio-quality-changed': Quality;
  'audio-device-changed': { device: string; state: 'opening' | 'open'; error: string };
  /** Once a second. */
  'audio-metrics-update': Status['audio'];
  /** The audio-output child: once a second, and at each change of state. */
  'audio-process-metrics': ChildStatusBody;
  /** The floor, mute, `connected` or the device changed. */
  'microphone-state-changed': MicrophoneStatus;
  'microphone-quality-changed': MicrophoneQuality;
  /** Once a second while the audio-input child runs. */
  'microphone-metrics-update': MicrophoneMetrics;
  /** The audio-input child: once a second, and at each change of state. */
  'microphone-process-metrics': ChildStatusBody;
  /** The signal, the picture's size or the encoder changed. */
  'video-state-changed': VideoStatus;
  /** Once a second while the video child runs. */
  'video-metrics-update': VideoStatus;
  /** The video child: once a second, and at each change of state. */
  'video-process-metrics': ChildStatusBody;
  /** The host, its LEDs, the viewers, the task, the layout or the jiggler changed. */
  'hid-state-changed': HidStatus;
  /** The serial port, its line, its writer or the number of consoles changed. */
  'serial-state-changed': SerialStatus;
  /** The board, a press, the power LED or the disk's activity changed. */
  'power-state-changed': PowerStatus;
}
