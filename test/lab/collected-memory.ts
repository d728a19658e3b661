import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { residentMb } from './process-usage.ts';

/**
 * Resident memory of a running Node process without what waits for its collection.
 *
 * The process knows nothing of it: through the inspector, which SIGUSR1 opens on the usual port, it is
 * taught to collect on SIGUSR2, and the inspector is closed again. One process after another, since they
 * share the port.
 */

const inspectorUrl = 'http://127.0.0.1:9229/json/list';
const signalEveryMs = 250;
const deadlineMs = 15_000;
const collectMs = 300;
const everyMs = 20;

const targetsSchema = v.array(v.object({ webSocketDebuggerUrl: v.string() }));
const answerSchema = v.object({
  id: v.number(),
  result: v.object({ result: v.object({ value: v.unknown() }) }),
});

/** What the process runs: the number of its collections is how a caller would know that one is done. */
const teach = `(() => {
  const load = (name) => process.getBuiltinModule(name);
  load('node:v8').setFlagsFromString('--expose-gc');
  const collect = load('node:vm').runInNewContext('gc');
  process.on('SIGUSR2', () => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  });
  setTimeout(() => load('node:inspector').close(), 50).unref();
  return process.pid;
})()`;

/** Teaches the process to collect when told. Throws after 15 s, e.g. when somebody else keeps the inspector's port. */
export async function teachToCollect(pid: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (performance.now() < deadline) {
    process.kill(pid, 'SIGUSR1');
    await delay(signalEveryMs);
    if (await taught(pid)) return;
  }
  throw new Error(`process ${pid} opened no inspector at ${inspectorUrl} within ${deadlineMs} ms`);
}

/** Has a taught process collect, and returns its resident memory in MiB after that. */
export async function collectedMb(pid: number): Promise<number> {
  process.kill(pid, 'SIGUSR2');
  // Pages go back to the system while and after it collects; the least there is seen is what it needs.
  let leastMb = Number.POSITIVE_INFINITY;
  const deadline = performance.now() + collectMs;
  while (performance.now() < deadline) {
    await delay(everyMs);
    leastMb = Math.min(leastMb, await residentMb(pid));
  }
  return leastMb;
}

async function taught(pid: number): Promise<boolean> {
  try {
    const response = await fetch(inspectorUrl, { signal: AbortSignal.timeout(1_000) });
    const [target] = v.parse(targetsSchema, await response.json());
    if (target === undefined) return false;
    const owner = await evaluate(target.webSocketDebuggerUrl, 'process.pid');
    // Another program's: it is left alone until the port is free.
    if (owner !== pid) return false;
    await evaluate(target.webSocketDebuggerUrl, teach);
    return true;
  } catch {
    return false; // Not open yet.
  }
}

/** The value of an expression in the process behind an inspector's address. */
async function evaluate(url: string, expression: string): Promise<unknown> {
  const socket = new WebSocket(url);
  try {
    return await new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the inspector is silent')), 5_000);
      socket.onerror = () => reject(new Error('the inspector hung up'));
      socket.onopen = () => {
        const params = { expression, returnByValue: true };
        socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
      };
      socket.onmessage = ({ data }) => {
        const answer = v.safeParse(answerSchema, JSON.parse(String(data)));
        if (!answer.success) return;
        clearTimeout(timer);
        resolve(answer.output.result.result.value);
      };
    });
  } finally {
    socket.close();
  }
}
