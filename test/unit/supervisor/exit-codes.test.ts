import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorCatalogue } from '../../../src/errors/catalogue.ts';
import { describeExit, exitCodes, isBadConfiguration } from '../../../supervisor/exit-codes.ts';

describe('describeExit', () => {
  it('gives codes and signals their meaning in words', () => {
    const words = [
      describeExit({ code: 0, signal: null }),
      describeExit({ code: 78, signal: null }),
      describeExit({ code: 69, signal: null }),
      describeExit({ code: 42, signal: null }),
      describeExit({ code: null, signal: 'SIGSEGV' }),
      describeExit({ code: null, signal: 'SIGUSR2' }),
      describeExit({ code: null, signal: null }),
    ];
    assert.deepEqual(words, [
      'exit code 0 (clean exit)',
      'exit code 78 (bad configuration)',
      'exit code 69 (something it needs is unavailable)',
      'exit code 42',
      'signal SIGSEGV (segmentation fault)',
      'signal SIGUSR2',
      'unknown exit',
    ]);
  });
});

describe('exit codes', () => {
  it('mean a bad configuration only when they are 78', () => {
    assert.ok(isBadConfiguration({ code: 78, signal: null }));
    assert.ok(!isBadConfiguration({ code: 1, signal: null }));
    assert.ok(!isBadConfiguration({ code: null, signal: 'SIGKILL' }));
  });

  it('cover those the error catalogue uses', () => {
    const known: readonly number[] = Object.values(exitCodes);
    for (const { exit } of Object.values(errorCatalogue)) assert.ok(known.includes(exit));
  });
});
