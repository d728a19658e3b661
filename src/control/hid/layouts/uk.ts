import type { LayoutTable } from './layout.ts';

/** English of the United Kingdom (ISO). Its accents are on other keys on each system, so they are left out. */
export const ukTable: LayoutTable = {
  Backquote: '` ¬',
  Digit1: '1 !',
  Digit2: '2 "',
  Digit3: '3 £',
  Digit4: '4 $ €',
  Digit5: '5 %',
  Digit6: '6 ^',
  Digit7: '7 &',
  Digit8: '8 *',
  Digit9: '9 (',
  Digit0: '0 )',
  Minus: '- _',
  Equal: '= +',
  BracketLeft: '[ {',
  BracketRight: '] }',
  Semicolon: '; :',
  Quote: "' @",
  Backslash: '# ~',
  IntlBackslash: '\\ |',
  Comma: ', <',
  Period: '. >',
  Slash: '/ ?',
};
