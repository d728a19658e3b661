import type { HidService } from '../control/hid/hid-service.ts';
import type { Press } from '../control/power/power-status.ts';
import type { ConsoleLink } from '../control/serial/console-reader.ts';
import type { SetSerialLine } from '../control/serial/serial-line.ts';
import type { SetSignals } from '../control/serial/serial-port.ts';
import type { FastLaneConnection, FastLaneSocket } from '../media/fast-lane-sender.ts';
import type { HidConnection, HidSocket } from '../media/hid-lane.ts';
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
  PowerStatus,
  PressAnswer,
  Quality,
  SerialStatus,
  SetMicrophoneQuality,
  SetQuality,
  StartMicrophone,
  Status,
  StopMicrophone,
  SyncStatus,
  VideoStatus,
  WakeAnswer,
  WakeRequest,
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

/** Keyboard and mouse of the host. */
export type HidApi = Pick<
  HidService,
  | 'status'
  | 'press'
  | 'type'
  | 'check'
  | 'stopTask'
  | 'macros'
  | 'saveMacro'
  | 'removeMacro'
  | 'runMacro'
  | 'setJiggler'
  | 'setLayout'
  | 'wake'
  | 'release'
>;

/** One open console of the host's serial line, driven by its WebSocket (CONSOLE-PROTOCOL.md). */
export interface SerialViewer {
  /** Throws SERIAL_NOT_WRITER. */
  write(bytes: Uint8Array): void;
  takeWriter(takeover: boolean): boolean;
  releaseWriter(): void;
  /** Rejects with SERIAL_NOT_WRITER, SERIAL_PORT_CLOSED or SERIAL_SIGNALS_UNSUPPORTED. */
  sendBreak(ms: number): Promise<void>;
  setSignals(change: SetSignals): Promise<void>;
  close(): void;
}

/** The host's serial console. */
export interface SerialService {
  status(): SerialStatus;
  /** Throws SERIAL_NOT_CONFIGURED. */
  assertConfigured(): void;
  /** Durable. Rejects with SERIAL_NOT_CONFIGURED, SETTINGS_WRITE_FAILED, SERIAL_LINE_REFUSED or SERIAL_PORT_*, state unchanged. */
  setLine(change: SetSerialLine): Promise<SerialStatus>;
  /** Rejects with SERIAL_NOT_CONFIGURED, SERIAL_PORT_CLOSED or SERIAL_SIGNALS_UNSUPPORTED. */
  sendBreak(ms: number): Promise<SerialStatus>;
  /** Throws SERIAL_NOT_CONFIGURED. */
  scrollback(): Uint8Array;
  /** Throws SERIAL_NOT_CONFIGURED or SERIAL_TOO_MANY_CONSOLES. */
  openViewer(link: ConsoleLink): SerialViewer;
}

/** The host's buttons and LEDs, and machines to wake. */
export interface PowerService {
  status(): PowerStatus;
  /** Rejects with POWER_NOT_CONFIGURED, POWER_UNAVAILABLE, POWER_BUSY or POWER_FAILED. */
  press(press: Press): Promise<PressAnswer>;
  /** Rejects with POWER_WAKE_UNKNOWN or POWER_WAKE_FAILED. */
  wake(request: WakeRequest): Promise<WakeAnswer>;
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

/** Where keyboard and pointer of a session take a WebSocket (src/control/hid/PROTOCOL.md). */
export interface HidDoor {
  /** In place of the one before, which is asked to end. */
  openSocket(socket: HidSocket): HidConnection;
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
  /** Throws MEDIA_SESSION_UNKNOWN or HID_NOT_CONFIGURED. */
  hid(session: string): HidDoor;
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
  /** Undefined on a device without keyboard and mouse for the host. */
  readonly hid: HidApi | undefined;
  readonly serial: SerialService;
  readonly power: PowerService;
  readonly children: ChildrenService;
  readonly media: MediaService;
  readonly logs: LogService;
  readonly sync: SyncService;
  readonly trace: TraceService;
  readonly events: EventService;
  readonly metrics: MetricsService;
}
