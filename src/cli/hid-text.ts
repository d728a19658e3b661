import type * as v from 'valibot';
import type { hidStatusSchema } from '../api/hid-schema.ts';
import type { CliIo } from './cli-io.ts';
import { colour, countText, millisecondsText, printable, textFields } from './text-table.ts';

type HidStatus = v.InferOutput<typeof hidStatusSchema>;

/** `earshot hid` for people; null: a device without keyboard and mouse for the host. */
export function hidText(status: HidStatus | null, io: CliIo): string {
  if (status === null) {
    return 'This device has no keyboard and mouse for the host; hid.host of its configuration says where they go.\n';
  }
  const { leds, counts, jiggler, latencyMs } = status;
  const lit = Object.entries(leds).flatMap(([name, isOn]) => (isOn ? [name] : []));
  const lost = [
    `${countText(counts.reportsFailed, 'report')} not taken`,
    `${counts.dropped} dropped`,
    `${counts.deadMan} times released for silence`,
  ];
  return textFields([
    ['Host', hostText(status, io)],
    ['LEDs', lit.length === 0 ? 'none lit' : lit.join(', ')],
    [
      'Viewers',
      `${status.viewers}, holding ${countText(status.heldKeys, 'key')} and ${countText(status.heldButtons, 'button')}`,
    ],
    ['Typing', taskText(status.task)],
    ['Layout', `${status.layout} (there are: ${status.layouts.join(', ')})`],
    ['Jiggler', jiggler.enabled ? `every ${jiggler.seconds} s` : 'off'],
    [
      'Delay',
      latencyMs === null
        ? 'unknown'
        : `${millisecondsText(latencyMs.p50)} from event to report, 95 % within ${millisecondsText(latencyMs.p95)}, at most ${millisecondsText(latencyMs.max)}`,
    ],
    [
      'Events',
      `${counts.keyEvents} of keys, ${counts.pointerEvents} of the pointer; ${countText(counts.reportsTaken, 'report')} written`,
    ],
    ['Faults', lost.join(', ')],
  ]);
}

function hostText({ host, reason }: HidStatus, io: CliIo): string {
  if (host === 'attached') return colour(io, 'green', 'attached');
  return `${colour(io, 'red', host)}${reason === '' ? '' : `: ${printable(reason)}`}`;
}

/** What is typed, and how far it is. */
export function taskText(task: HidStatus['task']): string {
  if (task === null) return 'nothing';
  const what = task.kind === 'text' ? 'a text' : `the macro ${printable(task.name)}`;
  const unit = task.kind === 'text' ? 'character' : 'step';
  return `${what}, ${task.done} of ${countText(task.total, unit)}`;
}
