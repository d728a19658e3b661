import { type EarshotError, isEarshotError } from '../src/errors/earshot-error.ts';

/**
 * True when a child answered that what it was asked for is wrong (its code stands for a 4xx answer,
 * as CONFIG_INVALID does): asking again, or restarting it, would change nothing.
 */
export function isRefusal(error: unknown): error is EarshotError {
  return isEarshotError(error) && error.httpStatus < 500;
}
