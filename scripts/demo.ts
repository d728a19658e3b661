import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startSoundServer } from '../test/lab/sound-server.ts';
import { playWav } from '../test/lab/wav-player.ts';
import { renderDemoMusic } from './demo-music.ts';

/**
 * Runs Earshot on a virtual board: a private sound server stands for the host's sound card and plays a
 * piece of music on a loop; the program itself is the one a board runs. Ends with Ctrl-C and leaves
 * nothing behind. `EARSHOT_PORT` chooses another port than 8080.
 */

function chosenPort(text = process.env['EARSHOT_PORT'] ?? '8080'): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  console.error(`EARSHOT_PORT is "${text}", but must be a port from 1 to 65535.`);
  process.exit(2);
}

const port = chosenPort();
const program = resolve('dist/earshot.mjs');
const directory = await mkdtemp(join(tmpdir(), 'earshot-demo-'));
const socket = join(directory, 'control.sock');

const sound = await startSoundServer({ sinks: [{ name: 'hdmi' }] });
const music = resolve('build/demo-music.wav');
await mkdir('build', { recursive: true });
await renderDemoMusic(music);
const player = await playWav(sound, 'hdmi', music, { loop: true });

const config = {
  http: { port },
  audio: { output: { device: sound.capturePcm('hdmi') } },
  control: { socket },
  dataDir: directory,
};
// JSON is YAML.
await writeFile(join(directory, 'earshot.yaml'), JSON.stringify(config, null, 2));

const earshot = spawn(process.execPath, [program, '--config', join(directory, 'earshot.yaml')], {
  env: { ...process.env, ...sound.env },
  stdio: ['ignore', 'inherit', 'inherit'],
});
const ended = once(earshot, 'exit');

console.log(`
  Earshot is starting on a virtual board. Open

      http://127.0.0.1:${port}

  in a browser on this machine: it plays what the host plays, Bach's first prelude.
  In another terminal, from this folder:

      export EARSHOT_SOCKET=${socket} PATH="$PWD/node_modules/.bin:$PATH"
      node dist/earshot.mjs status
      node dist/earshot.mjs audio quality ultra
      node dist/earshot.mjs stats --watch

  Ctrl-C ends it.
`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => earshot.kill('SIGTERM'));
}

const [code] = await ended;
await player.stop();
await sound.stop();
await rm(directory, { recursive: true, force: true });
process.exitCode = typeof code === 'number' ? code : 1;
