import * as v from 'valibot';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import { type ViewerMessage, viewerMessageSchema } from './signaling-messages.ts';

const maxMessageCharacters = 64 * 1024;

/** One text frame of a viewer. Throws MEDIA_SIGNALING_INVALID. */
export function readViewerMessage(text: string): ViewerMessage {
  if (text.length > maxMessageCharacters) {
    throw invalidMessage(`A message may have ${maxMessageCharacters} characters at most.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidMessage(`The message is not JSON: ${messageOf(error)}`);
  }
  const result = v.safeParse(viewerMessageSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? 'the message';
  throw invalidMessage(`${path}: ${issue.message}`);
}

/** MEDIA_SIGNALING_INVALID: what a viewer sent makes no sense. */
export function invalidMessage(message: string): EarshotError {
  return new EarshotError('MEDIA_SIGNALING_INVALID', message);
}
