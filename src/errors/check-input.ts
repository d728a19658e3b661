import * as v from 'valibot';
import { nearest } from './nearest.ts';
import {
  allowedWords,
  entriesOf,
  type SchemaNode,
  schemaNode,
  unwrap,
  valueWords,
} from './schema-words.ts';

/** One thing that is wrong with an input. */
export interface InputFault {
  /** Where, e.g. `audio.output.periodMs`; empty for the whole input. */
  readonly key: string;
  /** What was there, shortened; lists and maps as text; undefined when it is missing. */
  readonly value: string | number | boolean | null | undefined;
  /** What would be right. */
  readonly allowed: string;
  /** A sentence of all three. */
  readonly message: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly InputFault[] };

/** Values of these keys are never repeated in a message. */
const secretKeys = new Set(['credential', 'password', 'secret', 'token']);

/** More faults than this in one input are not listed. */
const maxFaults = 8;

/**
 * Validates `input` and says of every fault where it is, what was there and what is allowed. Stricter
 * than the schema alone: a list is no object, and every unknown key is reported, not only the first.
 */
export function checkInput<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
): Checked<v.InferOutput<S>> {
  const root = schemaNode(schema);
  const faults = structureFaults(root, input, []);
  const result = v.safeParse(schema, input);
  if (!result.success) {
    for (const issue of result.issues) {
      const path = (issue.path ?? []).map((item) => item.key);
      const key = keyText(path);
      if (issue.expected === 'never' || faults.some((fault) => covers(fault.key, key))) continue;
      faults.push(valueFault(root, path, issue.input));
    }
  }
  if (result.success && faults.length === 0) return { ok: true, value: result.output };
  return { ok: false, faults: faults.slice(0, maxFaults) };
}

/** Whether what is wrong at `outer` makes what is wrong at `inner` beside the point. */
function covers(outer: string, inner: string): boolean {
  if (outer === '' || outer === inner) return true;
  return inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}

/** The sentences of several faults, one a line. */
export function faultSentences(faults: readonly InputFault[]): string {
  return faults.map((fault) => fault.message).join('\n');
}

/** Unknown keys, and lists where an object belongs. */
function structureFaults(
  schema: SchemaNode,
  input: unknown,
  path: readonly unknown[],
): InputFault[] {
  const node = unwrap(schema);
  if (Array.isArray(input)) {
    if (node.entries !== undefined) return [valueFault(node, path, input, node)];
    const item = node.item;
    return item === undefined
      ? []
      : input.flatMap((value, index) => structureFaults(item, value, [...path, index]));
  }
  const entries = node.entries;
  if (entries === undefined || typeof input !== 'object' || input === null) return [];
  return Object.entries(input).flatMap(([key, value]) => {
    const entry = Object.hasOwn(entries, key) ? entries[key] : undefined;
    return entry === undefined
      ? [unknownKeyFault(entries, [...path, key], value)]
      : structureFaults(entry, value, [...path, key]);
  });
}

function unknownKeyFault(
  entries: Readonly<Record<string, SchemaNode>>,
  path: readonly unknown[],
  value: unknown,
): InputFault {
  const key = keyText(path);
  const names = Object.keys(entries);
  const guess = nearest(String(path.at(-1)), names);
  const known = names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`;
  const allowed = names.length === 0 ? 'no key' : `one of the keys ${names.join(', ')}`;
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  return {
    key,
    value: brief(unlessSecret(path, value)),
    allowed,
    message: `${key}: unknown key${hint} (${known})`,
  };
}

function valueFault(
  root: SchemaNode,
  path: readonly unknown[],
  value: unknown,
  at: SchemaNode | undefined = schemaAt(root, path),
): InputFault {
  const key = keyText(path);
  const allowed = at === undefined ? 'another value' : allowedWords(at);
  const shown = unlessSecret(path, value);
  const where = key === '' ? '' : `${key}: `;
  const message =
    value === undefined
      ? `${where}is missing; expected ${allowed}`
      : `${where}${valueWords(shown)} is not allowed; expected ${allowed}`;
  return { key, value: brief(shown), allowed, message };
}

function unlessSecret(path: readonly unknown[], value: unknown): unknown {
  return secretKeys.has(String(path.at(-1))) ? '[redacted]' : value;
}

/** What of a value goes into an answer or a log: bounded, however large or deep it is. */
function brief(value: unknown): InputFault['value'] {
  switch (typeof value) {
    case 'string':
      return value.slice(0, 200);
    case 'number':
    case 'boolean':
    case 'undefined':
      return value;
    default:
      return value === null ? value : valueWords(value);
  }
}

function schemaAt(root: SchemaNode, path: readonly unknown[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const key of path) {
    const inner: SchemaNode = unwrap(node);
    node = inner.item ?? entriesOf(inner)?.[String(key)];
    if (node === undefined) return undefined;
  }
  return node;
}

/** `a.b[0].c`, bounded */
function keyText(path: readonly unknown[]): string {
  return path
    .map((key, index) =>
      typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`,
    )
    .join('')
    .slice(0, 200);
}
