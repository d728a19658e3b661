import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startSoundServer } from '../test/lab/sound-server.ts';
import { echoDelayS, startEcho } from './demo-echo.ts';
import { startDemoHost } from './demo-host.ts';
import { renderDemoMusic } from './demo-music.ts';

/**
 * Runs Earshot on a virtual board: a private sound server and a virtual display stand for the host's sound
 * card and screen; a desktop plays a piece of music on a loop and shows what it plays, and the host says
 * again what it hears in its microphone. Keyboard and mouse act on that desktop, its serial console is a shell,
 * and its power button ends and begins it. The program itself is the one a board runs. Ends with Ctrl-C and
 * leaves nothing behind. `EARSHOT_PORT` chooses another port than 8080; the one after it serves HTTPS.
 */

function chosenPort(text = process.env['EARSHOT_PORT'] ?? '8080'): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port < 65_535) return port;
  console.error(`EARSHOT_PORT is "${text}", but must be a port from 1 to 65534.`);
  process.exit(2);
}

const port = chosenPort();
const program = resolve('dist/earshot.mjs');
const directory = await mkdtemp(join(tmpdir(), 'earshot-demo-'));
const socket = join(directory, 'control.sock');

const sound = await startSoundServer({ sinks: [{ name: 'hdmi' }, { name: 'mic' }] });
const music = resolve('build/demo-music.wav');
await mkdir('build', { recursive: true });
await renderDemoMusic(music);
const host = await startDemoHost({ directory, sound, into: 'hdmi', music });
const echo = startEcho(sound, { from: 'mic', into: 'hdmi' });

const config = {
  http: { port },
  https: { port: port + 1 },
  audio: {
    output: { device: sound.capturePcm('hdmi') },
    input: { device: sound.feedPcm('mic') },
  },
  video: { device: host.wiring.video },
  hid: { host: host.wiring.hid },
  serial: { port: host.wiring.serial },
  power: { kind: 'uart', uart: { port: host.wiring.power } },
  control: { socket },
  dataDir: directory,
};
// JSON is YAML.
await writeFile(join(directory, 'earshot.yaml'), JSON.stringify(config, null, 2));

// setpriv: it ends when this process is killed.
const earshot = spawn(
  'setpriv',
  [
    ...['--pdeathsig', 'TERM', process.execPath, program],
    ...['--config', join(directory, 'earshot.yaml')],
  ],
  { env: { ...process.env, ...sound.env }, stdio: ['ignore', 'inherit', 'inherit'] },
);
const ended = once(earshot, 'exit');

console.log(`
  Earshot is starting on a virtual board. Open

      http://127.0.0.1:${port}

  in a browser on this machine: it shows the host's desktop and plays what the host plays, Bach's first
  prelude.
  Press the microphone button and speak: the host plays what it hears ${echoDelayS} seconds later.
  Click into the picture and type: keyboard and mouse are the host's. Its serial console and its power
  button are on the page too.
  In another terminal, from this folder:

      export EARSHOT_SOCKET=${socket} PATH="$PWD/node_modules/.bin:$PATH"
      node dist/earshot.mjs status
      node dist/earshot.mjs audio quality ultra
      node dist/earshot.mjs mic
      node dist/earshot.mjs stats --watch
      node dist/earshot.mjs type $'uname -a\\n'
      node dist/earshot.mjs console
      node dist/earshot.mjs power press

  Ctrl-C ends it.
`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => earshot.kill('SIGTERM'));
}

const [code] = await ended;
await echo.stop();
await host.close();
await sound.stop();
await rm(directory, { recursive: true, force: true });
process.exitCode = typeof code === 'number' ? code : 1;
