import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EarshotError } from '../../../src/errors/earshot-error.ts';
import { isRefusal } from '../../../supervisor/refusal.ts';

describe('isRefusal', () => {
  it('holds for codes that say the request was wrong', () => {
    for (const code of ['CONFIG_INVALID', 'QUALITY_INVALID', 'AUDIO_DEVICE_UNKNOWN'] as const) {
      assert.ok(isRefusal(new EarshotError(code, '')), code);
    }
  });

  it('holds for what can never run here, whatever it is asked', () => {
    assert.ok(isRefusal(new EarshotError('AUDIO_NATIVE_MISSING', '')));
  });

  it('does not hold for failures, silence and the rest', () => {
    const codes = ['AUDIO_DEVICE_FAILED', 'IPC_TIMEOUT', 'IPC_CLOSED', 'INTERNAL'] as const;
    for (const code of codes) assert.ok(!isRefusal(new EarshotError(code, '')), code);
    assert.ok(!isRefusal(new Error('CONFIG_INVALID')));
    assert.ok(!isRefusal(undefined));
  });
});
