import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const webDir = fileURLToPath(new URL('../src/web', import.meta.url));

/** The oldest browsers the page runs in: top-level await, class fields and private methods. */
const target = ['es2022', 'chrome100', 'safari16', 'firefox110'];

/**
 * Leaves schemas out of the page that it does not use. valibot says of each of its functions that a call
 * without a reader may go (`@__NO_SIDE_EFFECTS__`), but esbuild heeds that within one file only; so each
 * call in our own files is marked.
 */
const unusedSchemasGo: Plugin = {
  name: 'unused-schemas-go',
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes("import * as v from 'valibot'")) return undefined;
      return { contents: text.replace(/\bv\.\w+\(/g, '/* @__PURE__ */ $&'), loader: 'ts' };
    });
  },
};

/**
 * Builds the page into `outDir`: `index.html`, two icons, and in `assets` `main.js`, `style.css`, what is
 * loaded only where the device has a picture, and the worker and worklets.
 * The names are stable; the server's ETags tell a browser when they changed.
 */
export async function buildWeb({
  outDir,
  minify,
}: {
  readonly outDir: string;
  readonly minify: boolean;
}): Promise<void> {
  const assets = join(outDir, 'assets');
  await mkdir(assets, { recursive: true });
  const common = {
    outdir: assets,
    bundle: true,
    platform: 'browser',
    target,
    minify,
    legalComments: 'none',
    logLevel: 'warning',
  } as const;
  await build({
    ...common,
    entryPoints: { main: join(webDir, 'main.tsx'), style: join(webDir, 'style.css') },
    format: 'esm',
    // What is imported when it is wanted gets a file of its own, and what it shares with the page another.
    splitting: true,
    chunkNames: '[name]',
    plugins: [unusedSchemasGo],
    // Served from the root, not from beside the style sheet.
    external: ['/favicon.svg'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  await build({
    ...common,
    entryPoints: {
      'fast-lane-worker': join(webDir, 'fast-lane/fast-lane-worker.ts'),
      'fast-lane-worklet': join(webDir, 'fast-lane/fast-lane-worklet.ts'),
      'chirp-worklet': join(webDir, 'calibration/chirp-worklet.ts'),
    },
    format: 'iife',
  });
  for (const name of ['index.html', 'favicon.svg', 'favicon-live.svg']) {
    await copyFile(join(webDir, name), join(outDir, name));
  }
}
