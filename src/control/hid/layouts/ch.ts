import type { LayoutTable } from './layout.ts';

/** Swiss German. */
export const chTable: LayoutTable = {
  Backquote: '§ °',
  Digit1: '1 +',
  Digit2: '2 " @',
  Digit3: '3 * #',
  Digit4: '4 ç',
  Digit5: '5 %',
  Digit6: '6 & ¬',
  Digit7: '7 / |',
  Digit8: '8 ( ¢',
  Digit9: '9 )',
  Digit0: '0 =',
  Minus: "' ? dead-acute",
  Equal: 'dead-circumflex dead-grave dead-tilde',
  KeyE: 'e E €',
  KeyY: 'z Z',
  KeyZ: 'y Y',
  BracketLeft: 'ü è [',
  BracketRight: 'dead-diaeresis ! ]',
  Semicolon: 'ö é',
  Quote: 'ä à {',
  Backslash: '$ £ }',
  IntlBackslash: '< > \\',
  Comma: ', ;',
  Period: '. :',
  Slash: '- _',
};

/** Swiss French: the same keys with the letters of three exchanged. */
export const chFrTable: LayoutTable = {
  ...chTable,
  BracketLeft: 'è ü [',
  Semicolon: 'é ö',
  Quote: 'à ä {',
};
