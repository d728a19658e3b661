import { readdir, readFile } from 'node:fs/promises';

/** CPU time that the living threads of a process have used, in ms (proc_pid_schedstat, ns resolution). */
export async function cpuMs(pid: number): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const used = await Promise.all(
    tasks.map(async (task) => {
      try {
        const [ns = '0'] = (await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8')).split(
          ' ',
        );
        return Number(ns) / 1e6;
      } catch {
        return 0; // The thread ended meanwhile.
      }
    }),
  );
  return used.reduce((sum, ms) => sum + ms, 0);
}

/** Resident memory of a process in MB (10⁶ bytes would be 5 % more: these are MiB, as `ps` and budgets count). */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kib) / 1024;
}
