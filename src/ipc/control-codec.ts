import * as v from 'valibot';
import { EarshotError } from '../errors/earshot-error.ts';
import {
  type ControlMessage,
  type ControlType,
  controlSchemas,
  payloadLimits,
} from './messages.ts';

/** The bytes of a control message. Throws IPC_MESSAGE_TOO_LARGE. */
export function encodeControl(type: ControlType, body: object): Buffer {
  const payload = Buffer.from(JSON.stringify(body));
  if (payload.length > payloadLimits.control) {
    throw new EarshotError(
      'IPC_MESSAGE_TOO_LARGE',
      `The ${type} message has ${payload.length} bytes; at most ${payloadLimits.control} are allowed.`,
      { details: { type, bytes: payload.length, limit: payloadLimits.control } },
    );
  }
  return payload;
}

/** Reads and validates a control message. Throws IPC_INVALID_MESSAGE, with the request's `id` where it can be read. */
export function decodeControl(type: ControlType, payload: Buffer): ControlMessage {
  const json = parseJson(type, payload);
  const result = v.safeParse(controlSchemas[type], json);
  if (!result.success) {
    const issue = result.issues[0];
    const key = v.getDotPath(issue) ?? '';
    const where = key === '' ? '' : ` at ${key}`;
    throw new EarshotError(
      'IPC_INVALID_MESSAGE',
      `A ${type} message is invalid${where}: ${issue.message}`,
      { details: { type, key, ...requestId(json) } },
    );
  }
  // The pair of a type and a body that its own schema has just accepted.
  return { type, body: result.output } as ControlMessage;
}

function parseJson(type: ControlType, payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new EarshotError('IPC_INVALID_MESSAGE', `A ${type} message is not JSON.`, {
      cause,
      details: { type },
    });
  }
}

const withId = v.object({ id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });

function requestId(json: unknown): { readonly id?: number } {
  return v.is(withId, json) ? { id: json.id } : {};
}
