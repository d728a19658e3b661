import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, readlink, rmdir, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** An entry of a directory. */
export interface ConfigfsEntry {
  readonly name: string;
  readonly kind: 'directory' | 'link' | 'file';
}

/** How a gadget's directories are acted on; paths are relative to the root. Errors are the system's. */
export interface Configfs {
  /** Undefined when it is not there. */
  read(path: string): Promise<Buffer | undefined>;
  /** Never makes the file: an attribute is there or the kernel lacks it. */
  write(path: string, value: string | Buffer): Promise<void>;
  /** Empty when the directory is not there. */
  list(path: string): Promise<readonly ConfigfsEntry[]>;
  makeDirectory(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** `at` becomes a link to the directory `to`. */
  link(to: string, at: string): Promise<void>;
  /** Where a link leads, as it is written there; undefined when it is none. */
  linkTarget(path: string): Promise<string | undefined>;
  unlink(path: string): Promise<void>;
}

/** How long the kernel may take for one step, in ms: a controller that is let go of may wait seconds for its hardware. */
const stepDeadlineMs = 10_000;

/**
 * The configfs that is mounted at `root`, normally /sys/kernel/config. A step that the kernel does not
 * come back from is given up after 10 s with ETIMEDOUT; the thread that made it is lost.
 */
export function mountedConfigfs(root: string): Configfs {
  const fs = configfsAt(root);
  return {
    read: (path) => inTime(fs.read(path), path),
    write: (path, value) => inTime(fs.write(path, value), path),
    list: (path) => inTime(fs.list(path), path),
    makeDirectory: (path) => inTime(fs.makeDirectory(path), path),
    removeDirectory: (path) => inTime(fs.removeDirectory(path), path),
    link: (to, at) => inTime(fs.link(to, at), at),
    linkTarget: (path) => inTime(fs.linkTarget(path), path),
    unlink: (path) => inTime(fs.unlink(path), path),
  };
}

async function inTime<T>(step: Promise<T>, path: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `the kernel has not come back from ${path} within ${stepDeadlineMs} ms`;
      reject(Object.assign(new Error(text), { code: 'ETIMEDOUT' }));
    }, stepDeadlineMs);
  });
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}

function configfsAt(root: string): Configfs {
  const at = (path: string) => join(root, path);
  return {
    read: (path) => readFile(at(path)).catch(unlessMissing),
    async write(path, value) {
      const file = await open(at(path), constants.O_WRONLY);
      try {
        // One write for a whole value: the kernel takes each as one.
        await file.write(typeof value === 'string' ? Buffer.from(value) : value);
      } finally {
        await file.close();
      }
    },
    async list(path) {
      const entries = await readdir(at(path), { withFileTypes: true }).catch(unlessMissing);
      return (entries ?? []).map((entry) => ({
        name: entry.name,
        kind: entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'file',
      }));
    },
    async makeDirectory(path) {
      await mkdir(at(path));
    },
    removeDirectory: (path) => rmdir(at(path)),
    link: (to, path) => symlink(at(to), at(path)),
    linkTarget: (path) => readlink(at(path)).catch(() => undefined),
    unlink: (path) => unlink(at(path)),
  };
}

/** The name of a system error: `ENOENT`. */
export function errorName(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unlessMissing(error: unknown): undefined {
  if (errorName(error) === 'ENOENT') return undefined;
  throw error;
}
