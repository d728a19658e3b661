import * as v from 'valibot';
import {
  type Devices,
  devicesSchema,
  errorBodySchema,
  type MicrophoneQuality,
  type MicrophoneStatus,
  type Mute,
  microphoneQualitySchema,
  microphoneStatusSchema,
  muteSchema,
  type Quality,
  qualitySchema,
  type Status,
  statusSchema,
} from '../api/schema.ts';
import type { PresetName } from '../audio/presets.ts';

/** A request that failed. `message` is the server's own where it answered. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The server's error code, or `UNREACHABLE`, `TIMEOUT` or `UNEXPECTED` where there is none. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** How long the device has to answer. */
const answerMs = 5_000;

async function answerOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // A proxy's page or nothing at all; the caller's schema refuses it with the status beside it.
    return undefined;
  }
}

export interface RequestOptions {
  /** When left out, POST with a body and GET without one. */
  readonly method?: 'POST' | 'DELETE';
  readonly deadlineMs?: number | undefined;
}

/** One request of a path under `/api/v1`, with a body as JSON where there is one. Throws {@link ApiError}. */
export async function request<S extends v.GenericSchema>(
  path: string,
  schema: S,
  body?: unknown,
  { method, deadlineMs = answerMs }: RequestOptions = {},
): Promise<v.InferOutput<S>> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), deadlineMs);
  try {
    const response = await fetch(`/api/v1${path}`, {
      signal: abort.signal,
      cache: 'no-store',
      ...(method && { method }),
      ...(body === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
    });
    const answer = await answerOf(response);
    const failure = v.safeParse(errorBodySchema, answer);
    if (failure.success)
      throw new ApiError(failure.output.error.code, failure.output.error.message);
    const result = v.safeParse(schema, answer);
    if (!response.ok || !result.success) {
      throw new ApiError(
        'UNEXPECTED',
        `The device gave an answer this page does not understand (HTTP ${response.status}). Reload the page.`,
      );
    }
    return result.output;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw abort.signal.aborted
      ? new ApiError('TIMEOUT', `The device did not answer within ${deadlineMs / 1_000} s.`, {
          cause: error,
        })
      : new ApiError('UNREACHABLE', 'The device cannot be reached.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The HTTP API as the page uses it. Every call throws {@link ApiError} when it fails. */
export const api = {
  status: (): Promise<Status> => request('/status', statusSchema),
  devices: (): Promise<Devices> => request('/audio/devices', devicesSchema),
  setQuality: (quality: PresetName): Promise<Quality> =>
    request('/audio/quality', qualitySchema, { quality }),
  setMute: (muted: boolean): Promise<Mute> => request('/audio/mute', muteSchema, { muted }),
  setDevice: (device: string): Promise<Devices> =>
    request('/audio/device', devicesSchema, { device }),
  microphone: (): Promise<MicrophoneStatus> => request('/microphone', microphoneStatusSchema),
  startMicrophone: (body: { session: string; takeover: boolean }): Promise<MicrophoneStatus> =>
    request('/microphone/start', microphoneStatusSchema, body),
  stopMicrophone: (body: { session: string }): Promise<MicrophoneStatus> =>
    request('/microphone/stop', microphoneStatusSchema, body),
  setMicrophoneMute: (muted: boolean): Promise<MicrophoneStatus> =>
    request('/microphone/mute', microphoneStatusSchema, { muted }),
  setMicrophoneQuality: (quality: PresetName): Promise<MicrophoneQuality> =>
    request('/microphone/quality', microphoneQualitySchema, { quality }),
  microphoneDevices: (): Promise<Devices> => request('/microphone/devices', devicesSchema),
  setMicrophoneDevice: (device: string): Promise<Devices> =>
    request('/microphone/device', devicesSchema, { device }),
} as const;
