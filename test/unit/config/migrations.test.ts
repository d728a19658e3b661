import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Migration,
  migrate,
  migrations,
  settingsVersion,
} from '../../../src/config/migrations/migrations.ts';

describe('migrations', () => {
  it('has a row for every version before the current one, in order', () => {
    assert.deepEqual(
      migrations.map(({ from }) => from),
      Array.from({ length: settingsVersion - 1 }, (_, index) => index + 1),
    );
  });

  const table: readonly Migration[] = [
    { from: 1, migrate: ({ loud }) => ({ version: 2, volume: loud === true ? 10 : 1 }) },
    { from: 2, migrate: (settings) => ({ ...settings, version: 3, balance: 0 }) },
  ];

  it('leads an old file through every row', () => {
    assert.deepEqual(migrate({ version: 1, loud: true }, table, 3), {
      version: 3,
      volume: 10,
      balance: 0,
    });
    assert.deepEqual(migrate({ version: 2, volume: 4 }, table, 3), {
      version: 3,
      volume: 4,
      balance: 0,
    });
  });

  it('leaves a current file alone', () => {
    const settings = { version: 3, volume: 4 };
    assert.equal(migrate(settings, table, 3), settings);
  });

  for (const version of [0, 4, '1', null, undefined]) {
    it(`knows no version ${JSON.stringify(version)}`, () => {
      assert.equal(migrate({ version }, table, 3), undefined);
    });
  }

  it('ends even when a row does not raise the version', () => {
    const loop: readonly Migration[] = [{ from: 1, migrate: (settings) => ({ ...settings }) }];
    assert.equal(migrate({ version: 1 }, loop, 2), undefined);
  });
});
