import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What a guest boots from: made once of Debian's packages, and kept for as long as the recipe is the same. */
export interface GuestImage {
  readonly kernel: string;
  readonly initramfs: string;
  /** An ext4 file system; a guest's changes to it are never written. */
  readonly root: string;
}

/** What decides what comes out, besides the release of Debian. */
const recipe = ['build-image.sh', 'early-init.sh', 'init.sh', 'agent.c'];

/** Debian's packages are fetched and unpacked: two minutes on a slow machine and a quick network. */
const buildDeadlineMs = 900_000;

/** Where finished images are. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'earshot-lab');

/** Programs and the Debian packages they come from. */
const needed: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  setpriv: 'util-linux',
};
const neededToBuild: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  cc: 'gcc',
};

/** Why no guest can be started here; undefined where one can. */
export function guestDenied(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `a guest has this machine's programs, and only x86-64 Linux is prepared for; this is ${process.arch} ${process.platform}`;
  }
  const release = debianRelease();
  if (release === undefined) {
    return "a guest has this machine's programs and Debian's libraries; this is not Debian";
  }
  if (existsSync(imagePath(release))) return missing(needed);
  if (process.getuid?.() !== 0) return 'making the guest image needs root';
  return missing({ ...needed, ...neededToBuild });
}

/** The image, which is made when it is not there yet. Throws with the step that failed. */
export async function guestImage(): Promise<GuestImage> {
  const denied = guestDenied();
  const release = debianRelease();
  if (denied !== undefined || release === undefined) throw new Error(denied ?? 'not Debian');
  const path = imagePath(release);
  if (!existsSync(path)) await build(path, release);
  return {
    kernel: join(path, 'vmlinuz'),
    initramfs: join(path, 'initramfs.cpio'),
    root: join(path, 'root.ext4'),
  };
}

/** Made beside its place and moved there whole; of two that are made at once, the first stays. */
async function build(path: string, release: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  await removeAbandoned();
  const work = await mkdtemp(`${path}.`);
  try {
    const script = join(import.meta.dirname, 'build-image.sh');
    const builder = spawn('setpriv', ['--pdeathsig', 'KILL', 'bash', script, work, release], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it started ends with it.
      detached: true,
    });
    let said = '';
    for (const stream of [builder.stdout, builder.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4_000);
      });
    }
    const timer = setTimeout(() => process.kill(-(builder.pid ?? 0), 'SIGKILL'), buildDeadlineMs);
    const [code, signal] = await once(builder, 'close');
    clearTimeout(timer);
    if (code !== 0) {
      const how = signal === null ? `ended with ${code}` : `was ended after ${buildDeadlineMs} ms`;
      throw new Error(`the guest image for Debian ${release} was not made: it ${how}\n${said}`);
    }
    await rename(work, path).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What a build left that was killed with the process that wanted it. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    const isWork = /^guest-[0-9a-f]+\.\w+$/.test(name);
    if (!isWork || Date.now() - (await stat(path)).mtimeMs < 2 * buildDeadlineMs) continue;
    await rm(path, { recursive: true, force: true });
  }
}

function imagePath(release: string): string {
  const hash = createHash('sha256').update(release);
  for (const file of recipe) hash.update(readFileSync(join(import.meta.dirname, file)));
  return join(cache, `guest-${hash.digest('hex').slice(0, 16)}`);
}

/** The release's name; undefined on anything but Debian, whose addons would need other libraries. */
function debianRelease(): string | undefined {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    if (!/^ID=debian$/m.test(text)) return undefined;
    return /^VERSION_CODENAME=([a-z]+)$/m.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function missing(programs: Readonly<Record<string, string>>): string | undefined {
  for (const [program, from] of Object.entries(programs)) {
    try {
      execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'pipe' });
    } catch {
      return `a guest needs ${program}, of the Debian package ${from}`;
    }
  }
  return undefined;
}
