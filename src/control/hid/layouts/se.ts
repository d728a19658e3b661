import type { LayoutTable } from './layout.ts';

/** Swedish. */
export const seTable: LayoutTable = {
  Backquote: '§ ½',
  Digit1: '1 !',
  Digit2: '2 " @',
  Digit3: '3 # £',
  Digit4: '4 ¤ $',
  Digit5: '5 %',
  Digit6: '6 &',
  Digit7: '7 / {',
  Digit8: '8 ( [',
  Digit9: '9 ) ]',
  Digit0: '0 = }',
  Minus: '+ ? \\',
  Equal: 'dead-acute dead-grave',
  KeyE: 'e E €',
  KeyM: 'm M µ',
  BracketLeft: 'å Å',
  BracketRight: 'dead-diaeresis dead-circumflex dead-tilde',
  Semicolon: 'ö Ö',
  Quote: 'ä Ä',
  Backslash: "' *",
  IntlBackslash: '< > |',
  Comma: ', ;',
  Period: '. :',
  Slash: '- _',
};
