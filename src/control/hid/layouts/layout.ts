import { usageOfCode } from '../key-codes.ts';

/** A key pressed with these modifiers and let go. */
export interface KeyStroke {
  /** Usage of the keyboard page. */
  readonly usage: number;
  /** As in the keyboard report: 0x02 Shift, 0x40 AltGr. */
  readonly modifiers: number;
}

/**
 * What each key of a layout types, by its place (`KeyboardEvent.code`): alone, with Shift, with AltGr, with both;
 * parted by spaces. `none` is nothing, `dead-acute` and the like wait for the next key. Letters are where a
 * QWERTY keyboard has them unless a table says otherwise.
 */
export type LayoutTable = Readonly<Record<string, string>>;

/** The strokes of every character a layout types. */
export type Layout = ReadonlyMap<string, readonly KeyStroke[]>;

const shift = 0x02;
const altGr = 0x40;
const levelModifiers = [0, shift, altGr, shift | altGr] as const;

interface DeadKey {
  /** The accent alone: the dead key, then a space. Only where every system agrees on which it is. */
  readonly alone: string;
  /** The combining character of the accent. */
  readonly mark: string;
  /** The letters every system puts it on. */
  readonly bases: string;
}

const deadKeys: Readonly<Record<string, DeadKey>> = {
  'dead-grave': { alone: '`', mark: '\u0300', bases: 'aeiouAEIOU' },
  'dead-acute': { alone: '', mark: '\u0301', bases: 'aeiouyAEIOUY' },
  'dead-circumflex': { alone: '^', mark: '\u0302', bases: 'aeiouAEIOU' },
  'dead-tilde': { alone: '~', mark: '\u0303', bases: 'anoANO' },
  'dead-diaeresis': { alone: '', mark: '\u0308', bases: 'aeiouyAEIOU' },
};

const letterTable: LayoutTable = Object.fromEntries(
  Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => [
    `Key${letter.toUpperCase()}`,
    `${letter} ${letter.toUpperCase()}`,
  ]),
);

/** Makes the strokes of a table: of two ways to a character the one with fewer keys. */
export function layoutOf(table: LayoutTable): Layout {
  const direct = new Map<string, KeyStroke>([
    [' ', stroke('Space', 0)],
    ['\n', stroke('Enter', 0)],
    ['\t', stroke('Tab', 0)],
  ]);
  const dead = new Map<string, KeyStroke>();
  for (const [level, modifiers] of levelModifiers.entries()) {
    for (const [code, words] of Object.entries({ ...letterTable, ...table })) {
      const word = words.split(' ')[level] ?? 'none';
      const into = Object.hasOwn(deadKeys, word) ? dead : direct;
      if (word !== 'none' && !into.has(word)) into.set(word, stroke(code, modifiers));
    }
  }
  const all = new Map<string, readonly KeyStroke[]>();
  for (const [character, only] of direct) all.set(character, [only]);
  for (const [name, accent] of dead) {
    for (const [character, base] of compositions(name, direct)) {
      if (!all.has(character)) all.set(character, [accent, base]);
    }
  }
  return all;
}

/** What a dead key makes of the next key. */
function compositions(
  name: string,
  direct: ReadonlyMap<string, KeyStroke>,
): [character: string, base: KeyStroke][] {
  const key = deadKeys[name];
  if (key === undefined) return [];
  const pairs = Array.from(
    key.bases,
    (base) => [(base + key.mark).normalize('NFC'), base] as const,
  );
  if (key.alone !== '') pairs.push([key.alone, ' ']);
  return pairs.flatMap(([character, base]) => {
    const found = direct.get(base);
    return found === undefined ? [] : [[character, found]];
  });
}

function stroke(code: string, modifiers: number): KeyStroke {
  const key = usageOfCode(code);
  if (key?.page !== 'keyboard') throw new TypeError(`${code} is no key of a keyboard`);
  return { usage: key.usage, modifiers };
}
