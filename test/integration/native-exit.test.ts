import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

/** An addon whose thread outlives its environment crashes in some of the exits, not in all: hence the number. */
const exits = 24;
/** Several at once, so that their teardown meets a busy machine too. */
const atOnce = 4;

const program = fileURLToPath(new URL('../fixtures/stream-exit.ts', import.meta.url));

let card: FaultCard;
before(async () => {
  card = await makeFaultCard();
});
after(() => card.remove());

function run(way: string, direction: string): Promise<string> {
  const flags = ['--disable-warning=ExperimentalWarning', '--expose-gc'];
  const args = [...flags, program, card.pcm, way, direction];
  const options = { env: card.env, timeout: 60_000, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_error, _stdout, stderr) => {
      resolve(`${child.exitCode} ${child.signalCode} ${stderr}`.trim());
    });
  });
}

for (const direction of ['capture', 'playback']) {
  test(`process.exit() in a ${direction} is clean, ${exits} times out of ${exits}`, async () => {
    for (let done = 0; done < exits; done += atOnce) {
      const runs = Array.from({ length: atOnce }, () => run('exit', direction));
      for (const end of await Promise.all(runs)) assert.equal(end, '7 null');
    }
  });

  for (const way of ['throw', 'forget', 'worker']) {
    test(`the end of a process by ${way} in a ${direction} is clean`, async () => {
      assert.equal(await run(way, direction), '7 null');
    });
  }
}
