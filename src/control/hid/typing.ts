import type { KeyTask } from './key-task.ts';
import type { KeyStroke } from './layouts/layout.ts';
import type { LayoutName } from './layouts/layout-names.ts';
import { planText } from './text-plan.ts';

export interface Typing {
  readonly text: string;
  readonly layout: LayoutName;
  readonly charactersPerSecond: number;
  /** Whether the host's Caps Lock is on as far as it told: it would turn letters around. */
  readonly capsLock: boolean;
  /** A character is typed. */
  readonly typed: () => void;
}

const capsLockUsage = 0x39;
const shift = 0x02;

/** Types a text that can be typed, one stroke after another at the pace, with Caps Lock off meanwhile. */
export async function typeText(task: KeyTask, typing: Typing): Promise<void> {
  const { text, layout, charactersPerSecond, capsLock, typed } = typing;
  const intervalMs = 1_000 / charactersPerSecond;
  const { strokes } = planText(text, layout);
  if (capsLock) await task.stroke(capsStroke(layout));
  for (const character of strokes) {
    for (const stroke of character) {
      await task.pace(intervalMs);
      await task.stroke(stroke);
    }
    typed();
  }
  if (capsLock) await task.stroke(capsStroke(layout));
  await task.settle();
}

/** What turns Caps Lock on and off; on a Japanese keyboard that key alone does another thing. */
function capsStroke(layout: LayoutName): KeyStroke {
  return { usage: capsLockUsage, modifiers: layout === 'jp' ? shift : 0 };
}
