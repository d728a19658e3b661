/** Which counters tell why something was heard. */

/** Counters by name at one moment; a counter that is not there yet is 0. */
export interface Snapshot {
  readonly atMs: number;
  readonly counters: Readonly<Record<string, number>>;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A counter, and by how much it grew at that time. */
export interface Cause {
  readonly counter: string;
  readonly by: number;
}

/**
 * Counters are read once a second, and children report once a second: what is heard at a moment can be
 * counted so much before (sound is under way) and so much after it.
 */
const beforeMs = 1_000;
const afterMs = 2_500;

/** The counters that grew around `span`, in the order of `names`; `snapshots` are in order of time. */
export function causesOf(
  span: Span,
  snapshots: readonly Snapshot[],
  names: readonly string[],
): Cause[] {
  const before = snapshots.findLast(({ atMs }) => atMs <= span.fromMs - beforeMs) ?? snapshots[0];
  const after = snapshots.find(({ atMs }) => atMs >= span.toMs + afterMs) ?? snapshots.at(-1);
  return names.flatMap((counter) => {
    const by = (after?.counters[counter] ?? 0) - (before?.counters[counter] ?? 0);
    return by === 0 ? [] : [{ counter, by }];
  });
}

/** Growth of a counter from the first snapshot to the last. */
export function growth(snapshots: readonly Snapshot[], counter: string): number {
  const first = snapshots[0]?.counters[counter] ?? 0;
  return (snapshots.at(-1)?.counters[counter] ?? 0) - first;
}
