import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { defaultBodyLimit } from '../src/api/request-body.ts';
import type { Route } from '../src/api/route.ts';
import { routes } from '../src/api/routes/all.ts';
import type { ApiEvents } from '../src/api/schema.ts';
import { type Command, type CommandOption, commonOptions, usageLine } from '../src/cli/command.ts';
import { commandTable, exitCodes } from '../src/cli/command-table.ts';
import { configSchema } from '../src/config/schema.ts';
import { settingsSchema } from '../src/config/settings-schema.ts';
import { errorCatalogue } from '../src/errors/catalogue.ts';
import {
  allowedWords,
  entriesOf,
  isOptional,
  type SchemaNode,
  schemaNode,
  unwrap,
} from '../src/errors/schema-words.ts';
import { metricTable } from '../src/metrics/metric-table.ts';

/** The parts of docs/ that are written from the tables the program itself runs by. */

/** One generated part: where it goes and what it says. */
export interface DocsSection {
  readonly file: string;
  readonly name: string;
  readonly text: () => string;
}

/** What each event of the stream carries; the type keeps the list complete. */
const events: Readonly<Record<keyof ApiEvents, string>> = {
  'audio-mute-changed': 'As `GET /api/v1/audio/mute`, at each change.',
  'audio-quality-changed': 'As `GET /api/v1/audio/quality`, at each change.',
  'audio-device-changed':
    '`device`, `state` (`opening` or `open`) and `error` in words, when the capture device opens, is lost, or another is chosen.',
  'audio-metrics-update': 'As `audio` in `GET /api/v1/status`, once a second.',
  'audio-process-metrics':
    'The audio-output child as in `GET /api/v1/status`, once a second and at each change of its state.',
  'microphone-state-changed':
    'As `GET /api/v1/microphone`, when the holder, mute, `connected` or the device changes.',
  'microphone-quality-changed': 'As `GET /api/v1/microphone/quality`, at each change.',
  'microphone-metrics-update': 'As `GET /api/v1/microphone/metrics`, once a second.',
  'microphone-process-metrics':
    'The audio-input child as in `GET /api/v1/status`, once a second and at each change of its state.',
  'video-state-changed':
    'As `GET /api/v1/video`, when the signal, the size or the encoder changes.',
  'video-metrics-update': 'As `GET /api/v1/video`, once a second.',
  'hid-state-changed':
    'As `GET /api/v1/hid`, when the host, its LEDs, the viewers, the task, the layout or the jiggler changes.',
  'video-process-metrics':
    'The video child as in `GET /api/v1/status`, once a second and at each change of its state.',
  'serial-state-changed':
    'As `GET /api/v1/serial`, when the port, the line, the writer or the number of consoles changes.',
  'power-state-changed':
    'As `GET /api/v1/power`, when the board, a press, the power LED or, once a second at most, the disk’s activity changes.',
};

export const docsSections: readonly DocsSection[] = [
  { file: 'errors.md', name: 'codes', text: errorTable },
  { file: 'metrics.md', name: 'metrics', text: metricsTable },
  { file: 'configuration.md', name: 'keys', text: configTable },
  { file: 'configuration.md', name: 'settings', text: settingsTable },
  { file: 'api.md', name: 'routes', text: routeSections },
  { file: 'api.md', name: 'events', text: eventTable },
  { file: 'cli.md', name: 'commands', text: commandSections },
  { file: 'cli.md', name: 'exit-codes', text: exitCodeTable },
];

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

const codeBlock = (text: string): string => ['```', text, '```'].join('\n');

const code = (text: string): string => `\`${text}\``;

function errorTable(): string {
  return table(
    ['code', 'HTTP', 'exit', 'when, and what to do'],
    Object.entries(errorCatalogue).map(([name, { http, exit, summary }]) => [
      code(name),
      String(http),
      String(exit),
      summary,
    ]),
  );
}

function metricsTable(): string {
  return table(
    ['metric', 'type', 'unit', 'labels', 'what it is'],
    metricTable.map(({ name, type, unit, labels, help }) => [
      code(name),
      type,
      unit === '1' ? '' : unit,
      labels.map(code).join(', '),
      help,
    ]),
  );
}

function configTable(): string {
  const comments = configComments();
  return keyTable(
    leaves(schemaNode(configSchema)).map(({ key, node }) => ({
      key,
      node,
      text: comments.get(key) ?? comments.get(key.slice(0, key.lastIndexOf('.'))) ?? '',
    })),
  );
}

function settingsTable(): string {
  const all: unknown = v.parse(settingsSchema, {});
  const rows = leaves(schemaNode(settingsSchema)).map(({ key, node }) => [
    code(key),
    allowedWords(node),
    defaultText(node, all, key),
  ]);
  return table(['key', 'allowed', 'default'], rows);
}

