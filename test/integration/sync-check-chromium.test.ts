import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { buildWeb } from '../../scripts/build-web.ts';
import { viewerMessageSchema } from '../../src/media/signaling-messages.ts';
import { launchBrowser } from '../fixtures/browser.ts';

/** The page's own measurement of sync in a real browser, against offsets that are known. */

const runSchema = v.object({
  offsetsMs: v.array(v.number()),
  truthMs: v.record(v.string(), v.number()),
  reports: v.array(viewerMessageSchema),
  note: v.string(),
});

let browser: Browser;
let page: Page;
let directory: string;

const server = createServer((request, response) => {
  void answer(request.url ?? '/', response);
});

async function answer(path: string, response: ServerResponse): Promise<void> {
  const isPage = path === '/';
  response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
  if (isPage) {
    response.end('<!doctype html><script type="module" src="/assets/sync-page.js"></script>');
    return;
  }
  try {
    response.end(await readFile(join(directory, 'assets', basename(path))));
  } catch {
    response.writeHead(404).end();
  }
}

/** Its address. */
async function serve(): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${v.parse(v.object({ port: v.number() }), server.address()).port}/`;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'earshot-sync-'));
  await buildWeb({ outDir: directory, minify: true });
  await build({
    entryPoints: [fileURLToPath(new URL('../e2e/page/sync-page.ts', import.meta.url))],
    outfile: join(directory, 'assets', 'sync-page.js'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'warning',
  });
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(await serve());
});

after(async () => {
  await browser?.close();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

describe('REFERENCE 1b: calibration, in Chromium', () => {
  for (const offsetMs of [0, 80, -60]) {
    test(`REFERENCE 1b: an artificial offset of ${offsetMs} ms is measured within ±15 ms`, async (t) => {
      const run = v.parse(runSchema, await page.evaluate(`window.measureSync(${offsetMs})`));
      const text = JSON.stringify(run);
      assert.equal(run.offsetsMs.length, 8, text);
      const results = run.reports.flatMap((report) =>
        report.type === 'av_calibration_result' ? [report] : [],
      );
      const errors = results.map(
        ({ marker, offset_ms }) => offset_ms - (run.truthMs[marker] ?? Number.NaN),
      );
      // Against what the flashes came to be on this machine: a busy one draws them later than it was told.
      assert.ok(Math.abs(median(errors)) <= 15, text);
      const truth = median(Object.values(run.truthMs));
      t.diagnostic(
        `displayed ${truth.toFixed(1)}, measured ${median(run.offsetsMs).toFixed(1)}, error ${median(errors).toFixed(1)} ms`,
      );
      assert.equal(new Set(results.map(({ marker }) => marker)).size, 8, 'each marker once');
      assert.deepEqual(
        [run.reports.at(0), run.reports.at(-1)],
        [
          { type: 'av_calibration_config', enabled: true },
          { type: 'av_calibration_config', enabled: false },
        ],
      );
    });
  }
});
