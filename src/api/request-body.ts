import type { IncomingMessage } from 'node:http';
import type * as v from 'valibot';
import type { ErrorCode } from '../errors/catalogue.ts';
import { checkInput, faultSentences } from '../errors/check-input.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';

/** A request body may have at most this many bytes, unless its route says otherwise. */
export const defaultBodyLimit = 16 * 1024;

/**
 * Reads a JSON body and validates it. Throws API_UNSUPPORTED_MEDIA_TYPE, API_BODY_TOO_LARGE (before
 * anything is parsed, and before anything is read where the length was announced), API_BODY_INVALID
 * for what is no JSON, and `invalidCode` for JSON that does not match `schema`.
 */
export async function readBody<S extends v.GenericSchema>(
  incoming: IncomingMessage,
  schema: S,
  { invalidCode, bodyLimit }: { readonly invalidCode: ErrorCode; readonly bodyLimit: number },
): Promise<v.InferOutput<S>> {
  const input = parseJson(await readBodyText(incoming, 'application/json', bodyLimit));
  const result = checkInput(schema, input);
  if (result.ok) return result.value;
  throw new EarshotError(invalidCode, faultSentences(result.faults), {
    details: {
      faults: result.faults.map(({ key, value, allowed }) => ({
        key,
        value: value ?? null,
        allowed,
      })),
    },
  });
}

/**
 * Reads a body of one content type, at most `limitBytes` long. Throws API_UNSUPPORTED_MEDIA_TYPE,
 * API_BODY_TOO_LARGE and, when it breaks off, API_BODY_INVALID.
 */
export async function readBodyText(
  incoming: IncomingMessage,
  contentType: string,
  limitBytes: number,
): Promise<string> {
  const type = incoming.headers['content-type'] ?? '';
  if (type.split(';')[0]?.trim().toLowerCase() !== contentType) {
    throw new EarshotError(
      'API_UNSUPPORTED_MEDIA_TYPE',
      `The body has the content type ${JSON.stringify(type.slice(0, 128))}; send ${contentType}.`,
    );
  }
  return await readText(incoming, limitBytes);
}

/** Collects the body without destroying the request, which still has to be answered. */
function readText(incoming: IncomingMessage, limitBytes: number): Promise<string> {
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) {
    return Promise.reject(tooLarge(limitBytes));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (settle: () => void): void => {
      incoming.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= limitBytes) chunks.push(chunk);
      else finish(() => reject(tooLarge(limitBytes)));
    };
    const onEnd = (): void => finish(() => resolve(Buffer.concat(chunks).toString('utf8')));
    const onError = (cause: unknown): void => finish(() => reject(brokenOff(cause)));
    const onClose = (): void => finish(() => reject(brokenOff(undefined)));
    incoming.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EarshotError('API_BODY_INVALID', `The body is not JSON: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

function tooLarge(limitBytes: number): EarshotError {
  return new EarshotError(
    'API_BODY_TOO_LARGE',
    `The body is larger than the ${limitBytes} bytes that are allowed.`,
    { details: { limitBytes } },
  );
}

function brokenOff(cause: unknown): EarshotError {
  return new EarshotError('API_BODY_INVALID', 'The body ended before it was complete.', { cause });
}
