import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { usageOfCode } from '../../src/control/hid/key-codes.ts';
import type { KeyStroke } from '../../src/control/hid/layouts/layout.ts';
import { type LayoutName, layoutNames } from '../../src/control/hid/layouts/layout-names.ts';
import { layoutNamed } from '../../src/control/hid/layouts/layouts.ts';

/** Compares the layouts with xkeyboard-config's, and their dead keys with libX11's compose table. */

const composePath = '/usr/share/X11/locale/en_US.UTF-8/Compose';
const missing =
  spawnSync('xkbcli', ['--version']).error !== undefined
    ? 'xkbcli is not installed (libxkbcommon-tools)'
    : !existsSync(composePath) && 'libX11’s compose table is not installed (libx11-data)';

/** Each layout as xkeyboard-config calls it. */
const xkbNames: Readonly<Record<LayoutName, readonly [layout: string, variant: string]>> = {
  us: ['us', ''],
  uk: ['gb', ''],
  de: ['de', ''],
  fr: ['fr', ''],
  es: ['es', ''],
  it: ['it', ''],
  se: ['se', ''],
  ch: ['ch', ''],
  'ch-fr': ['ch', 'fr'],
  jp: ['jp', ''],
};

/** The keys that type, as xkeyboard-config calls them: rows E to B of ISO 9995. */
const xkbKeys: Readonly<Record<string, string>> = {
  TLDE: 'Backquote',
  ...row(
    'AE',
    'Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal IntlYen',
  ),
  ...row('AD', 'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight'),
  ...row('AC', 'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote'),
  BKSL: 'Backslash',
  LSGT: 'IntlBackslash',
  ...row('AB', 'KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash IntlRo'),
  SPCE: 'Space',
  RTRN: 'Enter',
  TAB: 'Tab',
};

function row(name: string, codes: string): Record<string, string> {
  const numbered = codes
    .split(' ')
    .map((code, index) => [`${name}${String(index + 1).padStart(2, '0')}`, code]);
  return Object.fromEntries(numbered);
}

/** Names of keysyms and their numbers; of Latin-1 the number is the character's. */
const keysyms: Readonly<Record<string, { readonly code: number }>> = createRequire(import.meta.url)(
  'x11/lib/keysyms.js',
);

function characterOf(keysym: string): string {
  if (keysym === 'Return') return '\n';
  if (keysym === 'Tab') return '\t';
  if (keysym === 'EuroSign') return '€';
  const unicode = /^U([0-9A-F]{4,6})$/.exec(keysym)?.[1];
  if (unicode !== undefined) return String.fromCodePoint(Number.parseInt(unicode, 16));
  const number = keysyms[`XK_${keysym}`]?.code ?? 0;
  const isLatin = (number >= 0x20 && number <= 0x7e) || (number >= 0xa0 && number <= 0xff);
  return isLatin ? String.fromCharCode(number) : `<${keysym}>`;
}

/** Keysyms of each key of a layout, by usage and level. */
function xkbLayout(name: LayoutName): ReadonlyMap<number, readonly string[]> {
  const [layout, variant] = xkbNames[name];
  const keymap = execFileSync(
    'xkbcli',
    ['compile-keymap', '--layout', layout, ...(variant === '' ? [] : ['--variant', variant])],
    { encoding: 'utf8', timeout: 10_000 },
  );
  const symbols = keymap.slice(keymap.indexOf('xkb_symbols'));
  const keys = new Map<number, readonly string[]>();
  for (const [, key = '', body = ''] of symbols.matchAll(/key <(\w+)>\s*\{([^}]*)\}/g)) {
    const list = /(?:symbols\[(?:1|Group1)\]\s*=\s*|^\s*)\[([^\]]*)\]/.exec(body)?.[1];
    const usage = usageOfCode(xkbKeys[key] ?? '')?.usage;
    if (usage === undefined || list === undefined) continue;
    keys.set(
      usage,
      list.split(',').map((keysym) => keysym.trim()),
    );
  }
  return keys;
}

/** What libX11 makes of a dead key and the next: `dead_acute e`. */
function composeTable(): ReadonlyMap<string, string> {
  const lines = readFileSync(composePath, 'utf8').matchAll(
    /^<(dead_\w+)>\s+<(\w+)>\s*:\s*"([^"]+)"/gm,
  );
  return new Map(
    [...lines].map(([, dead, base, character]) => [`${dead} ${base}`, character ?? '']),
  );
}

const levels = new Map([
  [0, 0],
  [0x02, 1],
  [0x40, 2],
  [0x42, 3],
]);

describe('the layouts', { skip: missing }, () => {
  for (const name of layoutNames) {
    it(`${name} types what xkeyboard-config’s does`, () => {
      const keys = xkbLayout(name);
      const compose = composeTable();
      const keysym = ({ usage, modifiers }: KeyStroke) =>
        keys.get(usage)?.[levels.get(modifiers) ?? -1] ?? 'nothing';
      const wrong: string[] = [];
      for (const [character, strokes] of layoutNamed(name)) {
        const [first, second] = strokes.map(keysym);
        const typed =
          second === undefined ? characterOf(first ?? '') : compose.get(`${first} ${second}`);
        if (typed !== character) wrong.push(`${character}: ${first} ${second ?? ''} is ${typed}`);
      }
      assert.deepEqual(wrong, []);
      assert.ok(layoutNamed(name).size >= 97);
    });
  }
});
