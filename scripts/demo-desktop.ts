import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SoundServer } from '../test/lab/sound-server.ts';
import { parseWav } from '../test/lab/wav-player.ts';
import { startXScreen, type XScreen } from '../test/lab/x-screen.ts';

/**
 * The demo's host: a desktop on a virtual display with a window manager, a terminal, a clock, and a player
 * whose one pipeline makes both the sound and the picture that belongs to it.
 */

export interface DemoDesktopOptions {
  /** Files of the desktop go there; the caller removes it. */
  readonly directory: string;
  readonly sound: SoundServer;
  /** Device of the sound server that the host plays into. */
  readonly into: string;
  /** WAV file played on a loop. */
  readonly music: string;
}

/** Starts it; `display` of the result is what the picture is taken from. */
export async function startDemoDesktop({
  directory,
  sound,
  into,
  music,
}: DemoDesktopOptions): Promise<XScreen> {
  const screen = await startXScreen({ width: 1_280, height: 720 });
  const raw = join(directory, 'music.raw');
  const { rateHz, channels, data } = parseWav(await readFile(music));
  await writeFile(raw, data);
  const home = { HOME: directory, ICEWM_PRIVCFG: join(directory, 'icewm') };
  screen.run(['icewm'], home);
  screen.run(['xclock', '-update', '1', '-geometry', '200x200-30+40'], home);
  screen.run(['xterm', '-geometry', '80x18+30+40', '-fa', 'Monospace', '-fs', '11'], {
    ...home,
    PS1: 'host $ ',
  });
  screen.run(
    [
      ...['gst-launch-1.0', '-q', 'multifilesrc', `location=${raw}`, 'loop=true'],
      ...['!', 'rawaudioparse', 'format=pcm', 'pcm-format=s16le', `sample-rate=${rateHz}`],
      ...[`num-channels=${channels}`, '!', 'tee', 'name=music'],
      ...['music.', '!', 'queue', '!', 'audioconvert', '!', 'alsasink'],
      ...[`device=${sound.feedPcm(into)}`, 'buffer-time=40000', 'latency-time=10000'],
      ...['music.', '!', 'queue', '!', 'audioconvert', '!', 'spectrascope', 'shader=fade'],
      ...['!', 'video/x-raw,width=600,height=240,framerate=30/1', '!', 'videoconvert'],
      ...['!', 'ximagesink'],
    ],
    { ...home, ...sound.env },
  );
  return screen;
}
