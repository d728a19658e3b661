import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Who has a file open: `name (pid)`. Of processes whose descriptors we may not see nothing is told. */
export async function openHolders(procRoot: string, path: string): Promise<readonly string[]> {
  const processes = (await readdir(procRoot).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(
    processes.map(async (pid) => {
      const directory = join(procRoot, pid, 'fd');
      for (const fd of await readdir(directory).catch(() => [])) {
        const target = await readlink(join(directory, fd)).catch(() => '');
        if (target === path) return `${await processName(procRoot, pid)} (${pid})`;
      }
      return undefined;
    }),
  );
  return holders.filter((holder) => holder !== undefined);
}

async function processName(procRoot: string, pid: string): Promise<string> {
  return (await readFile(join(procRoot, pid, 'comm'), 'utf8').catch(() => 'process')).trim();
}
