import { execFile } from 'node:child_process';
import * as v from 'valibot';
import { EarshotError } from '../../errors/earshot-error.ts';

const devicesSchema = v.array(v.strictObject({ id: v.string(), description: v.string() }));

export type AudioDevices = v.InferOutput<typeof devicesSchema>;

export interface ListDevicesOptions {
  /** The program and arguments that print the list as JSON. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * Lists the capture devices from a process of its own, since a driver that hangs in `open` must not
 * hang the main process. Throws AUDIO_DEVICE_FAILED when it fails or takes longer than 5 s.
 */
export async function listDevicesApart(options: ListDevicesOptions): Promise<AudioDevices> {
  const { command, args, env, timeoutMs = 5_000 } = options;
  const output = await new Promise<string>((resolve, reject) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 256 * 1024 } as const;
    execFile(command, [...args], { ...limits, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else {
        const reason = error.killed ? `no answer within ${timeoutMs} ms` : stderr.trim();
        reject(
          new EarshotError('AUDIO_DEVICE_FAILED', `The audio devices cannot be listed: ${reason}`, {
            cause: error,
          }),
        );
      }
    });
  });
  return v.parse(devicesSchema, JSON.parse(output));
}
