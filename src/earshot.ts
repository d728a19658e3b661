#!/usr/bin/env node
/**
 * The executable: picks the role from the first word and loads that role's bundle, and no other.
 *
 *   earshot [--config FILE]    the main process
 *   earshot audio-output       a child of it (started by the supervisor only)
 *   earshot audio-input        likewise
 *   earshot video              likewise
 *   earshot audio-devices capture|playback
 *                              prints those devices as JSON (started by the main process only)
 *   earshot VERB …             the command
 */
import { setFlagsFromString } from 'node:v8';

const [first = ''] = process.argv.slice(2);

if (first === '' || first === '--config' || first.startsWith('--config=')) {
  // Packets and frames are short-lived: a young generation that grows only holds their garbage, 13 MiB of it
  // with one viewer (docs/performance.md). It has to be said before there is anything in it.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { runMain } = await import('./main.ts');
  await runMain(process.argv.slice(2));
} else if (first === 'audio-output') {
  const { runAudioOutput } = await import('./audio/output/main.ts');
  await runAudioOutput();
} else if (first === 'audio-input') {
  const { runAudioInput } = await import('./audio/input/main.ts');
  await runAudioInput();
} else if (first === 'video') {
  const { runVideo } = await import('./video/main.ts');
  await runVideo();
} else if (first === 'audio-devices') {
  const { runAudioDevices } = await import('./audio/devices/main.ts');
  runAudioDevices(process.argv.slice(3));
} else {
  const { runCommand } = await import('./cli/main.ts');
  await runCommand(process.argv.slice(2));
}
