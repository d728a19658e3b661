import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type HidHostBench, hidHostContract } from '../fixtures/hid-host-contract.ts';
import { type SocketHostProcess, socketHostBench } from '../fixtures/hid-socket-bench.ts';
import { waitFor } from '../fixtures/wait-for.ts';

hidHostContract('SocketHost', socketHostBench);

describe('SocketHost and the program behind its socket', () => {
  let bench: HidHostBench & { process: SocketHostProcess };

  beforeEach(async () => {
    bench = await socketHostBench();
    await bench.host.start();
    await bench.become('attached');
    await attached();
  });

  afterEach(async () => {
    await bench.host.stop();
    await bench.close();
  });

  const attached = () => waitFor('the host', () => bench.host.state === 'attached');
  const detached = () => waitFor('it to be gone', () => bench.host.state === 'detached');

  it('says which socket does not answer, and connects again when the program is back', async () => {
    await bench.process.kill();
    await detached();
    await waitFor('the reason', () => bench.host.reason.includes('ECONNREFUSED'));
    assert.match(bench.host.reason, /cannot reach the host at .*host\.sock/);
    await bench.process.start();
    await bench.process.tell({ do: 'state', state: 'attached' });
    await attached();
    assert.equal(await bench.host.write('system', Uint8Array.of(1)), true);
  });

  it('connects again after the program hung up', async () => {
    await bench.process.tell({ do: 'hang-up' });
    await detached();
    await waitFor('the second connection', () => bench.process.connections === 2);
    await attached();
  });

  for (const [what, bytes] of [
    ['a frame of another length', [3, 128, 1, 1]],
    ['an empty frame', [0]],
    ['an unknown kind', [2, 7, 1]],
    ['a state there is none of', [2, 129, 3]],
    ['LEDs there are none of', [2, 128, 32]],
    ['an acknowledgement of nothing', [2, 130, 0]],
  ] as const) {
    it(`ends a connection that sends ${what}, and begins anew`, async () => {
      const reasons: string[] = [];
      bench.host.on('state', (_, reason) => reasons.push(reason));
      await bench.process.tell({ do: 'raw', bytes });
      await waitFor('the second connection', () => bench.process.connections === 2);
      assert.ok(reasons.some((reason) => reason.endsWith('does not speak the protocol')));
      await attached();
      assert.equal(await bench.host.write('system', Uint8Array.of(0)), true);
    });
  }

  it('sends a host that stands still one report of a kind, and the next when that is taken', async () => {
    await bench.process.tell({ do: 'hold', holds: true });
    const system = (mask: number) => bench.host.write('system', Uint8Array.of(mask));
    assert.equal(await system(1), false);
    assert.equal(await system(2), false);
    const waiting = system(4);
    await bench.process.tell({ do: 'hold', holds: false });
    assert.equal(typeof (await waiting), 'boolean');
    assert.equal(await system(0), true);
    const masks = bench.process.taken.map(({ report }) => report[0]);
    assert.equal(masks[0], 1);
    assert.equal(masks.at(-1), 0);
    assert.ok(!masks.includes(2));
  });
});
