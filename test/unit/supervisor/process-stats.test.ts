import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cpuPercent, parseStat, parseStatus } from '../../../supervisor/process-stats.ts';

const tail =
  'S 1 17 17 0 -1 4194560 2500 0 3 0 1234 66 0 0 20 0 11 0 8000 1100000000 12000 18446744073709551615';

describe('parseStat', () => {
  it('adds user and system time, 100 ticks a second', () => {
    assert.equal(parseStat(`17 (node) ${tail}\n`), 13_000);
  });

  it('is not fooled by a name with spaces and brackets', () => {
    assert.equal(parseStat(`17 (a) S 1 (b) c) ${tail}\n`), 13_000);
  });

  it('reads nothing from what is no such line', () => {
    assert.equal(parseStat(''), undefined);
    assert.equal(parseStat('17 (node) S 1 2'), undefined);
    assert.equal(parseStat('garbage'), undefined);
  });
});

describe('parseStatus', () => {
  it('reads resident memory in bytes', () => {
    const text = 'Name:\tnode\nVmHWM:\t   50000 kB\nVmRSS:\t   48880 kB\nRssAnon:\t 1 kB\n';
    assert.equal(parseStatus(text), 48_880 * 1_024);
  });

  it('reads nothing of a zombie, which has none', () => {
    assert.equal(parseStatus('Name:\tnode\nState:\tZ (zombie)\n'), undefined);
  });
});

describe('cpuPercent', () => {
  const at = (cpuMs: number) => ({ cpuMs, rssBytes: 0 });

  it('is of one core, over 100 for several threads', () => {
    assert.equal(cpuPercent(at(100), at(600), 1_000), 50);
    assert.equal(cpuPercent(at(0), at(2_500), 1_000), 250);
  });

  it('is never negative and never divides by nothing', () => {
    assert.equal(cpuPercent(at(100), at(50), 1_000), 0);
    assert.equal(cpuPercent(at(0), at(50), 0), 0);
  });
});
