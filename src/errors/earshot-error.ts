import { type ErrorCode, errorCatalogue } from './catalogue.ts';

/** What an {@link EarshotError} may carry beside its code. */
export interface ErrorOptions {
  /** The error that led to this one, kept for the log. */
  readonly cause?: unknown;
  /** The offending thing, its value and what is allowed, as fields (for JSON answers and logs). */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An error of Earshot's own: a stable `code` from the catalogue, a message that says what was
 * wrong and what would be right, and fields that say it again for programs.
 */
export class EarshotError extends Error {
  override readonly name = 'EarshotError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** The HTTP status an API answer carries for this error. */
  get httpStatus(): number {
    return errorCatalogue[this.code].http;
  }

  /** The exit code of a process that ends because of this error (docs/errors.md). */
  get exitCode(): number {
    return errorCatalogue[this.code].exit;
  }
}

/** True for an {@link EarshotError}, with that code where one is given. */
export function isEarshotError(error: unknown, code?: ErrorCode): error is EarshotError {
  return error instanceof EarshotError && (code === undefined || error.code === code);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
