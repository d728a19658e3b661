import type { TracedPacket } from '../media/voice-trace.ts';
import { countText } from './text-table.ts';

/** Where the milliseconds go, for people. */

/** A stage with how long it took each packet, ms. */
interface Stage {
  readonly name: string;
  readonly tookMs: readonly number[];
}

const barWidth = 50;
const whole = 'capture to last write';

/** One line a stage: its bar begins where the one before ended, so that the whole is the way of a packet. */
export function traceText(packets: readonly TracedPacket[]): string {
  const sent = packets.filter(({ written }) => written.length > 0);
  if (sent.length === 0) {
    return packets.length === 0
      ? 'No packet came: the sound device is not open, or nobody listens.\n'
      : `${countText(packets.length, 'packet')} came, and none was written to a viewer.\n`;
  }
  const stages = stagesOf(sent);
  const totalMs = sent.map(lastWriteMs);
  const scaleMs = Math.max(
    stages.reduce((sum, { tookMs }) => sum + middle(tookMs), 0),
    0.001,
  );
  const nameWidth = Math.max(whole.length, ...stages.map(({ name }) => name.length));
  let beforeMs = 0;
  const lines = stages.map(({ name, tookMs }) => {
    const p50 = middle(tookMs);
    const [from, to] = [beforeMs, beforeMs + p50].map((at) => (at / scaleMs) * barWidth);
    beforeMs += p50;
    return `${name.padEnd(nameWidth)}  ${bar(from ?? 0, to ?? 0)}  ${cell(p50)}  ${cell(quantile(tookMs, 0.95))}`;
  });
  const heading = `${'STAGE'.padEnd(nameWidth)}  ${''.padEnd(barWidth)}  ${'P50 ms'.padStart(7)}  ${'P95 ms'.padStart(7)}`;
  const total = `${whole.padEnd(nameWidth)}  ${''.padEnd(barWidth)}  ${cell(middle(totalMs))}  ${cell(quantile(totalMs, 0.95))}`;
  const viewers = new Set(sent.flatMap(({ written }) => written.map(({ session }) => session)));
  return `${[heading, ...lines, total].join('\n')}\n\n${countText(sent.length, 'packet')}, ${countText(viewers.size, 'viewer')}\n`;
}

function stagesOf(packets: readonly TracedPacket[]): Stage[] {
  const stage = (name: string, took: (packet: TracedPacket) => number): Stage => ({
    name,
    tookMs: packets.map(took),
  });
  const stages = [
    stage('the packet fills', ({ completeMs }) => completeMs),
    stage('card and encoder', ({ encodedMs, completeMs }) => encodedMs - completeMs),
    stage('out of the child', ({ sentMs, encodedMs }) => sentMs - encodedMs),
    stage('to the main process', ({ receivedMs, sentMs }) => receivedMs - sentMs),
    stage('to the first viewer', (packet) => firstWriteMs(packet) - packet.receivedMs),
  ];
  return packets.some(({ written }) => written.length > 1)
    ? [
        ...stages,
        stage('to the last viewer', (packet) => lastWriteMs(packet) - firstWriteMs(packet)),
      ]
    : stages;
}

function firstWriteMs({ written }: TracedPacket): number {
  return written[0]?.ms ?? Number.NaN;
}

function lastWriteMs({ written }: TracedPacket): number {
  return written.at(-1)?.ms ?? Number.NaN;
}

/** Columns from `from` to `to`; what is too short to be seen is a thin line. */
function bar(from: number, to: number): string {
  const begin = Math.min(Math.round(from), barWidth - 1);
  const end = Math.min(Math.round(to), barWidth);
  return `${' '.repeat(begin)}${end > begin ? '█'.repeat(end - begin) : '▏'}`.padEnd(barWidth);
}

function cell(ms: number): string {
  return ms.toFixed(2).padStart(7);
}

function middle(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
