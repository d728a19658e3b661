import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { build } from 'esbuild';
import {
  serialportBinding,
  serialportBindingFile,
  serialportPlugin,
} from '../../scripts/serialport-binding.ts';
import { PtyHost } from '../fixtures/pty-host.ts';
import { plainLine } from '../fixtures/serial-port-contract.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { plugPtyPair } from '../lab/pty-pair.ts';

const banner =
  "import { createRequire as made } from 'node:module'; const require = made(import.meta.url);";

it('a bundle opens serial ports where there are no packages, and says what is missing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'earshot-bundle-'));
  const pair = await plugPtyPair(directory);
  const host = await PtyHost.open(pair.host);
  t.after(async () => {
    await host.close();
    await pair.unplug();
    await rm(directory, { recursive: true, force: true });
  });
  const entry = join(directory, 'entry.ts');
  const source = new URL('../../src/control/serial/native-serial-port.ts', import.meta.url);
  await writeFile(
    entry,
    `import { openNativeSerialPort } from ${JSON.stringify(source.pathname)};
     const silent = { data() {}, writable() {}, lost() {} };
     const options = { path: process.argv[2], line: ${JSON.stringify(plainLine)} };
     const port = await openNativeSerialPort(options, silent).catch((error) => {
       console.error(error.code, error.message);
       process.exit(3);
     });
     port.write(Buffer.from('from the bundle'));
     process.stdin.once('end', () => port.close()).resume();`,
  );
  const bundle = join(directory, 'dist', 'bundle.mjs');
  await build({
    entryPoints: [entry],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.11',
    banner: { js: banner },
    plugins: [serialportPlugin],
    logLevel: 'warning',
  });
  const run = async () => {
    const child = spawn(process.execPath, [bundle, pair.device], { cwd: '/' });
    t.after(() => child.kill('SIGKILL'));
    const text = { stderr: '' };
    child.stderr.on('data', (part) => {
      text.stderr += String(part);
    });
    return { child, text, ended: once(child, 'close') };
  };
  const without = await run();
  const [code] = await without.ended;
  assert.equal(code, 3);
  assert.match(without.text.stderr, /^SERIAL_NATIVE_MISSING The native module of serial ports/);
  await mkdir(join(directory, 'dist', 'native'));
  await copyFile(serialportBinding(), join(directory, 'dist', serialportBindingFile));
  const whole = await run();
  await waitFor('the bytes', () => host.take().toString() === 'from the bundle');
  whole.child.stdin.end();
  assert.deepEqual((await whole.ended)[0], 0, whole.text.stderr);
});
