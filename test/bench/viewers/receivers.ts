import { createInterface } from 'node:readline';
import { connectNodeViewer, type NodeViewer } from '../../lab/node-viewer.ts';
import type { ReceiversMessage } from './receiver-process.ts';

/**
 * Viewers that receive and decode nothing, in a process of their own: `receivers.ts URL COUNT`. Says on
 * standard output, one JSON object a line, when each has sound and a whole keyframe, and what has reached each
 * whenever a line comes in; ends with its standard input.
 */

const [url = '', count = '0'] = process.argv.slice(2);
const viewers: NodeViewer[] = [];

function say(message: ReceiversMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

for (let n = 0; n < Number(count); n += 1) {
  viewers.push(await connectNodeViewer({ url, picture: true }));
}
say({ type: 'ready' });
const questions = createInterface(process.stdin);
questions.on('line', () => {
  const atMs = performance.now();
  say({ type: 'received', viewers: viewers.map(({ counts }) => ({ atMs, ...counts })) });
});
questions.once('close', () => {
  Promise.all(viewers.map((viewer) => viewer.close())).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
