import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';

/** An addon whose thread outlives its environment crashes in some of the exits, not in all: hence the number. */
const exits = 24;
/** Several at once, so that their teardown meets a busy machine too. */
const atOnce = 4;

const program = fileURLToPath(new URL('../fixtures/capture-exit.ts', import.meta.url));

let card: FaultCard;
before(async () => {
  card = await makeFaultCard();
});
after(() => card.remove());

function run(way: string): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', '--expose-gc', program, card.pcm, way];
  const options = { env: card.env, timeout: 60_000, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_error, _stdout, stderr) => {
      resolve(`${child.exitCode} ${child.signalCode} ${stderr}`.trim());
    });
  });
}

test(`process.exit() while streaming is clean, ${exits} times out of ${exits}`, async () => {
  for (let done = 0; done < exits; done += atOnce) {
    const ends = await Promise.all(Array.from({ length: atOnce }, () => run('exit')));
    for (const end of ends) assert.equal(end, '7 null');
  }
});

for (const way of ['throw', 'forget', 'worker']) {
  test(`the end of a process by ${way} while streaming is clean`, async () => {
    assert.equal(await run(way), '7 null');
  });
}
