import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';

/**
 * Two machines and a cable between them, on this one: network namespaces joined by a pair of virtual network cards, with IPv4 and
 * IPv6, and a rate that can be set while packets flow.
 *
 * ```ts
 * const network = await startNetwork();
 * await network.device.limit({ rateKbps: 1_000 }); // what the device sends
 * await network.viewer.run('ping', ['-c1', network.device.ipv4]);
 * await network.stop();
 * ```
 *
 * The namespaces have no names: each lives as long as a process in it, and the processes end with this one, even
 * when it is killed. So nothing is ever left behind, and runs beside each other are strangers.
 */

const execute = promisify(execFile);
const startDeadlineMs = 5_000;
const runDeadlineMs = 10_000;
const multicast = '224.0.0.0/4';

/** A token bucket in front of what a side sends (tc-tbf). */
export interface RateLimit {
  readonly rateKbps: number;
  /** The longest a packet waits before it is dropped; 400 by default. */
  readonly latencyMs?: number;
  /** What passes at once; the least that reaches the rate by default. */
  readonly burstBytes?: number;
}

/** As tc shows a side's queues. */
const queuesSchema = v.array(v.object({ backlog: v.number() }));

/** Why there can be no namespaces here; undefined where there can. */
export function networkDenied(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `network namespaces are not permitted here: ${String(error).trim()}`;
  }
}

/** One side: a network of its own in which programs run. */
export class NetworkSide {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly #link: string;
  readonly #keeper: ChildProcess;
  readonly #spawned = new Set<ChildProcess>();
  readonly #directories: string[] = [];

  constructor(options: { link: string; ipv4: string; ipv6: string; keeper: ChildProcess }) {
    this.#link = options.link;
    this.ipv4 = options.ipv4;
    this.ipv6 = options.ipv6;
    this.#keeper = options.keeper;
  }

  /** The process that keeps the namespace. */
  get pid(): number {
    if (this.#keeper.pid === undefined) throw new Error('the namespace was never made');
    return this.#keeper.pid;
  }

  /** Words of a command line that run the rest of it on this side. They become it: the process id is its own. */
  get prefix(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--'];
  }

  /** Runs a program to its end and returns what it printed. Throws with what it complained of, and after 10 s. */
  async run(program: string, args: readonly string[]): Promise<string> {
    const [nsenter = '', ...rest] = this.prefix;
    const options = { timeout: runDeadlineMs, killSignal: 'SIGKILL' } as const;
    const { stdout } = await execute(nsenter, [...rest, program, ...args], options);
    return stdout;
  }

  /** Starts a program; it ends with the network, or with this process. Its output is piped. */
  spawn(program: string, args: readonly string[]): ChildProcess {
    const command = ['--pdeathsig', 'KILL', ...this.prefix, program, ...args];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#spawned.add(child);
    child.once('exit', () => this.#spawned.delete(child));
    return child;
  }

  /** A file to run in place of a program, by what takes no {@link prefix}: it becomes the program, on this side. */
  async launcher(program: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'earshot-side-'));
    this.#directories.push(directory);
    const file = join(directory, basename(program));
    await writeFile(file, `#!/bin/sh\nexec ${this.prefix.join(' ')} '${program}' "$@"\n`, {
      mode: 0o755,
    });
    return file;
  }

