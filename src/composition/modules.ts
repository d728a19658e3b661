import type { SupervisedChild } from '../../supervisor/supervised-child.ts';
import type { Supervisor } from '../../supervisor/supervisor.ts';
import type { ServiceEvents } from '../api/service-events.ts';
import type { MicrophoneControl } from '../audio/input/microphone-control.ts';
import type { OutputControl } from '../audio/output/output-control.ts';
import type { Config } from '../config/schema.ts';
import type { HidControl } from '../control/hid/hid-control.ts';
import type { PowerControl } from '../control/power/power-control.ts';
import type { SerialConsole } from '../control/serial/serial-console.ts';
import type { Log } from '../log/log.ts';
import type { LogRing } from '../log/log-ring.ts';
import type { AvCoordinator } from '../media/av-coordinator.ts';
import type { MediaHub } from '../media/media-hub.ts';
import type { IpcEncoders } from '../media/segments/ipc-encoders.ts';
import type { VoiceTrace } from '../media/voice-trace.ts';
import type { VideoControl } from '../video/video-control.ts';

/** What the main process is made of, as `main.ts` made it. */
export interface Modules {
  readonly config: Config;
  readonly log: Log;
  readonly ring: LogRing;
  readonly events: ServiceEvents;
  readonly supervisor: Supervisor;
  /** The host's sound, and its child. */
  readonly audio: OutputControl;
  readonly output: SupervisedChild;
  /** The viewers' microphone, and its child. */
  readonly microphone: MicrophoneControl;
  readonly input: SupervisedChild;
  /** The host's picture; undefined on a device without one. */
  readonly picture: PictureModules | undefined;
  /** Keyboard and mouse; undefined on a device that has no host to tell. */
  readonly hid: HidControl | undefined;
  readonly serial: SerialConsole;
  readonly power: PowerControl;
  readonly media: MediaHub;
  readonly encoders: IpcEncoders;
  readonly together: AvCoordinator;
  readonly trace: VoiceTrace;
}

export interface PictureModules {
  readonly video: VideoControl;
  readonly child: SupervisedChild;
}
