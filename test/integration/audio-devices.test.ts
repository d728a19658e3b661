import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listDevicesApart } from '../../src/audio/devices/list-devices.ts';
import { isEarshotError } from '../../src/errors/earshot-error.ts';

const source = (path: string): string =>
  fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

/** Lists with a program of a few lines instead of the real one. */
const listWith = (script: string, timeoutMs = 20_000) =>
  listDevicesApart({
    command: process.execPath,
    args: ['--input-type=module', '-e', script],
    env: {},
    timeoutMs,
  });

for (const direction of ['capture', 'playback']) {
  test(`this machine lists its ${direction} devices, or says that it has none`, async () => {
    const devices = await listDevicesApart({
      command: process.execPath,
      args: [source('earshot.ts'), 'audio-devices', direction],
      env: {},
      timeoutMs: 20_000,
    });
    for (const { id } of devices) assert.match(id, /^\S/);
  });
}

test('it lists nothing when it is not told which way', async () => {
  const listing = listDevicesApart({
    command: process.execPath,
    args: [source('earshot.ts'), 'audio-devices', 'sideways'],
    env: {},
    timeoutMs: 20_000,
  });
  await assert.rejects(listing, {
    code: 'AUDIO_DEVICE_FAILED',
    message: /"sideways" is neither capture nor playback/,
  });
});

test('a missing addon keeps its name and its exit code on the way to whoever asked', async () => {
  const script = `
    import { runAudioDevices } from ${JSON.stringify(source('audio/devices/main.ts'))};
    import { loadNativeAudio } from ${JSON.stringify(source('audio/native/native-audio.ts'))};
    const list = () => loadNativeAudio(['/nonexistent/addon.node']).listDevices(true);
    runAudioDevices(['playback'], { capture: list, playback: list });`;
  await assert.rejects(listWith(script), (error) => {
    assert.ok(isEarshotError(error, 'AUDIO_NATIVE_MISSING'));
    assert.equal(error.exitCode, 78);
    assert.match(error.message, /^The native audio module is not built: .*addon\.node/);
    return true;
  });
});

const failures: [name: string, script: string, message: RegExp][] = [
  ['fails', 'console.error("no such driver"); process.exit(1)', /cannot be listed: no such driver/],
  ['fails without a word', 'process.exit(3)', /cannot be listed: .+/],
  ['prints no list', 'console.log("hello")', /printed "hello\\n"/],
  ['prints another list', 'console.log("[1]")', /printed "\[1\]\\n"/],
];
for (const [name, script, message] of failures) {
  test(`a listing that ${name} is a fault of the device`, async () => {
    await assert.rejects(listWith(script), { code: 'AUDIO_DEVICE_FAILED', message });
  });
}

test('a driver that hangs is given up', async () => {
  await assert.rejects(listWith('setInterval(() => undefined, 1_000)', 50), {
    code: 'AUDIO_DEVICE_FAILED',
    message: /no answer within 50 ms/,
  });
});
