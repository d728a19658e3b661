import { open } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { checkInput, faultSentences, type InputFault } from '../errors/check-input.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import { valueWords } from '../errors/schema-words.ts';
import { type Config, configSchema } from './schema.ts';

/** Where the configuration is looked for when no path is given. */
export const defaultConfigPath = '/etc/earshot/earshot.yaml';

/** A configuration file may have at most this many bytes. */
export const configSizeLimit = 64 * 1024;

/** Levels of lists and maps; the schema has five. */
const maxDepth = 64;

export interface LoadedConfig {
  readonly config: Config;
  /** The file it came from; undefined when every value is the default. */
  readonly source: string | undefined;
}

export interface LoadConfigOptions {
  /** The file named on the command line; it has to exist. */
  readonly path?: string | undefined;
  /** Read when no `path` is given and it exists; {@link defaultConfigPath} unless told otherwise. */
  readonly defaultPath?: string;
}

/**
 * Reads and validates the configuration. Throws CONFIG_UNREADABLE (missing, too large, not YAML) or
 * CONFIG_INVALID; the message names the file, each key, its value and what is allowed.
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const path = options.path ?? options.defaultPath ?? defaultConfigPath;
  const text = await readText(path, options.path !== undefined);
  if (text === undefined) return { config: parseConfig('', 'defaults'), source: undefined };
  return { config: parseConfig(text, path), source: path };
}

/** Parses and validates the text of a configuration file; `file` names it in errors. */
export function parseConfig(text: string, file: string): Config {
  const input = parseYaml(text, file);
  const result = checkInput(configSchema, input);
  const faults = result.ok ? crossFaults(result.value) : result.faults;
  if (result.ok && faults.length === 0) return result.value;
  throw new EarshotError('CONFIG_INVALID', `${file}: ${faultSentences(faults)}`, {
    details: {
      file,
      faults: faults.map(({ key, value, allowed }) => ({ key, value, allowed })),
    },
  });
}

type Refuse = (key: string, value: number | string, allowed: string) => void;

/** Rules over more than one key. */
function crossFaults(config: Config): InputFault[] {
  const { audio, http, https, media, video } = config;
  const faults: InputFault[] = [];
  const refuse: Refuse = (key, value, allowed) => {
    faults.push({
      key,
      value,
      allowed,
      message: `${key}: ${valueWords(value)} is not allowed; expected ${allowed}`,
    });
  };
  const { periodMs, bufferMs } = audio.output;
  if (bufferMs < 2 * periodMs) {
    refuse('audio.output.bufferMs', bufferMs, `at least 2 × periodMs (${2 * periodMs})`);
  }
  const ownFiles = 'a path too, since https.certificate and https.key come together';
  if (https.certificate === '' && https.key !== '') refuse('https.certificate', '', ownFiles);
  if (https.certificate !== '' && https.key === '') refuse('https.key', '', ownFiles);
  if (https.port === http.port && http.port !== 0) {
    refuse('https.port', https.port, `another port than http.port (${http.port})`);
  }
  const { minKbps, maxKbps } = video;
  if (minKbps > maxKbps) refuse('video.maxKbps', maxKbps, `at least minKbps (${minKbps})`);
  const { udpPortMin, udpPortMax } = media;
  if (udpPortMin > udpPortMax) {
    refuse('media.udpPortMin', udpPortMin, `at most udpPortMax (${udpPortMax})`);
  } else if (udpPortMin === 0 && udpPortMax !== 0) {
    refuse('media.udpPortMin', udpPortMin, `1 to ${udpPortMax}, or 0 for both ends of the range`);
  }
  refuseControl(config, refuse);
  return faults;
}

function refuseControl({ hid, power, serial, usb }: Config, refuse: Refuse): void {
  if (hid.host === 'usb' && !usb.enabled) {
    refuse('hid.host', hid.host, 'none or unix:/path, since usb.enabled is false');
  }
  if (power.kind === 'uart' && power.uart.port === '') {
    refuse('power.uart.port', '', 'a path, since power.kind is uart');
  }
  if (power.kind === 'gpio' && power.gpio.chip === '') {
    refuse('power.gpio.chip', '', 'a chip, since power.kind is gpio');
  }
  if (power.kind === 'uart' && power.uart.port !== '' && power.uart.port === serial.port) {
    refuse('power.uart.port', power.uart.port, 'another port than serial.port');
  }
  const names = power.wakeOnLan.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) refuse('power.wakeOnLan', twice, 'a name of its own for each machine');
}

function parseYaml(text: string, file: string): unknown {
  if (tooDeep(text)) throw unreadable(file, `is nested too deeply; ${maxDepth} levels are allowed`);
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true, prettyErrors: true });
  const fault = document.errors[0];
  if (fault !== undefined) throw unreadable(file, `is not YAML: ${fault.message}`, fault);
  try {
    // An empty file, or one of comments only, has no content: every default holds.
    return document.toJS({ maxAliasCount: 20 }) ?? {};
  } catch (error) {
    throw unreadable(file, `cannot be used: ${messageOf(error)}`, error);
  }
}

/** The parser recurses, and ends the process on a file that is nothing but brackets. */
function tooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > maxDepth) return true;
  }
  return /^ *([-?&!*]\S* +){64}/m.test(text) || /^ {256}/m.test(text);
}

async function readText(path: string, required: boolean): Promise<string | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > configSizeLimit) {
        throw unreadable(path, `has ${size} bytes; at most ${configSizeLimit} are allowed`);
      }
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof EarshotError) throw error;
    if (!required && codeOf(error) === 'ENOENT') return undefined;
    throw unreadable(path, `cannot be read: ${messageOf(error)}`, error);
  }
}

function unreadable(file: string, what: string, cause?: unknown): EarshotError {
  return new EarshotError('CONFIG_UNREADABLE', `${file} ${what}`, { cause, details: { file } });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
