import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { checkInput, faultSentences } from '../errors/check-input.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import { replaceDurably, syncDirectory, temporaryPath } from './durable-file.ts';
import { migrate, settingsVersion } from './migrations/migrations.ts';
import { type Settings, settingsSchema } from './settings-schema.ts';

/** Name of the settings file in the data directory. */
export const settingsFile = 'settings.json';

/** A settings file may have at most this many bytes: all the macros that there may be fit. */
const sizeLimit = 2 * 1024 * 1024;

/** Unusable files kept for a person to look at; older ones are deleted. */
const maxSetAside = 5;

/** What happened to a settings file that could not be used. */
export interface Recovery {
  /** What was wrong with it. */
  readonly reason: string;
  /** Where it is now; undefined when it could not be moved. */
  readonly setAside: string | undefined;
}

export interface SettingsStoreOptions {
  /** Directory of the settings file; made when missing. */
  readonly dataDir: string;
  readonly log: Log;
}

/**
 * The settings that viewers and the command change, kept in `<dataDir>/settings.json`.
 *
 * INVARIANTS: the file on disk is always a whole one, the old or the new. `current()` changes only
 * after the file did. Writes happen one after another, each on top of the one before.
 */
export class SettingsStore {
  readonly #directory: string;
  readonly #path: string;
  readonly #log: Log;
  #settings: Settings = v.parse(settingsSchema, {});
  #recovered: Recovery | undefined;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor({ dataDir, log }: SettingsStoreOptions) {
    this.#directory = dataDir;
    this.#path = join(dataDir, settingsFile);
    this.#log = log;
  }

  /** What {@link load} did about an unusable file; undefined when the file was good or absent. */
  get recovered(): Recovery | undefined {
    return this.#recovered;
  }

  /**
   * Reads the file. A missing one means defaults; a corrupt, invalid or unknown one is renamed to
   * `settings.json.corrupt-<n>`, reported, and defaults are used. Never throws.
   */
  async load(): Promise<void> {
    this.#recovered = undefined;
    this.#settings = v.parse(settingsSchema, {});
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o750 });
      await rm(temporaryPath(this.#path), { force: true });
    } catch (error) {
      this.#log.warn(
        { directory: this.#directory, error: messageOf(error) },
        'settings directory is not writable: changes cannot be kept',
      );
    }
    let text: string | undefined;
    try {
      text = await readText(this.#path);
      if (text !== undefined) this.#settings = parseSettings(text);
    } catch (error) {
      await this.#recover(messageOf(error));
    }
  }

  /** The settings in force. */
  current(): Settings {
    return this.#settings;
  }

  /**
   * Applies `change` to the current settings and resolves when the result is durable. Nothing is
   * written when nothing changes (flash wears out). Throws SETTINGS_TOO_LARGE or SETTINGS_WRITE_FAILED,
   * state unchanged.
   */
  update(change: (settings: Settings) => Settings): Promise<Settings> {
    const write = this.#lastWrite.then(() => this.#apply(change));
    // The next update runs whether this one succeeds or not; its caller gets the error.
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  async #apply(change: (settings: Settings) => Settings): Promise<Settings> {
    const checked = checkInput(settingsSchema, change(this.#settings));
    if (!checked.ok) {
      throw new EarshotError('CONFIG_INVALID', `settings: ${faultSentences(checked.faults)}`);
    }
    if (isDeepStrictEqual(checked.value, this.#settings)) return this.#settings;
    const text = `${JSON.stringify(checked.value, null, 2)}\n`;
    const bytes = Buffer.byteLength(text);
    if (bytes > sizeLimit) {
      // Written, it would be refused at the next start, and everything in it lost.
      throw new EarshotError(
        'SETTINGS_TOO_LARGE',
        `the settings would have ${bytes} bytes; at most ${sizeLimit} are allowed`,
        { details: { bytes, allowed: sizeLimit } },
      );
    }
    try {
      await replaceDurably(this.#path, text);
    } catch (error) {
      throw new EarshotError(
        'SETTINGS_WRITE_FAILED',
        `cannot write ${this.#path}: ${messageOf(error)}; the change was not applied`,
        { cause: error, details: { path: this.#path } },
      );
    }
    this.#settings = checked.value;
    return checked.value;
  }

  async #recover(reason: string): Promise<void> {
    let setAside: string | undefined;
    try {
      setAside = await this.#setAside();
    } catch (error) {
      this.#log.warn({ path: this.#path, error: messageOf(error) }, 'settings file stays in place');
    }
    this.#recovered = { reason, setAside };
    this.#log.error(
      { path: this.#path, reason, setAside },
      'settings file was unusable: defaults are in force',
    );
  }

  async #setAside(): Promise<string> {
    const prefix = `${settingsFile}.corrupt-`;
    const numbers = (await readdir(this.#directory))
      .filter((name) => name.startsWith(prefix))
      .map((name) => Number(name.slice(prefix.length)))
      .filter((number) => Number.isSafeInteger(number) && number > 0)
      .sort((a, b) => a - b);
    const path = `${this.#path}.corrupt-${(numbers.at(-1) ?? 0) + 1}`;
    await rename(this.#path, path);
    const superfluous = numbers.slice(0, Math.max(0, numbers.length + 1 - maxSetAside));
    for (const number of superfluous) await rm(`${this.#path}.corrupt-${number}`, { force: true });
    await syncDirectory(this.#directory);
    return path;
  }
}

async function readText(path: string): Promise<string | undefined> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    if (size > sizeLimit) throw new Error(`has ${size} bytes; at most ${sizeLimit} are allowed`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Throws an error whose message says why the text is no settings file. */
function parseSettings(text: string): Settings {
  const input: unknown = JSON.parse(text);
  const object = v.safeParse(v.record(v.string(), v.unknown()), input);
  if (!object.success || Array.isArray(input)) throw new Error('is not a JSON object');
  const migrated = migrate(object.output);
  if (migrated === undefined) {
    const version = JSON.stringify(object.output['version']) ?? 'none';
    throw new Error(`has version ${version}; this release knows up to ${settingsVersion}`);
  }
  const checked = checkInput(settingsSchema, migrated);
  if (!checked.ok) throw new Error(faultSentences(checked.faults));
  return checked.value;
}
