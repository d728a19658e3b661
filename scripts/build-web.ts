import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const webDir = fileURLToPath(new URL('../src/web', import.meta.url));

/** The oldest browsers the page runs in: top-level await, class fields and private methods. */
const target = ['es2022', 'chrome100', 'safari16', 'firefox110'];

/**
 * Builds the page into `outDir`: `index.html`, two icons, and in `assets` `main.js`, `style.css` and the
 * fast lane's worker and worklet.
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
    },
    format: 'iife',
  });
  for (const name of ['index.html', 'favicon.svg', 'favicon-live.svg']) {
    await copyFile(join(webDir, name), join(outDir, name));
  }
}
