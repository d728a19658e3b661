import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FaultLog } from '../../../supervisor/fault-log.ts';
import { type LogLine, recordingLog } from '../../fixtures/supervised.ts';

describe('FaultLog', () => {
  it('logs each text once a second and counts the rest', () => {
    const lines: LogLine[] = [];
    const clock = { nowMs: 0 };
    const faults = new FaultLog({ log: recordingLog(lines), now: () => clock.nowMs });
    for (let n = 0; n < 1_000; n += 1) faults.report('bad', { n });
    faults.report('worse', {});
    clock.nowMs = 1_000;
    faults.report('bad', { n: 'last' });
    clock.nowMs = 2_000;
    faults.report('bad', { n: 'later' });
    assert.deepEqual(lines, [
      { level: 'warn', text: 'bad', fields: { n: 0 } },
      { level: 'warn', text: 'worse', fields: {} },
      { level: 'warn', text: 'bad', fields: { n: 'last', repeated: 999 } },
      { level: 'warn', text: 'bad', fields: { n: 'later' } },
    ]);
  });
});
