import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { isAlive, waitFor } from '../fixtures/wait-for.ts';
import { type Network, networkDenied, startNetwork } from '../lab/netns.ts';

const traffic = fileURLToPath(new URL('../lab/netns-traffic.ts', import.meta.url));
const lab = new URL('../lab/netns.ts', import.meta.url).href;
const denied = networkDenied();

async function nextLine(lines: Interface): Promise<unknown> {
  const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(15_000) });
  return JSON.parse(v.parse(v.string(), line));
}

function output(child: ChildProcess): Interface {
  if (child.stdout === null) throw new Error('the output is not a pipe');
  return createInterface(child.stdout);
}

describe('two network namespaces', { skip: denied ?? false }, () => {
  let network: Network;
  let sink: Interface;
  let port = '';

  before(async () => {
    network = await startNetwork();
    sink = output(network.viewer.spawn(process.execPath, [traffic, 'sink']));
    port = String(v.parse(v.object({ port: v.number() }), await nextLine(sink)).port);
  });
  after(() => network.stop());

  /** kbit/s from the device to the viewer. */
  async function measure(address: string): Promise<number> {
    const measured = nextLine(sink);
    const source = network.device.spawn(process.execPath, [traffic, 'source', address, port]);
    const { bytes, ms } = v.parse(v.object({ bytes: v.number(), ms: v.number() }), await measured);
    if (source.exitCode === null) await once(source, 'exit');
    return (bytes * 8) / ms;
  }

  for (const family of ['ipv4', 'ipv6'] as const) {
    it(`carries over ${family} what the limit lets through, and no more`, async () => {
      await network.device.limit({ rateKbps: 2_000 });
      const kbps = await measure(network.viewer[family]);
      // What a bucket holds comes at once, at the beginning.
      assert.ok(kbps > 1_000 && kbps < 2_200, `${kbps} kbit/s`);
    });
  }

  it('changes the limit while it runs, and takes it away', async () => {
    await network.device.limit({ rateKbps: 2_000 });
    await network.device.limit({ rateKbps: 500, latencyMs: 200 });
    const slow = await measure(network.viewer.ipv4);
    assert.ok(slow > 200 && slow < 560, `${slow} kbit/s`);
    await network.device.limit(undefined);
    const fast = await measure(network.viewer.ipv4);
    assert.ok(fast > 5_000, `${fast} kbit/s`);
  });

  it('counts what the limit drops', async () => {
    await network.device.limit({ rateKbps: 500, latencyMs: 20 });
    await measure(network.viewer.ipv4);
    assert.ok((await network.device.dropped()) > 0);
  });

  it('limits one direction only', async () => {
    await network.device.limit({ rateKbps: 500 });
    assert.match(await network.viewer.run('tc', ['qdisc', 'show', 'dev', 'viewer']), /^(?!.*tbf)/s);
  });

  it('shows each side its own network only, and this machine neither', async () => {
    const links = async (run: Promise<string>): Promise<string[]> =>
      (await run).split('\n').flatMap((line) => /^(\w+)/.exec(line)?.slice(1) ?? []);
    assert.deepEqual((await links(network.device.run('ip', ['-br', 'link']))).sort(), [
      'device',
      'lo',
    ]);
    assert.deepEqual((await links(network.viewer.run('ip', ['-br', 'link']))).sort(), [
      'lo',
      'viewer',
    ]);
    const own = readlinkSync('/proc/self/ns/net');
    const inside = await network.device.run('readlink', ['/proc/self/ns/net']);
    assert.notEqual(inside.trim(), own);
    // No way out: there is no route to anywhere but the other side.
    await assert.rejects(network.viewer.run('ip', ['route', 'get', '192.0.2.1']), /unreachable/);
  });

  it('gives a file to run in place of a program, which is gone with the network', async () => {
    const other = await startNetwork();
    const file = await other.device.launcher('/bin/readlink');
    const inside = await other.device.run('readlink', ['/proc/self/ns/net']);
    assert.equal(await network.viewer.run(file, ['/proc/self/ns/net']), inside);
    await other.stop();
    assert.equal(existsSync(file), false);
  });

  it('tells what a program complained of', async () => {
    await assert.rejects(network.device.run('tc', ['qdisc', 'add', 'nonsense']), /nonsense/);
  });
});

describe('network namespaces and who made them', { skip: denied ?? false }, () => {
  it('end with the process that made them, even when it is killed', async () => {
    const script = `const { startNetwork } = await import(${JSON.stringify(lab)});
      const { device, viewer } = await startNetwork();
      const { pid } = device.spawn('sleep', ['1000']);
      console.log(JSON.stringify([device.pid, viewer.pid, pid]));
      setInterval(() => undefined, 1_000);`;
    const maker = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pids = v.parse(v.array(v.number()), await nextLine(output(maker)));
    assert.equal(pids.length, 3);
    for (const pid of pids) assert.ok(existsSync(`/proc/${pid}`));
    maker.kill('SIGKILL');
    await waitFor('the end of all of them', async () => {
      const alive = await Promise.all(pids.map(isAlive));
      return alive.every((is) => !is);
    });
  });

  it('stop twice as once, with what runs in them', async () => {
    const network = await startNetwork();
    const child = network.viewer.spawn('sleep', ['1000']);
    await network.stop();
    await network.stop();
    assert.notEqual(child.signalCode, null);
    assert.equal(existsSync(`/proc/${network.device.pid}`), false);
  });
});
