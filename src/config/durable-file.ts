import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file so that a crash or a power cut at any moment leaves the old content or the new one,
 * never a mixture: write beside it, fsync, rename over it, fsync the directory (the rename itself is
 * not durable before that). Throws what the file system threw; the old content is still there then.
 */
export async function replaceDurably(path: string, text: string, mode = 0o640): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await writeSynced(temporary, text, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** The file a replacement is written to first: one fixed name, so that crashes leave at most one. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

async function writeSynced(path: string, text: string, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames in `directory` durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
