import type { FastLaneConnection, FastLaneSocket } from '../media/fast-lane-sender.ts';
import type { IceServer } from '../media/ice-servers.ts';
import type { DeviceMessage } from '../media/signaling-messages.ts';
import type { TracedPacket } from '../media/voice-trace.ts';
import type {
  ApiEvents,
  ChildStatusBody,
  Devices,
  MicrophoneMetrics,
  MicrophoneQuality,
  MicrophoneStatus,
  Mute,
  Quality,
  SetMicrophoneQuality,
  SetQuality,
  StartMicrophone,
  Status,
  StopMicrophone,
  SyncStatus,
  VideoStatus,
} from './schema.ts';

/** What the API needs of the rest of the main process: small interfaces, so that tests can stand in for them. */

/** The host's sound: quality, mute, device. Every change is durable when its promise resolves. */
export interface AudioService {
  quality(): Quality;
  /** Throws QUALITY_INVALID (state unchanged) or SETTINGS_WRITE_FAILED. */
  setQuality(request: SetQuality): Promise<Quality>;
  mute(): Mute;
  setMute(request: Mute): Promise<Mute>;
  devices(): Promise<Devices>;
  /** Throws AUDIO_DEVICE_UNKNOWN, state unchanged. */
  setDevice(device: string): Promise<Devices>;
  status(): Status['audio'];
}

/** A viewer's voice on its way to the host. One session holds the microphone at a time, or none. */
export interface MicrophoneService {
  status(): MicrophoneStatus;
  metrics(): MicrophoneMetrics;
  /** Throws MICROPHONE_HELD (`details.holder` is the status's `holder`) or MICROPHONE_SESSION_UNKNOWN. Idempotent for the holder. */
  start(request: StartMicrophone): Promise<MicrophoneStatus>;
  /** Frees the microphone; does nothing when `session` does not hold it. */
  stop(request: StopMicrophone): Promise<MicrophoneStatus>;
  /** Throws MICROPHONE_NOT_HELD while nobody holds it. */
  setMute(request: Mute): Promise<MicrophoneStatus>;
  /** Starts the audio-input child anew; the holder keeps the microphone. */
  reset(): Promise<MicrophoneStatus>;
  quality(): MicrophoneQuality;
  /** Throws QUALITY_INVALID (state unchanged) or SETTINGS_WRITE_FAILED. */
  setQuality(request: SetMicrophoneQuality): Promise<MicrophoneQuality>;
  devices(): Promise<Devices>;
  /** Throws AUDIO_DEVICE_UNKNOWN, state unchanged. */
  setDevice(device: string): Promise<Devices>;
}

/** The host's picture. */
export interface VideoService {
  /** Null on a device that is configured without a picture. */
  status(): VideoStatus | null;
}

export interface ChildrenService {
  statuses(): readonly ChildStatusBody[];
  /** Stops the child and starts it again, out of `failed` too. Throws CHILD_UNKNOWN. */
  restart(name: string): Promise<ChildStatusBody>;
}

/** One viewer's session, driven by its WebSocket. */
export interface ViewerSession {
  readonly id: string;
  /** One text frame as it arrived; a bad one is answered with an `error` message, never thrown. */
  receive(text: string): void;
  /** Frees everything the session holds; idempotent. */
  close(reason: string): void;
}

/** Where the fast lane of a session takes a WebSocket (src/media/FAST-LANE.md). */
export interface FastLaneDoor {
  /** In place of the one before, which is asked to end. */
  openSocket(socket: FastLaneSocket): FastLaneConnection;
}

/** A player's session over WHEP, as the media path makes it. */
export interface WhepSession {
  readonly id: string;
  /** The SDP answer, every candidate in it. */
  readonly answer: string;
}

export interface MediaService {
  /** Throws MEDIA_TOO_MANY_VIEWERS. `send` may be called until `close`; `end` asks to close the WebSocket. */
  openSession(viewer: {
    readonly send: (message: DeviceMessage) => void;
    readonly end: (reason: string) => void;
    /** Sound and picture in one MediaStream, which a browser plays in step. */
    readonly sync: boolean;
  }): ViewerSession;
  /** Answers the SDP offer of a player that only receives. Throws MEDIA_OFFER_INVALID, MEDIA_NO_OPUS or MEDIA_TOO_MANY_VIEWERS. */
  openWhep(offer: string): Promise<WhepSession>;
  /** Ends a player's session; false when there is none of that id. */
  closeWhep(id: string): boolean;
  /** ICE servers that players are told of. */
  iceServers(): readonly IceServer[];
  /** Throws MEDIA_SESSION_UNKNOWN. */
  fastLane(session: string): FastLaneDoor;
  sessions(): readonly Status['sessions'][number][];
}

/** The last log lines of the main process and its children, newest last. */
export interface LogService {
  /** At most `count` lines, each one JSON object. */
  recent(count: number): readonly string[];
  /** Calls `listener` with each new line until the returned function is called. */
  follow(listener: (line: string) => void): () => void;
}

/** JSON on its way out; nobody writes to it. */
type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

/** How sound and picture are kept together. */
export interface SyncService {
  status(): DeepReadonly<SyncStatus>;
}

/** Times of packets on their way through the device. */
export interface TraceService {
  /** Calls `listener` with each packet until the returned function is called; off while nobody listens. */
  follow(listener: (packet: TracedPacket) => void): () => void;
}

/** Where events come from; the API fans them out to every stream. */
export interface EventService {
  subscribe(listener: <N extends keyof ApiEvents>(name: N, data: ApiEvents[N]) => void): () => void;
}

export interface MetricsService {
  /** The Prometheus text exposition format, version 0.0.4. */
  text(): Promise<string>;
}

export interface Services {
  readonly audio: AudioService;
  readonly microphone: MicrophoneService;
  readonly video: VideoService;
  readonly children: ChildrenService;
  readonly media: MediaService;
  readonly logs: LogService;
  readonly sync: SyncService;
  readonly trace: TraceService;
  readonly events: EventService;
  readonly metrics: MetricsService;
}
