import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { AgentLink, type GuestProgram } from './agent-link.ts';
import { guestImage } from './guest-image.ts';
import { QemuMonitor } from './qemu-monitor.ts';

export { GuestProgram } from './agent-link.ts';
export { guestDenied } from './guest-image.ts';

/**
 * Another machine with a Linux kernel of its own: Debian's, in QEMU without any help of the processor's. Its
 * modules stand for hardware (vivid for an HDMI input, dummy_hcd for a USB port, snd-aloop for a card), and this
 * checkout is there under the same path as here, read-only.
 *
 * ```ts
 * const guest = await startGuest({ forward: [{ protocol: 'tcp', guestPort: 8080 }] });
 * await guest.run(['modprobe', 'vivid']);
 * const earshot = guest.spawn(['node', 'src/earshot.ts']);
 * await fetch(`http://127.0.0.1:${guest.hostPort('tcp', 8080)}/`);
 * await guest.stop();
 * ```
 *
 * Everything in it takes about ten times as long as here. It ends with this process, even when that is killed.
 */

const bootDeadlineMs = 120_000;
const runDeadlineMs = 60_000;
const consoleLines = 30;

/** The checkout this file is in. */
const checkout = resolve(import.meta.dirname, '../../..');

export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  readonly guestPort: number;
}

export interface GuestOptions {
  /** Ports of the guest that can be reached from here, at 127.0.0.1. */
  readonly forward?: readonly Forward[];
  /** In MB; 1,024 by default. */
  readonly memory?: number;
  /** Until it runs programs; 120 s by default. */
  readonly bootDeadlineMs?: number;
}

export interface GuestResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface SpawnOptions {
  /** Where in the guest; the checkout by default. */
  readonly directory?: string;
}

export interface RunOptions extends SpawnOptions {
  /** Then it is killed; 60 s by default. */
  readonly timeoutMs?: number;
}

interface Share {
  readonly tag: string;
  readonly path: string;
  readonly writable: boolean;
}

/** A guest that runs; {@link startGuest} makes one. */
export class Guest {
  /** A directory that both see under this path; it goes with the guest. */
  readonly scratch: string;
  readonly #qemu: ChildProcess;
  readonly #link: AgentLink;
  readonly #ports: ReadonlyMap<string, number>;

  constructor(parts: {
    readonly qemu: ChildProcess;
    readonly link: AgentLink;
    readonly scratch: string;
    readonly ports: ReadonlyMap<string, number>;
  }) {
    this.#qemu = parts.qemu;
    this.#link = parts.link;
    this.scratch = parts.scratch;
    this.#ports = parts.ports;
  }

  /** The process that is the guest. */
  get pid(): number {
    return this.#qemu.pid ?? 0;
  }

  /** Where a port that was to be forwarded is, at 127.0.0.1. */
  hostPort(protocol: 'tcp' | 'udp', guestPort: number): number {
    const port = this.#ports.get(`${protocol} ${guestPort}`);
    if (port === undefined) throw new Error(`${protocol} port ${guestPort} is not forwarded`);
    return port;
  }

  /**
   * Runs a program to its end, whatever its code. Throws when it does not end in time, or when a signal ends it.
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<GuestResult> {
    const { timeoutMs = runDeadlineMs } = options;
    const program = this.spawn(argv, options);
    program.stdin.end();
    const [stdout, stderr] = [collect(program.stdout), collect(program.stderr)];
    const timer = setTimeout(() => program.kill('SIGKILL'), timeoutMs);
    const [code, signal] = await once(program, 'close');
    clearTimeout(timer);
    const said = { stdout: stdout(), stderr: stderr() };
    if (typeof code === 'number') return { ...said, code };
    const command = argv.join(' ');
    throw new Error(
      `"${command}" was ended in the guest by ${String(signal)} (deadline ${timeoutMs} ms)\n${said.stdout}${said.stderr}`,
    );
  }

  /** Like {@link run}, of a line of shell; throws for any code but 0, with what it complained of. */
  async shell(line: string, options?: RunOptions): Promise<string> {
    const { stdout, stderr, code } = await this.run(['sh', '-ec', line], options);
    if (code !== 0) throw new Error(`"${line}" ended in the guest with ${code}: ${stderr}`);
    return stdout;
  }

  /** Starts a program, which ends with the guest. */
  spawn(argv: readonly string[], { directory = checkout }: SpawnOptions = {}): GuestProgram {
    return this.#link.start(['env', `PATH=${path()}`, ...argv], directory);
  }

