import { connectNodeViewer, type NodeViewer } from '../../lab/node-viewer.ts';

/**
 * Viewers that receive and decode nothing, in a process of their own: `receivers.ts URL COUNT`. Prints
 * `ready` when each has sound; ends with its standard input.
 */

const [url = '', count = '0'] = process.argv.slice(2);
const viewers: NodeViewer[] = [];
for (let n = 0; n < Number(count); n += 1) viewers.push(await connectNodeViewer({ url }));
console.log('ready');
process.stdin.resume();
process.stdin.once('end', () => {
  Promise.all(viewers.map((viewer) => viewer.close())).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
