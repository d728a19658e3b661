import type { ServerResponse } from 'node:http';
import type * as v from 'valibot';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import type { Log } from '../log/log.ts';
import type { errorBodySchema } from './schema.ts';

export type ErrorBody = v.InferOutput<typeof errorBodySchema>;

/** The body of an answer that carries `error`. */
export function errorBody({ code, message, details }: EarshotError): ErrorBody {
  const withDetails = Object.keys(details).length > 0 ? { details: { ...details } } : {};
  return { error: { code, message, ...withDetails } };
}

/** An {@link EarshotError} for anything that was thrown; what was not foreseen goes to the log only. */
export function asEarshotError(error: unknown, log: Log): EarshotError {
  if (error instanceof EarshotError) return error;
  log.error(
    { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined },
    'unforeseen error in a request',
  );
  return new EarshotError(
    'INTERNAL',
    'Something went wrong that Earshot did not foresee; the log has the cause.',
    { cause: error },
  );
}

/** Answers with `error` past Hono, for what is refused before a route is looked up. */
export function writeError(outgoing: ServerResponse, error: EarshotError): void {
  const body = JSON.stringify(errorBody(error));
  outgoing.writeHead(error.httpStatus, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  outgoing.end(body);
}
