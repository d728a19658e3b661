import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { childEnvironment } from '../../../supervisor/child-spec.ts';
import { specOf } from '../../fixtures/supervised.ts';

describe('childEnvironment', () => {
  it('takes PATH, LANG and TZ of the main process and the spec, and nothing else', () => {
    const spec = specOf('well-behaved', { env: { ALSA_CONFIG_PATH: '/etc/a.conf', TZ: 'UTC' } });
    const own = { PATH: '/bin', TZ: 'Europe/Berlin', HOME: '/root', TOKEN: 'secret' };
    assert.deepEqual(childEnvironment(spec, own), {
      PATH: '/bin',
      TZ: 'UTC',
      ALSA_CONFIG_PATH: '/etc/a.conf',
    });
  });
});
