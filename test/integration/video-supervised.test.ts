import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { frameFlags, type MediaMessage } from '../../src/ipc/messages.ts';
import { VideoControl } from '../../src/video/video-control.ts';
import { SupervisedChild } from '../../supervisor/supervised-child.ts';
import { recordingLog, testTiming } from '../fixtures/supervised.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const program = fileURLToPath(new URL('../../src/earshot.ts', import.meta.url));

/** The child and its control, tied as the main process ties them. */
function supervised() {
  const log = recordingLog([]);
  const control = new VideoControl({
    board: {
      device: 'test',
      encoder: 'auto',
      framesPerSecond: 30,
      maxWidth: 320,
      maxHeight: 180,
      minKbps: 100,
      maxKbps: 500,
    },
    child: { configure: (config) => child.configure(config) },
    log,
  });
  const child = new SupervisedChild({
    spec: {
      name: 'video',
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', program, 'video'],
      env: { HOME: process.env['HOME'] ?? '' },
      initialConfig: control.childConfig(),
      memoryLimitBytes: 512 * 1024 * 1024,
    },
    log,
    timing: testTiming(),
  });
  const frames: Pick<MediaMessage, 'flags'>[] = [];
  child.on('media', ({ flags }) => frames.push({ flags }));
  child.on('event', (event) => control.handleEvent(event));
  child.on('stats', (stats) => control.handleStats(stats));
  child.on('state', ({ state }) => control.handleChildRunning(state === 'running'));
  return { child, control, frames };
}

test('a killed child is restarted and sends the picture again, from a keyframe on', async () => {
  const { child, control, frames } = supervised();
  try {
    await child.start();
    assert.equal(control.codec, 'vp8');
    assert.equal(frames.length, 0);
    control.setViewers(1);
    await waitFor('the picture', () => control.status().signal === 'ok');
    const pid = child.status().pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await waitFor('its end', () => control.status().signal === 'opening');
    assert.equal(control.status().reason, 'the video process is not running');
    const from = frames.length;
    await waitFor('the picture again', () => control.status().signal === 'ok');
    await waitFor('a frame', () => frames.length > from);
    const flags = frames[from]?.flags ?? 0;
    assert.equal(flags & frameFlags.keyframe, frameFlags.keyframe);
    assert.notEqual(child.status().pid, pid);
    assert.equal(child.status().restarts, 1);
    control.requestKeyframe();
    control.setBitrate(200);
    await waitFor('numbers', () => control.status().framesPerSecond > 0);
    assert.deepEqual(
      { width: control.status().width, bitrateKbps: control.status().bitrateKbps },
      { width: 320, bitrateKbps: 200 },
    );
    assert.equal(child.effective?.['bitrateKbps'], 200);
  } finally {
    await control.stop();
    await child.stop();
  }
});
