import type { LayoutTable } from './layout.ts';

/** Spanish. On Windows ~ of AltGr waits for the next key. */
export const esTable: LayoutTable = {
  Backquote: 'º ª \\',
  Digit1: '1 ! |',
  Digit2: '2 " @',
  Digit3: '3 · #',
  Digit4: '4 $ ~',
  Digit5: '5 %',
  Digit6: '6 & ¬',
  Digit7: '7 /',
  Digit8: '8 (',
  Digit9: '9 )',
  Digit0: '0 =',
  Minus: "' ?",
  Equal: '¡ ¿',
  KeyE: 'e E €',
  BracketLeft: 'dead-grave dead-circumflex [',
  BracketRight: '+ * ]',
  Semicolon: 'ñ Ñ',
  Quote: 'dead-acute dead-diaeresis {',
  Backslash: 'ç Ç }',
  IntlBackslash: '< >',
  Comma: ', ;',
  Period: '. :',
  Slash: '- _',
};
