import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constraintsOf } from '../../../src/web/microphone-capture.ts';

test('a device that was chosen is demanded; what is wished of it no device has to refuse', () => {
  const choice = {
    deviceId: 'abc',
    echoCancellation: true,
    noiseSuppression: false,
    autoGainControl: true,
    channels: 2,
  } as const;
  assert.deepEqual(constraintsOf(choice), {
    deviceId: { exact: 'abc' },
    echoCancellation: true,
    noiseSuppression: false,
    autoGainControl: true,
    channelCount: { ideal: 2 },
    sampleRate: { ideal: 48_000 },
  });
  assert.equal('deviceId' in constraintsOf({ ...choice, deviceId: '' }), false);
});
