import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { FileWatch, type Readiness } from '../native/file-watch.ts';
import { nativePlatform } from '../native/native-platform.ts';
import { errorName } from './configfs.ts';

/** What became of a write: the controller has it, an earlier one is still there, or nobody will take it. */
export type WriteResult = 'accepted' | 'busy' | 'gone';

/** A file that takes reports and gives some back, without ever blocking. */
export interface HidFile {
  write(report: Uint8Array): WriteResult;
  /** Whether a report would be taken now: f_hid says no from when the host switches the function off. */
  writable(): boolean;
  /** A report of the host, or undefined when none waits. */
  read(): Uint8Array | undefined;
  /** Changes what `onReady` is called for; readable always is. */
  wantWritable(wanted: boolean): void;
  close(): void;
}

/** Opens a {@link HidFile}. */
export type OpenHidFile = (path: string, onReady: (ready: Readiness) => void) => HidFile;

/** Longest report that is read, in bytes. */
const readBytes = 64;

/**
 * Opens a /dev/hidgN. O_NONBLOCK is what matters: a write that blocks hangs for ever when the host goes,
 * while this one fails with ESHUTDOWN. Throws the system's error.
 */
export const openHidFile: OpenHidFile = (path, onReady) => {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(readBytes);
  let watch: FileWatch;
  try {
    watch = new FileWatch({ fd, events: { readable: true }, onReady, onError() {} });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    write(report) {
      try {
        return writeSync(fd, report) === report.length ? 'accepted' : 'gone';
      } catch (error) {
        return errorName(error) === 'EAGAIN' ? 'busy' : 'gone';
      }
    },
    writable: () => nativePlatform().writable(fd),
    read() {
      try {
        return Uint8Array.from(buffer.subarray(0, readSync(fd, buffer, 0, readBytes, null)));
      } catch {
        return undefined;
      }
    },
    wantWritable: (writable) => watch.want({ readable: true, writable }),
    close() {
      watch.close();
      closeSync(fd);
    },
  };
};
