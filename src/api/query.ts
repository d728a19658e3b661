import type * as v from 'valibot';
import { checkInput, faultSentences } from '../errors/check-input.ts';
import { EarshotError } from '../errors/earshot-error.ts';

/** The parameters of a URL as `schema` has them. Throws API_QUERY_INVALID. */
export function checkQuery<S extends v.GenericSchema>(
  schema: S,
  query: Readonly<Record<string, string>>,
): v.InferOutput<S> {
  const result = checkInput(schema, query);
  if (result.ok) return result.value;
  throw new EarshotError('API_QUERY_INVALID', `URL: ${faultSentences(result.faults)}`);
}
