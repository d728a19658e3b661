import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CardRecorder } from '../lab/card-recorder.ts';
import { type LabBrowser, startChromium } from '../lab/chromium.ts';
import { type SoundServer, startSoundServer } from '../lab/sound-server.ts';

/** Ids of the children, grandchildren … of this process whose command line has `word`. */
async function descendantsWith(word: string): Promise<string[]> {
  const parents = new Map<string, string>();
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
      parents.set(pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '');
      if ((await readFile(`/proc/${pid}/cmdline`, 'latin1')).includes(word)) found.push(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  return found.filter((pid) => {
    for (let at = pid; at !== ''; at = parents.get(at) ?? '') {
      if (at === `${process.pid}`) return true;
    }
    return false;
  });
}

/** Whether a process of this id lives. A zombie does not. */
async function lives(pid: string): Promise<boolean> {
  try {
    return !/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

describe('the lab browser', () => {
  let server: SoundServer;
  let browser: LabBrowser;

  before(async () => {
    server = await startSoundServer({ sinks: [{ name: 'browser' }] });
    browser = await startChromium({ card: { server, sink: 'browser' } });
  });

  after(async () => {
    await browser.close();
    await server.stop();
  });

  it('plays into its sound card, without resampling', async () => {
    const recorder = new CardRecorder(server, 'browser');
    await recorder.start();
    const page = await browser.newPage();
    const rateHz = await page.evaluate(async () => {
      const context = new AudioContext();
      const tone = new OscillatorNode(context, { frequency: 1_000 });
      tone.connect(new GainNode(context, { gain: 0.5 })).connect(context.destination);
      tone.start();
      await new Promise((resolve) => {
        tone.onended = resolve;
        tone.stop(1);
      });
      return context.sampleRate;
    });
    assert.equal(rateHz, 48_000);
    const { samples } = await recorder.stop();
    const peak = samples.reduce((max, sample) => Math.max(max, Math.abs(sample)), 0);
    assert.ok(peak > 0.45 * 32_768 && peak < 0.55 * 32_768, `peak ${peak}`);
  });

  it('leaves no process behind', async () => {
    const processes = await descendantsWith('/usr/lib/chromium');
    assert.ok(processes.length > 3, `${processes.length} processes`);
    await browser.close();
    // The last ones end a moment after the browser does.
    const deadline = performance.now() + 5_000;
    while ((await Promise.all(processes.map(lives))).includes(true)) {
      assert.ok(performance.now() < deadline, 'processes are left');
      await delay(20);
    }
  });
});
