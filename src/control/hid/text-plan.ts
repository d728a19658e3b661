import { EarshotError } from '../../errors/earshot-error.ts';
import type { TextCheck } from './hid-service.ts';
import type { KeyStroke } from './layouts/layout.ts';
import type { LayoutName } from './layouts/layout-names.ts';
import { layoutNamed } from './layouts/layouts.ts';
import { maxTextCharacters } from './limits.ts';

/** A text as strokes, and what of it has none. */
export interface TextPlan extends TextCheck {
  /** The strokes of each character, in order; of those that cannot be typed none. */
  readonly strokes: readonly (readonly KeyStroke[])[];
}

/**
 * Plans how to type a text: every kind of line end is one Enter, a tab is Tab, characters are composed first
 * (Unicode NFC). Throws HID_TEXT_TOO_LONG for more than `limit` characters.
 */
export function planText(text: string, layout: LayoutName, limit = maxTextCharacters): TextPlan {
  // A code unit or more a character: longer than this it is too long however it is composed.
  if (text.length > limit * 4) throw tooLong(text.length, limit);
  const characters = [...text.replace(/\r\n?/g, '\n').normalize('NFC')];
  if (characters.length > limit) throw tooLong(characters.length, limit);
  const keys = layoutNamed(layout);
  const untypable = new Set<string>();
  const strokes = characters.map((character) => {
    const found = keys.get(character);
    if (found === undefined) untypable.add(character);
    return found ?? [];
  });
  return { characters: characters.length, untypable: [...untypable], strokes };
}

/** Throws HID_TEXT_UNTYPABLE when something of it has no keys. */
export function assertTypable({ untypable }: TextCheck, layout: LayoutName): void {
  if (untypable.length === 0) return;
  const shown = untypable.slice(0, 20).map(shownCharacter).join(' ');
  const more = untypable.length > 20 ? ` and ${untypable.length - 20} more` : '';
  throw new EarshotError(
    'HID_TEXT_UNTYPABLE',
    `The layout "${layout}" has no keys for: ${shown}${more}. Nothing was typed.`,
    { details: { layout, characters: untypable.slice(0, 200) } },
  );
}

/** A character as a person can read it: those that cannot be seen, or join others, by number. */
function shownCharacter(character: string): string {
  if (!/[\p{C}\p{M}\p{Z}]/u.test(character)) return character;
  const number = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${number}`;
}

function tooLong(characters: number, limit: number): EarshotError {
  return new EarshotError(
    'HID_TEXT_TOO_LONG',
    `A text of ${characters} characters is too long to type at once; at most ${limit} are allowed.`,
    { details: { characters, allowed: limit } },
  );
}
