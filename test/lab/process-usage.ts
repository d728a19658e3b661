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

/**
 * CPU time of the processes that `rootPid` started, and those that they started, whose program is named
 * `program` (proc_pid_comm), in ms: of every thread they ever had, to 10 ms a process. Processes that ended are missing.
 */
export async function treeCpuMs(rootPid: number, program: string): Promise<number> {
  let sum = 0;
  for (const pid of await descendants(rootPid)) {
    const [, name, rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(await read(`/proc/${pid}/stat`)) ?? [];
    // utime and stime are the 14th and 15th field (proc_pid_stat); what follows the name begins with the third.
    const [user = 0, system = 0] = rest.split(' ').slice(11, 13).map(Number);
    if (name === program) sum += (user + system) * tickMs;
  }
  return sum;
}

/** USER_HZ is 100 on every architecture that Linux runs on here. */
const tickMs = 10;

/** The processes that `rootPid` started, and those that they started, in no order. */
export async function descendants(rootPid: number): Promise<number[]> {
  const childrenOf = new Map<number, number[]>();
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(await read(`/proc/${pid}/status`))?.[1]);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (const waiting = [rootPid]; ; ) {
    const pid = waiting.pop();
    if (pid === undefined) return found;
    const children = childrenOf.get(pid) ?? [];
    found.push(...children);
    waiting.push(...children);
  }
}

/** Empty when the process ended meanwhile. */
async function read(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

/** Resident memory of a process in MB (10⁶ bytes would be 5 % more: these are MiB, as `ps` and budgets count). */
export function residentMb(pid: number): Promise<number> {
  return statusMb(pid, 'VmRSS');
}

/** Of that, what belongs to the process alone: neither a file's pages, which every process shares, nor shared memory. */
export function ownMb(pid: number): Promise<number> {
  return statusMb(pid, 'RssAnon');
}

async function statusMb(pid: number, line: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kib] = new RegExp(`^${line}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kib) / 1024;
}

/** How busy all processors were between two calls, 0–1: a measurement beside other work is a rough one. */
export class MachineLoad {
  #before: readonly [busy: number, total: number] = [0, 0];

  async start(): Promise<void> {
    this.#before = await ticks();
  }

  /** Share of the processors' time since start() that was not idle. */
  async busy(): Promise<number> {
    const [busy, total] = await ticks();
    const [busyBefore, totalBefore] = this.#before;
    return total === totalBefore ? 0 : (busy - busyBefore) / (total - totalBefore);
  }
}

/** Busy and all ticks of all processors since boot (proc_stat). */
async function ticks(): Promise<readonly [busy: number, total: number]> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return [busy, busy + idle + wait];
}
