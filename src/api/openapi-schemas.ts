import type { ConversionConfig, JsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { ErrorCode } from '../errors/catalogue.ts';
import type { SchemaNode } from '../errors/schema-words.ts';
import * as hidSchemas from './hid-schema.ts';
import * as schemas from './schema.ts';

/** Schemas of valibot as the JSON Schema of OpenAPI 3.1 (draft 2020-12). */

/** What is left out and has a default may be missing in an `input`, and is there in an `output`. */
type Direction = 'input' | 'output';

export interface SchemaWriter {
  /** Answers by reference where they have a name, everything else written out. */
  write(node: SchemaNode, direction: Direction): JsonSchema;
  /** The envelope of an error with one of these codes. */
  error(codes: readonly ErrorCode[]): JsonSchema;
  /** Every named schema that was referred to. */
  components(): Record<string, JsonSchema>;
}

const reference = (name: string): string => `#/components/schemas/${name}`;

/** Loads the converter, which nothing else needs. */
export async function jsonSchemas(): Promise<SchemaWriter> {
  const { toJsonSchema } = await import('@valibot/to-json-schema');
  const names = namedSchemas();
  const used = new Map<string, v.GenericSchema>();
  const convert = (schema: v.GenericSchema, typeMode: Direction): JsonSchema => {
    const config: ConversionConfig = { target: 'draft-2020-12', typeMode, errorMode: 'ignore' };
    const { $schema, ...rest } = toJsonSchema(schema, config);
    return rest;
  };
  return {
    write(node, direction) {
      if (!isSchema(node)) return {};
      const name = direction === 'output' ? names.get(node) : undefined;
      if (name === undefined) return convert(node, direction);
      used.set(name, node);
      return { $ref: reference(name) };
    },
    error(codes) {
      used.set('Error', schemas.errorBodySchema);
      const code: JsonSchema = { enum: [...codes] };
      const one = { properties: { error: { properties: { code } } } };
      return { allOf: [{ $ref: reference('Error') }, one] };
    },
    components: () =>
      Object.fromEntries(
        [...used].sort().map(([name, schema]) => [name, convert(schema, 'output')]),
      ),
  };
}

/** `SetQuality` for `setQualitySchema`, and so on. */
function namedSchemas(): ReadonlyMap<object, string> {
  const names = new Map<object, string>();
  for (const [key, value] of Object.entries({ ...schemas, ...hidSchemas })) {
    if (typeof value !== 'object' || !key.endsWith('Schema')) continue;
    const name = key.slice(0, -'Schema'.length);
    names.set(value, `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`);
  }
  return names;
}

/** A node of {@link SchemaNode} is one of valibot's schemas, looked at as data. */
function isSchema(node: SchemaNode): node is SchemaNode & v.GenericSchema {
  return node.kind === 'schema' && '~run' in node;
}
