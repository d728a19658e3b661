import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

/**
 * Compiles the native addons with node-gyp, unless the results are up to date.
 *
 *   node scripts/build-native.ts                  → src/ADDON/native/build/Release (this machine's)
 *   node scripts/build-native.ts --asan           → build/native-asan (AddressSanitizer, UBSan)
 *   node scripts/build-native.ts --arch arm64     → build/native-arm64, with CC, CXX, AR, LINK and
 *                                                   PKG_CONFIG_* of the cross toolchain in the environment
 *   --addon audio|video|platform builds that one alone; other variants of those but audio end in its name.
 *   --nodedir DIR takes Node's headers from there; --force builds in any case.
 */

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

/** Apart, so that a process that needs sound alone never loads what pictures need. */
export const addons = ['audio', 'video', 'platform'] as const;
export type Addon = (typeof addons)[number];

interface Variant {
  /** `audio` when it is left out. */
  readonly addon?: Addon;
  readonly arch: string;
  readonly asan: boolean;
  readonly nodedir: string | undefined;
  readonly force: boolean;
}

const sanitizers =
  '-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g';

function sourceDir({ addon = 'audio' }: Variant): string {
  return join(root, `src/${addon}/native`);
}

/** Where a variant is compiled: in place for this machine, in a copy of the sources otherwise. */
function buildDir(variant: Variant): string {
  const { addon = 'audio', arch, asan } = variant;
  if (!asan && arch === process.arch) return sourceDir(variant);
  return join(root, `build/native-${asan ? 'asan' : arch}${addon === 'audio' ? '' : `-${addon}`}`);
}

async function sources(variant: Variant): Promise<string[]> {
  const files = await readdir(sourceDir(variant));
  return files.filter((file) => /\.(c|h|gyp)$/.test(file)).sort();
}

/** Everything that decides what comes out: sources, compiler and its flags, architecture, this script. */
async function fingerprint(variant: Variant): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await sources(variant)) {
    hash.update(file).update(await readFile(join(sourceDir(variant), file)));
  }
  const { CC, CXX, CFLAGS, LDFLAGS } = process.env;
  hash.update(JSON.stringify([variant.arch, variant.asan, CC, CXX, CFLAGS, LDFLAGS]));
  return hash.update(await readFile(import.meta.filename)).digest('hex');
}

/** The pinned Node's version: the headers are of the same, and an addon of Node-API runs on any newer. */
async function nodeVersion(): Promise<string> {
  const text = await readFile(join(root, 'node_modules/node/package.json'), 'utf8');
  const version: unknown = JSON.parse(text)['version'];
  if (typeof version !== 'string') throw new Error('node_modules/node has no version');
  return version;
}

/**
 * Node's headers: the pinned runtime's package carries them, but npm removes it as extraneous on the
 * next install, so it is fetched from the registry once when it is not there.
 */
async function headers({ arch, nodedir }: Variant): Promise<string> {
  if (nodedir !== undefined) return resolve(nodedir);
  const packageName = `node-linux-${arch === 'arm' ? 'armv7l' : arch}`;
  const version = await nodeVersion();
  const cache = join(root, 'node_modules/.cache/earshot-headers', `${packageName}-${version}`);
  const places = [
    join(root, 'node_modules/node/node_modules', packageName),
    join(root, 'node_modules', packageName),
    cache,
  ];
  const found = places.find((place) => existsSync(join(place, 'include/node/node_api.h')));
  if (found !== undefined) return found;
  await mkdir(dirname(cache), { recursive: true });
  const work = await mkdtemp(join(dirname(cache), 'fetch-'));
  console.log(`[native] fetching Node's headers: ${packageName}@${version}`);
  const { stdout } = await run('npm', ['pack', '--silent', `${packageName}@${version}`], {
    cwd: work,
  });
  const tarball = stdout.trim().split('\n').at(-1) ?? '';
  await run('tar', ['-xzf', tarball, '--strip-components=1', 'package/include'], { cwd: work });
  await rm(join(work, tarball));
  await rename(work, cache);
  return cache;
}

function nodeGyp(): string {
  return join(dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js');
}

async function compile(variant: Variant, directory: string): Promise<void> {
  const args = [
    ...[nodeGyp(), 'rebuild', '--silent', `--directory=${directory}`],
    ...[`--nodedir=${await headers(variant)}`, `--arch=${variant.arch}`],
    `--target_arch=${variant.arch}`,
  ];
  const env = { ...process.env };
  if (variant.asan) {
    env['CFLAGS'] = `${env['CFLAGS'] ?? ''} ${sanitizers}`.trim();
    env['LDFLAGS'] = `${env['LDFLAGS'] ?? ''} -fsanitize=address,undefined`.trim();
  }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`node-gyp ended with ${String(code)}\n${output}`);
}

/** Builds the variant if it is not up to date; returns the path of the addon. */
export async function buildNative(variant: Variant): Promise<string> {
  const directory = buildDir(variant);
  const addon = join(directory, 'build/Release', `earshot_${variant.addon ?? 'audio'}.node`);
  const stamp = join(directory, 'build/fingerprint');
  const wanted = await fingerprint(variant);
  const built = await readFile(stamp, 'utf8').catch(() => '');
  if (!variant.force && built === wanted && existsSync(addon)) return addon;
  const from = sourceDir(variant);
  if (directory !== from) {
    await mkdir(directory, { recursive: true });
    for (const file of await sources(variant)) await cp(join(from, file), join(directory, file));
  }
  const start = performance.now();
  await compile(variant, directory);
  await writeFile(stamp, wanted);
  console.log(`[native] built ${addon} in ${Math.round(performance.now() - start)} ms`);
  return addon;
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      addon: { type: 'string', multiple: true, default: [...addons] },
      arch: { type: 'string', default: process.arch },
      nodedir: { type: 'string' },
      asan: { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
    },
  });
  for (const addon of addons.filter((name) => values.addon.includes(name))) {
    await buildNative({
      addon,
      arch: values.arch,
      asan: values.asan,
      nodedir: values.nodedir,
      force: values.force,
    });
  }
}
