import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Runs each benchmark once, short, only to see that it works: speed is never asserted here. */

const runner = fileURLToPath(new URL('./run.ts', import.meta.url));

/** Every benchmark there is, with the fields it promises. */
const promised = {
  'audio-latency': ['presets', 'fast', 'fastPresets', 'peer', 'ratio', 'fastRatio'],
  'mic-latency': ['p50Ms', 'p95Ms', 'presets', 'peer', 'peers', 'ratio'],
  'audio-cpu': [
    ...['mainMsPerS', 'outputMsPerS', 'extraViewerMsPerS', 'inputMsPerS', 'mainForInputMsPerS'],
    ...['mainFastMsPerS', 'browserMsPerS', 'peerMsPerS', 'ratio'],
  ],
  'video-latency': ['p50Ms', 'p95Ms', 'peer', 'ratio'],
  'video-cpu': [
    ...['mainMsPerS', 'soundMsPerS', 'videoMsPerS', 'picturesPerS'],
    ...['peerMsPerS', 'peerThreads', 'peers', 'ratio'],
  ],
  // `guest` boots a kernel, which a short run leaves out.
  'hid-latency': ['p50Ms', 'p95Ms', 'write', 'socket', 'host'],
  'serial-throughput': ['mbPerS', 'missedShare', 'bareMbPerS', 'ratio'],
  viewers: ['counts', 'extraViewerMsPerS', 'extraViewerShare'],
  'rtp-send': [
    ...['burstUs', 'pacedUs', 'videoBurstUs', 'videoPacedUs', 'floorBurstUs', 'floorPacedUs'],
    ...['weriftPacedUs', 'ratio', 'videoRatio'],
  ],
  ipc: ['framesPerS', 'usPerFrame', 'largeMBps'],
  'preset-switch': ['switches', 'packetsLost', 'maxTimestampError', 'longestGapMs'],
  recovery: ['killMs', 'replugMs'],
  startup: ['listenMs', 'firstFrameMs'],
  memory: ['mainMB', 'outputMB', 'inputMB', 'growthMBPerH'],
  soak: ['minutes', 'xruns', 'concealedMs', 'driftPpm', 'levelMinMs', 'levelMaxMs'],
} as const;

async function runShort(name: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [runner, name, '--short', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

/** The last line of standard output, which is one JSON object. */
function lastObject(stdout: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.ok(typeof parsed === 'object' && parsed !== null);
  return { ...parsed };
}

describe('a short run of the benchmark', () => {
  for (const [name, fields] of Object.entries(promised)) {
    it(`${name} measures all it promises`, async () => {
      const { code, stdout, stderr } = await runShort(name);
      assert.equal(code, 0, stderr);
      const result = lastObject(stdout);
      assert.equal(result['bench'], name);
      assert.equal(typeof result['ok'], 'boolean');
      assert.equal(typeof result['machine'], 'string');
      for (const field of fields) {
        const value = result[field];
        const isMeasured = typeof value === 'object' ? value !== null : Number.isFinite(value);
        assert.ok(isMeasured, `${field} is ${JSON.stringify(value)}`);
      }
    });
  }
});
