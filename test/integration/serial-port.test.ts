import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openNativeSerialPort } from '../../src/control/serial/native-serial-port.ts';
import { PtyHost } from '../fixtures/pty-host.ts';
import { plainLine, serialPortContract } from '../fixtures/serial-port-contract.ts';
import { plugPtyPair } from '../lab/pty-pair.ts';

const silent = { data() {}, writable() {}, lost() {} };

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'earshot-serial-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

serialPortContract('the port of the system', async (t) => {
  const directory = await directoryOf(t);
  let pair = await plugPtyPair(directory);
  let host = await PtyHost.open(pair.host);
  t.after(async () => {
    await host.close();
    await pair.unplug();
  });
  return {
    open: openNativeSerialPort,
    path: pair.device,
    send: (bytes) => host.send(bytes),
    take: () => host.take(),
    unplug: async () => {
      await host.close();
      await pair.unplug();
    },
    plug: async () => {
      pair = await plugPtyPair(directory);
      host = await PtyHost.open(pair.host);
    },
  };
});

describe('the port of the system', () => {
  it('says that a file is no serial port, and that a pseudo-terminal has no break', async (t) => {
    const directory = await directoryOf(t);
    const file = join(directory, 'file');
    await writeFile(file, 'text');
    await assert.rejects(openNativeSerialPort({ path: file, line: plainLine }, silent), {
      code: 'SERIAL_PORT_FAILED',
      message: `The serial port ${file} cannot be opened: it is no serial port.`,
    });
    const pair = await plugPtyPair(directory);
    t.after(pair.unplug);
    const port = await openNativeSerialPort({ path: pair.device, line: plainLine }, silent);
    await assert.rejects(port.setSignals({ dtr: true, rts: false, break: true }), {
      code: 'SERIAL_SIGNALS_UNSUPPORTED',
    });
    await port.close();
  });

  it('keeps no process alive that has closed it', async (t) => {
    const pair = await plugPtyPair(await directoryOf(t));
    t.after(pair.unplug);
    const program = `
      import { openNativeSerialPort } from './src/control/serial/native-serial-port.ts';
      const silent = { data() {}, writable() {}, lost() {} };
      const line = ${JSON.stringify(plainLine)};
      const port = await openNativeSerialPort({ path: ${JSON.stringify(pair.device)}, line }, silent);
      port.write(Buffer.from('hello'));
      await port.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(15_000) });
    assert.equal(code, 0);
  });
});
