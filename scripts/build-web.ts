import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const webDir = fileURLToPath(new URL('../src/web', import.meta.url));

/** The oldest browsers the page runs in: top-level await, class fields and private methods. */
const target = ['es2022', 'chrome100', 'safari16', 'firefox110'];

/**
 * Builds the page into `outDir`: `index.html`, two icons, `assets/main.js` and `assets/style.css`.
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
  await build({
    entryPoints: { main: join(webDir, 'main.tsx'), style: join(webDir, 'style.css') },
    outdir: assets,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target,
    // Served from the root, not from beside the style sheet.
    external: ['/favicon.svg'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const name of ['index.html', 'favicon.svg', 'favicon-live.svg']) {
    await copyFile(join(webDir, name), join(outDir, name));
  }
}
