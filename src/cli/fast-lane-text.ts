import type { Status } from '../api/schema.ts';
import { millisecondsText, textTable } from './text-table.ts';

type Session = Status['sessions'][number];
type FastLane = NonNullable<Session['fastLane']>;
type Column = readonly [heading: string, cell: (lane: FastLane, session: Session) => string];

const columns: readonly Column[] = [
  ['FAST LANE', (_, { id }) => id],
  ['VIA', ({ via }) => via],
  ['PACKETS', ({ packetsSent }) => String(packetsSent)],
  ['DROPPED', ({ dropped }) => String(dropped)],
  ['REDUNDANCY', ({ redundancy }) => (redundancy ? 'on' : 'off')],
  ['TARGET', ({ report }) => millisecondsText(report.targetMs)],
  ['JITTER', ({ report }) => millisecondsText(report.jitterMs)],
  ['RTT', ({ report }) => millisecondsText(report.roundTripMs)],
  ['DRIFT', ({ report }) => `${report.driftPpm.toFixed(0)} ppm`],
  ['LOST', ({ report }) => countOf(report.lost)],
  ['RECOVERED', ({ report }) => countOf(report.recovered)],
  ['LATE', ({ report }) => countOf(report.late)],
  ['CONCEALED', ({ report }) => millisecondsText(report.concealedMs)],
  ['UNDERRUN', ({ report }) => millisecondsText(report.underrunMs)],
];

/** The viewers who speak the fast lane: what is sent to them, and what they say of it. Empty without any. */
export function fastLanesText({ sessions }: Status): string {
  const rows = sessions.flatMap((session) => {
    const { fastLane } = session;
    return fastLane === null ? [] : [columns.map(([, cell]) => cell(fastLane, session))];
  });
  if (rows.length === 0) return '';
  return textTable(
    columns.map(([heading]) => heading),
    rows,
  );
}

function countOf(count: number): string {
  return count < 0 ? '–' : String(count);
}