  /** Turns it off and takes its directory away; idempotent. */
  async stop(): Promise<void> {
    await end(this.#qemu);
    this.#link.close();
    await rm(this.scratch, { recursive: true, force: true });
  }
}

/** Boots a guest, making its image first where there is none yet. Throws with what its console said last. */
export async function startGuest(options: GuestOptions = {}): Promise<Guest> {
  const image = await guestImage();
  const scratch = await mkdtemp(join(tmpdir(), 'earshot-guest-'));
  const shares = [...sharedDirectories(), { tag: 'scratch', path: scratch, writable: true }];
  const qemu = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...machine(options), ...disk(image)].concat(
      network(options.forward ?? []),
      shares.flatMap(shareArguments),
    ),
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] },
  );
  const said = lastLines(qemu);
  const [agent, monitor] = [qemu.stdio[3], qemu.stdio[4]];
  try {
    if (!(agent instanceof Socket && monitor instanceof Socket)) throw new Error('no sockets');
    const link = new AgentLink(agent);
    await untilReady(qemu, link, options.bootDeadlineMs ?? bootDeadlineMs);
    const ports = hostPorts(await new QemuMonitor(monitor).print('info usernet'));
    const guest = new Guest({ qemu, link, scratch, ports });
    for (const share of shares) await guest.shell(mountLine(share), { directory: '/' });
    return guest;
  } catch (cause) {
    await end(qemu);
    await rm(scratch, { recursive: true, force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the guest did not start: ${why}; it said last:\n${said()}`, { cause });
  }
}

function machine({ memory = 1_024 }: GuestOptions): string[] {
  return [
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2'],
    ...['-m', String(memory), '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-serial', 'stdio'],
    ...['-device', 'virtio-serial-pci', '-chardev', 'socket,id=agent,fd=3'],
    ...['-device', 'virtserialport,chardev=agent,name=agent'],
    ...['-chardev', 'socket,id=monitor,fd=4', '-mon', 'chardev=monitor,mode=control'],
  ];
}

function disk({
  kernel,
  initramfs,
  root,
}: Readonly<Record<'kernel' | 'initramfs' | 'root', string>>): string[] {
  // What guards against attackers costs twice in emulation, and there are none in here.
  const unguarded = 'mitigations=off nokaslr init_on_alloc=0 apparmor=0 audit=0';
  const words = `console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check ${unguarded}`;
  const drive = `file=${root},format=raw,if=virtio,snapshot=on`;
  return ['-kernel', kernel, '-initrd', initramfs, '-append', words, '-drive', drive];
}

/** QEMU chooses free ports for those left out; `info usernet` tells which. */
function network(forward: readonly Forward[]): string[] {
  const rules = forward.map(
    ({ protocol, guestPort }) => `,hostfwd=${protocol}:127.0.0.1:0-:${guestPort}`,
  );
  const user = `user,id=net,net=10.0.2.0/24${rules.join('')}`;
  return ['-netdev', user, '-device', 'virtio-net-pci,netdev=net'];
}

function hostPorts(usernet: string): Map<string, number> {
  const line = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/gm;
  return new Map(
    [...usernet.matchAll(line)].map(([, protocol = '', host, guest]) => [
      `${protocol.toLowerCase()} ${guest}`,
      Number(host),
    ]),
  );
}

/** The checkout, and its modules and their Node where a link leads out of it. */
function sharedDirectories(): Share[] {
  const wanted = [
    checkout,
    realpathSync(join(checkout, 'node_modules')),
    dirname(realpathSync(process.execPath)),
  ];
  const apart = wanted.filter((each, index) => {
    const before = wanted.slice(0, index);
    return !before.some((other) => !relative(other, each).startsWith('..'));
  });
  return apart.map((path, index) => ({ tag: `share${index}`, path, writable: false }));
}

function shareArguments({ tag, path, writable }: Share): string[] {
  const access = writable ? '' : ',readonly=on';
  // A path with a comma in it has to be written with two.
  const from = `path=${path.replaceAll(',', ',,')},security_model=none,multidevs=remap${access}`;
  return [
    ...['-fsdev', `local,id=${tag},${from}`],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

function mountLine({ tag, path, writable }: Share): string {
  // What nobody changes is kept in memory; what both write is asked for each time.
  const access = writable ? 'rw,cache=none' : 'ro,cache=loose';
  return `mkdir -p '${path}'; mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,${access} ${tag} '${path}'`;
}

/** The checkout's Node before the guest's own programs. */
function path(): string {
  const node = join(checkout, 'node_modules/.bin');
  const first = existsSync(join(node, 'node')) ? node : dirname(realpathSync(process.execPath));
  return `${first}:/usr/sbin:/usr/bin:/sbin:/bin`;
}

async function untilReady(qemu: ChildProcess, link: AgentLink, deadlineMs: number): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const timer = setTimeout(() => over.abort(new Error(`not in ${deadlineMs} ms`)), deadlineMs);
  try {
    const ended = once(qemu, 'exit', { signal }).then(([code]) => {
      throw new Error(`QEMU ended with ${String(code)}`);
    });
    await Promise.race([once(link, 'ready', { signal }), ended]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(timer);
    // Whichever of the two still waits.
    over.abort();
  }
}

function lastLines(qemu: ChildProcess): () => string {
  let text = '';
  for (const stream of [qemu.stdout, qemu.stderr]) {
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-16_384);
    });
  }
  return () => text.split('\n').slice(-consoleLines).join('\n');
}

function collect(stream: GuestProgram['stdout']): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return () => text;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