function keyTable(keys: readonly { key: string; node: SchemaNode; text: string }[]): string {
  const defaults: unknown = v.parse(configSchema, {});
  return table(
    ['key', 'allowed', 'default', 'what it is'],
    keys.map(({ key, node, text }) => [
      code(key),
      allowedWords(node),
      defaultText(node, defaults, key),
      text,
    ]),
  );
}

function defaultText(node: SchemaNode, defaults: unknown, key: string): string {
  const value = key.split('.').reduce<unknown>((at, name) => {
    // Of a section that may be left out.
    if (at === undefined) return undefined;
    return v.parse(v.record(v.string(), v.unknown()), at)[name];
  }, defaults);
  return value === undefined ? (isOptional(node) ? 'none' : '') : code(JSON.stringify(value));
}

/** Every key that is no section. */
function leaves(node: SchemaNode, path = ''): { key: string; node: SchemaNode }[] {
  return Object.entries(entriesOf(node) ?? {}).flatMap(([name, entry]) => {
    const key = path === '' ? name : `${path}.${name}`;
    return entriesOf(entry) === undefined || key.endsWith('.custom')
      ? [{ key, node: entry }]
      : leaves(entry, key);
  });
}

/**
 * The comment above each key of the reference configuration; a key without one shares its neighbour's,
 * and one that is not in the file its section's.
 */
function configComments(): ReadonlyMap<string, string> {
  const text = readFileSync(new URL('../config/earshot.yaml', import.meta.url), 'utf8');
  const comments = new Map<string, string>();
  const path: string[] = [];
  const lines = text.split('\n');
  let comment = '';
  for (const [at, line] of lines.entries()) {
    const [, indent = '', words, key, value] = /^( *)(?:# ?(.*)|(\w+):(.*))?$/.exec(line) ?? [];
    if (words !== undefined) {
      comment = comment === '' ? words : `${comment} ${words}`;
    } else if (key !== undefined) {
      path.splice(indent.length / 2, path.length, key);
      comments.set(path.join('.'), comment);
      const nextSharesIt = value !== '' && /^ +\w+: /.test(lines[at + 1] ?? '');
      if (!nextSharesIt) comment = '';
    } else {
      comment = '';
    }
  }
  return comments;
}

function routeSections(): string {
  return routes.map(routeSection).join('\n\n');
}

function routeSection(route: Route): string {
  const { method, path, access, summary, answer, body, query, errors } = route;
  const { bodyLimit = defaultBodyLimit } = route;
  const parts = [`### ${method} ${path}`, summary];
  if (access === 'control') parts.push('Served on the control socket only.');
  if (body !== undefined) parts.push(`Body (JSON, at most ${bodyLimit} bytes):`, fieldTable(body));
  if (query !== undefined && Object.keys(entriesOf(query) ?? {}).length > 0) {
    parts.push('Parameters of the URL:', fieldTable(query));
  }
  parts.push(`Answer: ${answer}.`);
  if (errors.length > 0) parts.push(`Errors of its own: ${errors.map(code).join(', ')}.`);
  return parts.join('\n\n');
}

function fieldTable(node: SchemaNode): string {
  return table(['field', 'allowed', ''], fieldRows(node, ''));
}

function fieldRows(node: SchemaNode, prefix: string): string[][] {
  return Object.entries(entriesOf(node) ?? {}).flatMap(([name, entry]) => {
    const key = `${prefix}${name}`;
    const nested = entriesOf(unwrap(entry)) === undefined ? [] : fieldRows(entry, `${key}.`);
    return [[code(key), allowedWords(entry), isOptional(entry) ? 'optional' : ''], ...nested];
  });
}

function eventTable(): string {
  return table(
    ['event', 'data'],
    Object.entries(events).map(([name, text]) => [code(name), text]),
  );
}

function commandSections(): string {
  return [...commandTable.map(commandSection), optionSection()].join('\n\n');
}

function commandSection(command: Command): string {
  const parts = [`### ${command.words.join(' ')}`, codeBlock(usageLine(command)), command.summary];
  if (Object.keys(command.options).length > 0) parts.push(optionTable(command.options));
  return parts.join('\n\n');
}

function optionSection(): string {
  return `### Options every command takes\n\n${optionTable(commonOptions)}`;
}

function optionTable(options: Readonly<Record<string, CommandOption>>): string {
  return table(
    ['option', ''],
    Object.entries(options).map(([name, { short, value, summary }]) => {
      const long = value === undefined ? `--${name}` : `--${name} ${value}`;
      return [short === undefined ? code(long) : `${code(`-${short}`)}, ${code(long)}`, summary];
    }),
  );
}

function exitCodeTable(): string {
  return table(
    ['exit code', ''],
    exitCodes.map(([number, text]) => [String(number), text]),
  );
}
