import type * as v from 'valibot';

/**
 * Says in words what a valibot schema allows: for messages about bad input and for the tables of the
 * documentation, so that both always agree with the schema that decides.
 */

/** What is read of a schema or of one step of its pipe. */
export interface SchemaNode {
  readonly kind: string;
  readonly type: string;
  readonly expects?: string | null;
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly wrapped?: SchemaNode;
  readonly item?: SchemaNode;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly default?: unknown;
  readonly pipe?: readonly SchemaNode[];
  readonly requirement?: unknown;
  readonly message?: unknown;
}

/** The schema beneath `optional`, `nullable` and the like. */
export function unwrap(schema: SchemaNode): SchemaNode {
  return schema.wrapped === undefined ? schema : unwrap(schema.wrapped);
}

/** The keys of an object schema, or undefined for any other. */
export function entriesOf(schema: SchemaNode): Readonly<Record<string, SchemaNode>> | undefined {
  return unwrap(schema).entries;
}

/** True when the key may be left out. */
export function isOptional(schema: SchemaNode): boolean {
  return schema.wrapped !== undefined && schema.type !== 'nullable';
}

/** What `schema` allows, as the end of a sentence: `a whole number from 0 to 65535`. */
export function allowedWords(schema: SchemaNode): string {
  const node = unwrap(schema);
  switch (node.type) {
    case 'number':
      return numberWords(node);
    case 'string':
      return stringWords(node);
    case 'boolean':
      return 'true or false';
    case 'literal':
      return valueWords(node.literal);
    case 'picklist':
      return `one of ${(node.options ?? []).map(valueWords).join(', ')}`;
    case 'array':
      return listWords(node);
    case 'union':
      return unionWords(node);
    default:
      return node.entries === undefined
        ? (node.expects ?? 'another value')
        : `a map of ${Object.keys(node.entries).join(', ')}`;
  }
}

/** Text that cannot be taken for a number, a list or anything else than itself. */
const bareWord = /^[a-z/[][\w.:/=,[\]-]{0,79}$/i;
const keywords = new Set(['true', 'false', 'null']);

/** A value as a person writes it: bare words and numbers, everything else as JSON, shortened. */
export function valueWords(value: unknown): string {
  if (typeof value === 'string' && bareWord.test(value) && !keywords.has(value)) return value;
  const text = jsonText(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Nested so deeply that it cannot be written down.
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}

function steps(node: SchemaNode): readonly SchemaNode[] {
  return (node.pipe ?? []).slice(1);
}

function requirement(node: SchemaNode, type: string): unknown {
  return steps(node).find((step) => step.type === type)?.requirement;
}

function range(least: unknown, most: unknown): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined) return ` of at least ${least}`;
  return most === undefined ? '' : ` of at most ${most}`;
}

function numberWords(node: SchemaNode): string {
  const whole = steps(node).some((step) => step.type === 'integer' || step.type === 'safe_integer');
  return `${whole ? 'a whole number' : 'a number'}${range(requirement(node, 'min_value'), requirement(node, 'max_value'))}`;
}

function stringWords(node: SchemaNode): string {
  const kind = steps(node).some((step) => step.type === 'ip')
    ? 'an IP address'
    : requirement(node, 'starts_with') === '/'
      ? 'an absolute path'
      : 'a text';
  const longest = requirement(node, 'max_length');
  const own = steps(node).flatMap((step) =>
    typeof step.message === 'string' ? [step.message] : [],
  );
  const limited = longest === undefined ? kind : `${kind} of at most ${longest} characters`;
  return [limited, ...own.map((text) => `which ${text}`)].join(' ');
}

function listWords(node: SchemaNode): string {
  const item = node.item === undefined ? '' : `, each ${allowedWords(node.item)}`;
  const least = requirement(node, 'min_length');
  const most = requirement(node, 'max_length');
  return `a list${range(least, most)}${least === undefined && most === undefined ? '' : ' entries'}${item}`;
}

function unionWords({ options = [] }: SchemaNode): string {
  return options.flatMap((option) => (isNode(option) ? [allowedWords(option)] : [])).join(', or ');
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && 'kind' in value && 'type' in value;
}

/** The node of a schema from valibot. */
export function schemaNode(schema: v.GenericSchema): SchemaNode {
  return schema;
}
