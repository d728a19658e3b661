import {
  CaptureError,
  type CaptureTrouble,
  knownTrouble,
  troubleOf,
} from './microphone-trouble.ts';

/** What to capture, and how the browser should treat it. */
export interface CaptureChoice {
  /** `deviceId` of enumerateDevices; empty for the browser's default. */
  readonly deviceId: string;
  readonly echoCancellation: boolean;
  readonly noiseSuppression: boolean;
  readonly autoGainControl: boolean;
  /** Channels there is use for. */
  readonly channels: 1 | 2;
}

/**
 * Constraints for a choice. The device is a demand, since Chromium takes no notice of a wish for one;
 * everything else is a wish, which no device has to refuse.
 */
export function constraintsOf(choice: CaptureChoice): MediaTrackConstraints {
  const { deviceId, echoCancellation, noiseSuppression, autoGainControl, channels } = choice;
  return {
    ...(deviceId === '' ? {} : { deviceId: { exact: deviceId } }),
    echoCancellation,
    noiseSuppression,
    autoGainControl,
    channelCount: { ideal: channels },
    sampleRate: { ideal: 48_000 },
  };
}

export interface CaptureListener {
  /** The device went away, or the browser took the microphone back. */
  readonly onEnded: () => void;
  /** The system or the hardware silenced the source, or no longer does. */
  readonly onSourceMuted: (muted: boolean) => void;
}

/** The browser's microphones. Nothing is captured but by {@link MicrophoneCapture.open}. */
export class MicrophoneCapture {
  /** What stands in the way before the browser is even asked. */
  get trouble(): CaptureTrouble | undefined {
    // Undefined in insecure contexts, whatever the types say.
    const devices: MediaDevices | undefined = navigator.mediaDevices;
    return knownTrouble({
      isSecureContext: window.isSecureContext,
      canCapture: devices?.getUserMedia !== undefined,
    });
  }

  /** Asks the browser, which may ask the person. Throws {@link CaptureError}. */
  async open(choice: CaptureChoice, listener: CaptureListener): Promise<MediaStreamTrack> {
    const { trouble } = this;
    if (trouble !== undefined) throw new CaptureError(trouble);
    let stream: MediaStream;
    try {
      stream = await openStream(choice);
    } catch (error) {
      throw new CaptureError(troubleOf(error, await permissionState()), { cause: error });
    }
    const [track] = stream.getAudioTracks();
    if (track === undefined) throw new CaptureError('no-device');
    track.onended = listener.onEnded;
    track.onmute = () => listener.onSourceMuted(true);
    track.onunmute = () => listener.onSourceMuted(false);
    return track;
  }

  /** The microphones there are; without names until the browser was allowed to give sound. */
  async devices(): Promise<MediaDeviceInfo[]> {
    if (this.trouble !== undefined) return [];
    try {
      const devices = await navigator.mediaDevices.enumerateDevices();
      // Before leave is given, there is one entry without an id.
      return devices.filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '');
    } catch {
      // A browser that does not say: its default is the only choice.
      return [];
    }
  }

  /** Calls `listener` when devices come or go, and when the person changes the permission. */
  watch({
    onDevices,
    onPermission,
  }: {
    readonly onDevices: () => void;
    readonly onPermission: (state: PermissionState) => void;
  }): void {
    if (this.trouble !== undefined) return;
    navigator.mediaDevices.addEventListener('devicechange', onDevices);
    void permission().then((status) => {
      if (status === undefined) return;
      status.onchange = () => onPermission(status.state);
    });
  }
}

/** The chosen device's sound; the browser's default where that device is not there. */
async function openStream(choice: CaptureChoice): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: constraintsOf(choice) });
  } catch (error) {
    const isGone =
      error instanceof Error && ['OverconstrainedError', 'NotFoundError'].includes(error.name);
    if (!isGone || choice.deviceId === '') throw error;
    return await openStream({ ...choice, deviceId: '' });
  }
}

async function permission(): Promise<PermissionStatus | undefined> {
  try {
    return await navigator.permissions.query({ name: 'microphone' });
  } catch {
    // Some browsers know no such permission; what they refuse is told by the refusal alone.
    return undefined;
  }
}

async function permissionState(): Promise<PermissionState | undefined> {
  return (await permission())?.state;
}
