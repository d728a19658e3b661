import type { IncomingMessage } from 'node:http';
import type * as v from 'valibot';
import { checkInput, faultSentences } from '../errors/check-input.ts';
import { EarshotError } from '../errors/earshot-error.ts';

/** The parameters of the URL of a request for a WebSocket as `schema` has them. Throws API_QUERY_INVALID. */
export function checkUpgradeQuery<S extends v.GenericSchema>(
  schema: S,
  { url = '' }: IncomingMessage,
): v.InferOutput<S> {
  const [, query = ''] = url.split('?');
  return checkQuery(schema, Object.fromEntries(new URLSearchParams(query)));
}

/** The parameters of a URL as `schema` has them. Throws API_QUERY_INVALID. */
export function checkQuery<S extends v.GenericSchema>(
  schema: S,
  query: Readonly<Record<string, string>>,
): v.InferOutput<S> {
  const result = checkInput(schema, query);
  if (result.ok) return result.value;
  throw new EarshotError('API_QUERY_INVALID', `URL: ${faultSentences(result.faults)}`);
}
