import { readFile } from 'node:fs/promises';

/** One look at a process. */
export interface ProcessSample {
  /** User and system time it has used, in ms. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** CPU of one core in percent between two looks, and resident memory. */
export interface ProcessUsage {
  readonly cpuPercent: number;
  readonly rssBytes: number;
}

/** USER_HZ: what /proc counts CPU time in, 100 per second on every Linux architecture Node runs on. */
const ticksPerS = 100;

/**
 * CPU time in ms of a line of /proc/<pid>/stat (proc(5): fields 14 and 15, utime and stime);
 * undefined when it is none. The command name, field 2, may itself hold spaces and brackets.
 */
export function parseStat(text: string): number | undefined {
  const afterName = text.lastIndexOf(')');
  if (afterName === -1) return undefined;
  const fields = text
    .slice(afterName + 1)
    .trim()
    .split(/\s+/);
  // Field 3 is the first after the name.
  const utime = Number(fields[14 - 3]);
  const stime = Number(fields[15 - 3]);
  const ticks = utime + stime;
  return Number.isFinite(ticks) ? (ticks * 1_000) / ticksPerS : undefined;
}

/**
 * Resident memory in bytes from /proc/<pid>/status. It is in kB there, while statm counts pages,
 * whose size differs between ARM kernels and which Node cannot ask for.
 */
export function parseStatus(text: string): number | undefined {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(text);
  return match === null ? undefined : Number(match[1]) * 1_024;
}

/** Looks at a process; undefined when it is gone, or a zombie. */
export async function sampleProcess(pid: number): Promise<ProcessSample | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const cpuMs = parseStat(stat);
    const rssBytes = parseStatus(status);
    return cpuMs === undefined || rssBytes === undefined ? undefined : { cpuMs, rssBytes };
  } catch {
    // It ended between two looks; its exit is reported elsewhere.
    return undefined;
  }
}

/** CPU in percent of one core from `before` to `after`, `elapsedMs` later. */
export function cpuPercent(before: ProcessSample, after: ProcessSample, elapsedMs: number): number {
  if (elapsedMs <= 0) return 0;
  return Math.max(0, ((after.cpuMs - before.cpuMs) / elapsedMs) * 100);
}