  /** Sets what this side may send, at once and while packets flow; undefined: all it can. */
  async limit(limit: RateLimit | undefined): Promise<void> {
    const device = ['dev', this.#link, 'root'];
    if (limit === undefined) {
      // Without a limit there is nothing to take away: the default queue comes in its place.
      await this.run('tc', ['qdisc', 'replace', ...device, 'pfifo']);
      return;
    }
    const { rateKbps, latencyMs = 400, burstBytes = leastBurst(rateKbps) } = limit;
    const bucket = [
      'rate',
      `${rateKbps}kbit`,
      'burst',
      `${burstBytes}b`,
      'latency',
      `${latencyMs}ms`,
    ];
    await this.run('tc', ['qdisc', 'replace', ...device, 'tbf', ...bucket]);
  }

  /** Bytes that wait behind the limit now. */
  async queuedBytes(): Promise<number> {
    const shown = await this.run('tc', ['-s', '-j', 'qdisc', 'show', 'dev', this.#link]);
    const [queue] = v.parse(queuesSchema, JSON.parse(shown));
    return queue?.backlog ?? 0;
  }

  /** Packets that the limit dropped so far. */
  async dropped(): Promise<number> {
    const [, count] =
      /dropped (\d+)/.exec(await this.run('tc', ['-s', 'qdisc', 'show', 'dev', this.#link])) ?? [];
    return Number(count ?? 0);
  }

  /**
   * Loses what this side sends to these addresses from now on, without a word to anybody; false: no more. Its
   * cable stays plugged in.
   */
  async blackhole(addresses: readonly string[], isLost: boolean): Promise<void> {
    for (const address of addresses) {
      // A neighbour that nobody is.
      const target = [address, 'dev', this.#link];
      const change = ['replace', ...target, 'lladdr', '02:00:00:00:00:01', 'nud', 'permanent'];
      await this.run('ip', ['neigh', ...(isLost ? change : ['del', ...target])]);
    }
  }

  /** Pulls the cable out of its card, or plugs it in again. */
  async plug(isIn: boolean): Promise<void> {
    await this.run('ip', ['link', 'set', this.#link, isIn ? 'up' : 'down']);
    // The kernel forgets these when the link goes.
    const address = [`${this.ipv6}/64`, 'dev', this.#link, 'nodad'];
    if (!isIn) return;
    await this.run('ip', ['-6', 'addr', 'replace', ...address]);
    await this.run('ip', ['route', 'replace', multicast, 'dev', this.#link]);
  }

  /** Has another IPv4 address in place of its own from now on, as in another network. */
  async readdress(address: string): Promise<void> {
    await this.run('ip', ['addr', 'del', `${this.ipv4}/24`, 'dev', this.#link]);
    await this.run('ip', ['addr', 'add', `${address}/24`, 'dev', this.#link]);
  }

  /** Ends what runs here, and with it the namespace. */
  async stop(): Promise<void> {
    await Promise.all([...this.#spawned, this.#keeper].map(end));
    for (const directory of this.#directories.splice(0)) {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

export interface Network {
  readonly device: NetworkSide;
  readonly viewer: NetworkSide;
  /** Ends both sides and what runs in them; idempotent. */
  stop(): Promise<void>;
}

/** Makes the two sides and joins them. Throws with the reason where that is not permitted. */
export async function startNetwork(): Promise<Network> {
  const denied = networkDenied();
  if (denied !== undefined) throw new Error(denied);
  const device = await startSide({ link: 'device', ipv4: '10.99.0.1', ipv6: 'fd99::1' });
  try {
    const viewer = await startSide({ link: 'viewer', ipv4: '10.99.0.2', ipv6: 'fd99::2' });
    const stop = async (): Promise<void> => {
      await Promise.all([device.stop(), viewer.stop()]);
    };
    try {
      // Made inside: this machine's own network never sees either end.
      const pair = ['type', 'veth', 'peer', 'name', 'viewer', 'netns', String(viewer.pid)];
      await device.run('ip', ['link', 'add', 'device', ...pair]);
      await Promise.all([address(device, 'device'), address(viewer, 'viewer')]);
      return { device, viewer, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    await device.stop();
    throw error;
  }
}

async function startSide(options: {
  readonly link: string;
  readonly ipv4: string;
  readonly ipv6: string;
}): Promise<NetworkSide> {
  // It ends with its input, which ends with this process; the death signal is for where that is not enough.
  const keep = 'ip link set lo up && echo ready && exec cat';
  const keeper = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-c', keep], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await once(keeper.stdout, 'data', { signal: AbortSignal.timeout(startDeadlineMs) });
    return new NetworkSide({ ...options, keeper });
  } catch (cause) {
    await end(keeper);
    throw new Error(`no network namespace within ${startDeadlineMs} ms`, { cause });
  }
}

/**
 * Gives a side its addresses, for good: without duplicate detection, link-local addresses come at once as well,
 * and nothing about the network changes a second later, when a browser makes its connection.
 */
async function address(side: NetworkSide, link: string): Promise<void> {
  const settings = '/proc/sys/net/ipv6/conf';
  const noDetection = `for link in all default ${link}; do echo 0 >${settings}/$link/accept_dad; done`;
  await side.run('sh', ['-ec', noDetection]);
  await side.run('ip', ['addr', 'add', `${side.ipv4}/24`, 'dev', link]);
  await side.run('ip', ['-6', 'addr', 'add', `${side.ipv6}/64`, 'dev', link, 'nodad']);
  await side.run('ip', ['link', 'set', link, 'up']);
  // As every machine with a default route has it: without one, mDNS cannot send, and Chromium, which hides its
  // addresses behind names of it, now and then waits for a name for ever.
  await side.run('ip', ['route', 'add', multicast, 'dev', link]);
}

/** Two whole packets, and what the rate lets through between two ticks of a kernel of 100 Hz. */
function leastBurst(rateKbps: number): number {
  return Math.max(3_100, Math.ceil(rateKbps * 1.25));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
