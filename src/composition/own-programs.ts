import { join } from 'node:path';
import type { ChildSpec } from '../../supervisor/child-spec.ts';
import { listDevicesApart } from '../audio/devices/list-devices.ts';
import type { MicrophoneControl } from '../audio/input/microphone-control.ts';
import { maxDelayMs } from '../audio/output/output-config.ts';
import type { OutputControl } from '../audio/output/output-control.ts';
import type { Config } from '../config/schema.ts';
import type { ChildRole } from '../ipc/messages.ts';
import type { VideoControl } from '../video/video-control.ts';

/** Sound that waited longer on its way here is dropped: a viewer wants the present, not a backlog. */
const maxSoundAgeMs = 500;
/** And a picture; the encoder may take long for one, and a segment waits for its turn. */
const maxPictureAgeMs = 2_000;
/** What the video child may use more than those of the sound. */
const videoMemoryFactor = 2;

/** What ALSA and its plugins need of the environment; a child gets nothing else of it. */
const audioVariables = [
  'ALSA_CONFIG_PATH',
  'PULSE_COOKIE',
  'PULSE_RUNTIME_PATH',
  'PULSE_SERVER',
  'PULSE_STATE_PATH',
  'XDG_RUNTIME_DIR',
] as const;

/** Lists the sound cards in a process of its own: `program` is this one's file. */
export function deviceLister(program: string) {
  const env = pick(process.env, audioVariables);
  return (direction: 'capture' | 'playback') =>
    listDevicesApart({
      command: process.execPath,
      args: [program, 'audio-devices', direction],
      env,
    });
}

/** How this program starts itself in its other roles; `program` is its file. */
export function childSpecs(options: {
  readonly config: Config;
  readonly program: string;
  readonly audio: OutputControl;
  readonly microphone: MicrophoneControl;
  readonly video: VideoControl | undefined;
}): ChildSpec[] {
  const { config, program, audio, microphone, video } = options;
  const memoryLimitBytes = config.supervisor.memoryLimitMb * 1024 * 1024;
  const child = (name: ChildRole) => ({
    name,
    command: process.execPath,
    args: ['--max-old-space-size=64', program, name],
    env: pick(process.env, audioVariables),
    memoryLimitBytes,
    maxMediaAgeMs: maxSoundAgeMs,
  });
  return [
    {
      ...child('audio-output'),
      // Sound that is held back for the picture is as much older.
      maxMediaAgeMs: maxSoundAgeMs + maxDelayMs,
      initialConfig: audio.childConfig(),
    },
    { ...child('audio-input'), initialConfig: microphone.childConfig() },
    ...(video === undefined
      ? []
      : [
          {
            ...child('video'),
            env: pictureEnvironment(config),
            // Raw pictures are large: 1080p is measured at 208 MiB.
            memoryLimitBytes: videoMemoryFactor * memoryLimitBytes,
            maxMediaAgeMs: maxPictureAgeMs,
            initialConfig: video.childConfig(),
          },
        ]),
  ];
}

/** GStreamer looks at its plugins once, and keeps what it found; an X display may ask for a cookie. */
function pictureEnvironment({ dataDir }: Config): Record<string, string> {
  return {
    ...pick(process.env, ['HOME', 'XAUTHORITY']),
    GST_REGISTRY: join(dataDir, 'gstreamer-registry.bin'),
  };
}

function pick(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
