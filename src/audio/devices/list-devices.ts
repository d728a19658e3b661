import { type ExecFileException, execFile } from 'node:child_process';
import * as v from 'valibot';
import { errorCatalogue } from '../../errors/catalogue.ts';
import { EarshotError } from '../../errors/earshot-error.ts';

const devicesSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.array(v.strictObject({ id: v.string(), description: v.string() })),
);

export type AudioDevices = v.InferOutput<typeof devicesSchema>;

export interface ListDevicesOptions {
  /** The program and arguments that print the list as JSON. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * Lists sound devices from a process of its own, since a driver that hangs in `open` must not hang the
 * main process. Throws AUDIO_NATIVE_MISSING when a library is missing, and AUDIO_DEVICE_FAILED when it
 * fails otherwise or takes longer than 5 s.
 */
export async function listDevicesApart(options: ListDevicesOptions): Promise<AudioDevices> {
  const { command, args, env, timeoutMs = 5_000 } = options;
  const output = await new Promise<string>((resolve, reject) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 256 * 1024 } as const;
    execFile(command, [...args], { ...limits, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(listingError(error, { stderr: stderr.trim(), timeoutMs }));
    });
  });
  const devices = v.safeParse(devicesSchema, output);
  if (devices.success) return devices.output;
  throw new EarshotError(
    'AUDIO_DEVICE_FAILED',
    `The audio devices cannot be listed: what lists them printed ${JSON.stringify(output.slice(0, 128))}.`,
    { cause: devices.issues },
  );
}

function listingError(
  cause: ExecFileException,
  { stderr, timeoutMs }: { readonly stderr: string; readonly timeoutMs: number },
): EarshotError {
  // The process ends with the exit code of its error; of those only this one is put right otherwise.
  if (cause.code === errorCatalogue.AUDIO_NATIVE_MISSING.exit) {
    return new EarshotError('AUDIO_NATIVE_MISSING', stderr, { cause });
  }
  const reason = cause.killed ? `no answer within ${timeoutMs} ms` : stderr || cause.message;
  return new EarshotError('AUDIO_DEVICE_FAILED', `The audio devices cannot be listed: ${reason}`, {
    cause,
  });
}
