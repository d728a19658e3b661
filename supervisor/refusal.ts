import { type EarshotError, isEarshotError } from '../src/errors/earshot-error.ts';

/** Exit code for a bad configuration or installation (sysexits.h, EX_CONFIG). */
const exitConfig = 78;

/**
 * True when a child answered that what it was asked for is wrong (its code stands for a 4xx answer,
 * as QUALITY_INVALID does) or that it can never run here (exit code 78, as AUDIO_NATIVE_MISSING):
 * asking again, or restarting it, would change nothing.
 */
export function isRefusal(error: unknown): error is EarshotError {
  return isEarshotError(error) && (error.httpStatus < 500 || error.exitCode === exitConfig);
}
