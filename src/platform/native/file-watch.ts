import { getSystemErrorName } from 'node:util';
import { type NativePlatform, nativePlatform } from './native-platform.ts';

/** What a descriptor is waited for, or ready for. */
export interface Readiness {
  readonly readable?: boolean;
  readonly writable?: boolean;
  /** POLLPRI: a sysfs attribute changed (sysfs_notify), out-of-band data came. */
  readonly priority?: boolean;
}

export interface FileWatchOptions {
  /** Its owner's: to be closed after the watch. Not of a regular file, which is always ready. */
  readonly fd: number;
  readonly events: Readiness;
  readonly onReady: (ready: Readiness) => void;
  /** The watch has ended; `code` is an errno's name. */
  readonly onError: (code: string) => void;
}

/**
 * Waits for a descriptor on the event loop with neither a thread nor a timer: it is told as long as it is
 * ready for what is wanted. Keeps the event loop open until it is closed.
 */
export class FileWatch {
  readonly #native: NativePlatform;
  readonly #options: FileWatchOptions;
  readonly #watch: object;
  #wanted: number;
  #closed = false;

  /** Throws PLATFORM_NATIVE_MISSING, or the system's error when it cannot be watched. */
  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#native = nativePlatform();
    this.#wanted = bitsOf(options.events);
    this.#watch = this.#native.watch(options.fd, this.#wanted, (status, events) =>
      this.#onReady(status, events),
    );
  }

  /** Changes what is waited for. */
  want(events: Readiness): void {
    const bits = bitsOf(events);
    if (this.#closed || bits === this.#wanted) return;
    this.#wanted = bits;
    this.#native.watchEvents(this.#watch, bits);
  }

  /** Idempotent; nothing is told from here on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#native.unwatch(this.#watch);
  }

  #onReady(status: number, events: number): void {
    if (this.#closed) return;
    if (status < 0) {
      this.close();
      this.#options.onError(getSystemErrorName(status));
      return;
    }
    this.#options.onReady({
      readable: (events & bits.readable) !== 0,
      writable: (events & bits.writable) !== 0,
      priority: (events & bits.priority) !== 0,
    });
  }
}

/** Of libuv (enum uv_poll_event). */
const bits = { readable: 1, writable: 2, priority: 8 } as const;

function bitsOf({ readable = false, writable = false, priority = false }: Readiness): number {
  return (
    (readable ? bits.readable : 0) | (writable ? bits.writable : 0) | (priority ? bits.priority : 0)
  );
}
