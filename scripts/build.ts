import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { addons } from './build-native.ts';
import { buildWeb } from './build-web.ts';
import {
  serialportBinding,
  serialportBindingFile,
  serialportPlugin,
} from './serialport-binding.ts';

/**
 * Bundles what the device carries into `dist/`: `earshot.mjs` (the executable), one file a role, the
 * page and the native addons.
 */

const outDir = 'dist';

/** The syntax of the oldest runtime a board has: the last official build for armv7. */
const target = 'node20.11';

/** Some CommonJS dependencies call `require` for Node's own modules; in an ES module it has to be made. */
const banner =
  "import { createRequire as earshotRequire } from 'node:module'; const require = earshotRequire(import.meta.url);";

async function bundleRoles(): Promise<void> {
  await build({
    entryPoints: {
      earshot: 'src/earshot.ts',
      main: 'src/main.ts',
      'audio-input': 'src/audio/input/main.ts',
      'audio-output': 'src/audio/output/main.ts',
      cli: 'src/cli/main.ts',
      video: 'src/video/main.ts',
    },
    outdir: outDir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target,
    banner: { js: banner },
    plugins: [
      serialportPlugin,
      {
        // The executable loads its role's bundle when it knows the role, and nothing else.
        name: 'one-file-a-role',
        setup(context) {
          const roles: Record<string, string> = {
            './main.ts': './main.mjs',
            './audio/input/main.ts': './audio-input.mjs',
            './audio/output/main.ts': './audio-output.mjs',
            './cli/main.ts': './cli.mjs',
            './video/main.ts': './video.mjs',
          };
          context.onResolve({ filter: /^\.\/.*main\.ts$/ }, ({ path, kind }) => {
            const bundle = roles[path];
            return kind === 'dynamic-import' && bundle !== undefined
              ? { path: bundle, external: true }
              : undefined;
          });
        },
      },
    ],
    minifySyntax: true,
    // V8 keeps the text: without its indentation the main process is 6 MiB smaller. Names stay, for stack
    // traces, and so do lines, since Node prints the one that threw.
    minifyWhitespace: true,
    lineLimit: 160,
    legalComments: 'none',
    logLevel: 'warning',
  });
  await chmod(`${outDir}/earshot.mjs`, 0o755);
}

await rm(outDir, { recursive: true, force: true });
await mkdir(`${outDir}/native`, { recursive: true });
await bundleRoles();
await buildWeb({ outDir: `${outDir}/web`, minify: true });
for (const addon of addons) {
  const file = `earshot_${addon}.node`;
  await copyFile(`src/${addon}/native/build/Release/${file}`, `${outDir}/native/${file}`);
}
await copyFile(serialportBinding(), `${outDir}/${serialportBindingFile}`);
