import { settingsSchema } from '../settings-schema.ts';

/** One step of the settings file's format: from `from` to the version after it. */
export interface Migration {
  readonly from: number;
  /** Gets a settings object of version `from`; returns one of version `from + 1`, the number included. */
  readonly migrate: (settings: Readonly<Record<string, unknown>>) => Record<string, unknown>;
}

/** The version that {@link settingsSchema} describes. */
export const settingsVersion = settingsSchema.entries.version.wrapped.literal;

/**
 * Every format there was, in order: the migration at index i leads from version i + 1 to i + 2. The
 * first format is still the current one, so the table has no row yet.
 */
export const migrations: readonly Migration[] = [];

/**
 * Brings a settings object to version `to`. Returns undefined for a version that no row starts from:
 * one from the future, or none at all.
 */
export function migrate(
  settings: Readonly<Record<string, unknown>>,
  table: readonly Migration[] = migrations,
  to: number = settingsVersion,
): Readonly<Record<string, unknown>> | undefined {
  let current = settings;
  for (let step = 0; step <= table.length; step += 1) {
    if (current['version'] === to) return current;
    const row = table.find((migration) => migration.from === current['version']);
    if (row === undefined) return undefined;
    current = row.migrate(current);
  }
  return undefined;
}
