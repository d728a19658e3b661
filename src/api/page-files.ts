import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

/** One file of the page, whole in memory. */
export interface PageFile {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
  /** True when the name changes with the content, so a browser need never ask again. */
  readonly immutable: boolean;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** The page is small; anything past this is no part of it. */
const maxFileBytes = 8 * 1024 * 1024;

/**
 * Reads the page's files, keyed by URL path. Only what is in this map is ever served, so no request
 * can reach another file whatever its path says; symbolic links are not followed. A missing directory
 * gives an empty map.
 */
export async function loadPageFiles(webRoot: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const path of await filePaths(webRoot)) {
    const contentType = contentTypes[extname(path)];
    const info = await lstat(path);
    if (contentType === undefined || !info.isFile() || info.size > maxFileBytes) continue;
    const body = await readFile(path);
    const name = relative(webRoot, path).split(sep).join('/');
    files.set(`/${name}`, {
      body,
      contentType,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      immutable: /[.-][A-Z0-9]{8,}\.\w+$/.test(name) || /[.-][0-9a-f]{8,}\.\w+$/.test(name),
    });
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}

async function filePaths(webRoot: string): Promise<string[]> {
  try {
    return (await readdir(webRoot, { recursive: true })).map((name) => join(webRoot, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
