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
 * Leaves what controls the host out of the page's own bundle, for which it is a file beside it: it is built
 * for itself, so that nothing the two have in common moves from the page to a file of its own.
 */
const controlStandsAlone: Plugin = {
  name: 'control-stands-alone',
  setup(build) {
    build.onResolve({ filter: /\/control-entry\.ts$/ }, () => ({
      path: './control-entry.js',
      external: true,
    }));
    // The API's schemas name those of the host's control, and the page asks for none of them.
    build.onResolve({ filter: /^\.\.\/control\// }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      sideEffects: false,
    }));
  },
};

/**
 * Builds the page into `outDir`: `index.html`, two icons, and in `assets` `main.js`, `style.css`, what is
 * loaded only where the device has a picture, what controls the host and its terminal, and the worker and
 * worklets. The names are stable; the server's ETags tell a browser when they changed.
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
  const modules = {
    ...common,
    format: 'esm',
    // What is imported when it is wanted gets a file of its own, and what it shares with the page another.
    splitting: true,
    chunkNames: '[name]',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  } as const;
  await build({
    ...modules,
    entryPoints: { main: join(webDir, 'main.tsx'), style: join(webDir, 'style.css') },
    plugins: [unusedSchemasGo, controlStandsAlone],
    // Served from the root, not from beside the style sheet.
    external: ['/favicon.svg'],
  });
  await build({
    ...modules,
    entryPoints: {
      'control-entry': join(webDir, 'control/control-entry.ts'),
      control: join(webDir, 'control/control.css'),
      terminal: join(webDir, 'control/terminal/terminal.css'),
    },
    plugins: [unusedSchemasGo],
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
