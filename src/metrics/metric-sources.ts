import type { InputStats } from '../audio/input/input-stats.ts';
import type { FrameDelayNumbers } from '../audio/output/frame-delay.ts';
import type { OutputStats } from '../audio/output/output-stats.ts';
import type { HidStatus, LatencyHistogram } from '../control/hid/hid-status.ts';
import type { PowerStatus } from '../control/power/power-status.ts';
import type { SerialStatus } from '../control/serial/serial-status.ts';
import type { ChannelStats } from '../ipc/channel.ts';
import type { MediaStats, SessionStatus } from '../media/media-types.ts';
import type { VideoStats } from '../video/video-stats.ts';

/** Where the numbers come from: asked at each scrape, never in between. */
export interface MetricSources {
  readonly version: string;
  readonly children: () => readonly ChildNumbers[];
  /** The audio-output child's last report; undefined while it does not run. */
  readonly audioOutput: () => OutputStats | undefined;
  /** How the host's sound passed through the main process lately. */
  readonly audioOutputDelay: () => FrameDelayNumbers;
  /** Whether the host's sound is muted for every viewer. */
  readonly muted: () => boolean;
  /** The audio-input child's last report; undefined while it does not run. */
  readonly audioInput: () => InputStats | undefined;
  readonly microphone: () => MicrophoneNumbers;
  /** The video child's last report; undefined while it does not run. */
  readonly video: () => VideoStats | undefined;
  /** Keyboard and mouse; undefined on a device without. */
  readonly hid: () => HidNumbers | undefined;
  readonly serial: () => SerialStatus;
  readonly power: () => PowerStatus;
  readonly media: () => MediaStats;
  readonly sessions: () => readonly SessionStatus[];
  /** The channel to each child that runs. */
  readonly ipc: () => readonly { readonly child: string; readonly stats: ChannelStats }[];
  readonly api: () => ApiNumbers;
}

/** What the metrics take of keyboard and mouse. */
export interface HidNumbers {
  readonly status: HidStatus;
  readonly latency: { readonly keys: LatencyHistogram; readonly pointer: LatencyHistogram };
}

/** What the metrics take of the microphone's status and metrics. */
export interface MicrophoneNumbers {
  readonly status: {
    /** null while nobody holds the microphone. */
    readonly holder: object | null;
    readonly connected: boolean;
    readonly live: boolean;
    readonly muted: boolean;
  };
  readonly metrics: {
    readonly connectionDrops: number;
    /** Unix time in ms; 0 before the first frame. */
    readonly lastFrameUnixMs: number;
  };
}

/** What the metrics take of a child's status. */
export interface ChildNumbers {
  readonly name: string;
  readonly state: string;
  readonly restarts: number;
  readonly cpuPercent: number;
  readonly rssBytes: number;
}

/** What the metrics take of the HTTP server's counters. */
export interface ApiNumbers {
  readonly requests: readonly {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly count: number;
  }[];
  readonly streamsOpen: number;
  readonly streamsTotal: number;
  readonly streamsDropped: number;
  readonly socketsOpen: number;
  readonly socketsTotal: number;
  readonly socketsDropped: number;
  readonly tlsHandshakesFailed: number;
}
