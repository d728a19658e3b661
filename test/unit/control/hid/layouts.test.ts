import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { usageOfCode } from '../../../../src/control/hid/key-codes.ts';
import { layoutOf } from '../../../../src/control/hid/layouts/layout.ts';
import { layoutNames, layoutTitles } from '../../../../src/control/hid/layouts/layout-names.ts';
import { layoutNamed } from '../../../../src/control/hid/layouts/layouts.ts';
import { assertTypable, planText } from '../../../../src/control/hid/text-plan.ts';

const ascii = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index));

/** A stroke in words: `Shift+KeyA`. */
function words(layout: (typeof layoutNames)[number], character: string): string[] | undefined {
  const codes = ['Digit0', 'Digit2', 'Digit3', 'Equal', 'Minus', 'KeyA', 'KeyE', 'KeyQ', 'Space'];
  const more = [
    'Enter',
    'Tab',
    'BracketLeft',
    'BracketRight',
    'Quote',
    'IntlRo',
    'IntlYen',
    'KeyZ',
  ];
  const named = new Map([...codes, ...more].map((code) => [usageOfCode(code)?.usage, code]));
  return layoutNamed(layout)
    .get(character)
    ?.map(({ usage, modifiers }) => {
      const shift = (modifiers & 0x02) !== 0 ? 'Shift+' : '';
      const altGr = (modifiers & 0x40) !== 0 ? 'AltGr+' : '';
      return `${shift}${altGr}${named.get(usage) ?? usage}`;
    });
}

describe('the layouts', () => {
  it('type all of ASCII, a new line and a tab', () => {
    for (const name of layoutNames) {
      const layout = layoutNamed(name);
      const missing = [...ascii, '\n', '\t'].filter((character) => !layout.has(character));
      assert.deepEqual(missing, [], name);
      assert.notEqual(layoutTitles[name], '');
    }
  });

  it('type the letters of their languages', () => {
    const letters = {
      us: '',
      uk: '£€¬',
      de: 'äöüÄÖÜß€§°²³µáéíóúàèìòùâêîôû',
      fr: 'éèàùçâêîôûäëïöüÿ€£§°²µ¤ÂÊÎÔÛ',
      es: 'ñÑáéíóúÁÉÍÓÚüÜçÇ¿¡ªº·€',
      it: 'àèéìòùç£§°€',
      se: 'åäöÅÄÖéÉ§½€¤£',
      ch: 'äöüàéèçâêîôûëï§°£€¢ÄÖÜÀÉÈ',
      'ch-fr': 'äöüàéèçâêîôûëï§°£€¢ÀÈ',
      jp: '',
    };
    for (const name of layoutNames) {
      assert.deepEqual(planText(letters[name], name).untypable, [], name);
    }
    // Swiss keyboards have no capitals of their umlauts: ¨ first.
    assert.deepEqual(words('ch', 'Ä'), ['BracketRight', 'Shift+KeyA']);
  });

  it('use Shift, AltGr and dead keys', () => {
    assert.deepEqual(words('us', 'A'), ['Shift+KeyA']);
    assert.deepEqual(words('us', '"'), ['Shift+Quote']);
    assert.deepEqual(words('de', '@'), ['AltGr+KeyQ']);
    assert.deepEqual(words('de', 'é'), ['Equal', 'KeyE']);
    assert.deepEqual(words('de', '`'), ['Shift+Equal', 'Space']);
    assert.deepEqual(words('fr', 'a'), ['KeyQ']);
    assert.deepEqual(words('fr', 'ê'), ['BracketLeft', 'KeyE']);
    assert.deepEqual(words('fr', '3'), ['Shift+Digit3']);
    assert.deepEqual(words('it', '{'), ['Shift+AltGr+BracketLeft']);
    assert.deepEqual(words('jp', '\\'), ['IntlRo']);
    assert.deepEqual(words('jp', '|'), ['Shift+IntlYen']);
    assert.deepEqual(words('ch', 'z'), [String(usageOfCode('KeyY')?.usage)]);
  });

  it('are made only of keys of a keyboard', () => {
    assert.throws(() => layoutOf({ Power: '¤' }), TypeError);
    assert.throws(() => layoutOf({ Nowhere: '¤' }), TypeError);
  });
});

describe('planText', () => {
  it('makes every line end one Enter', () => {
    const plan = planText('a\r\nb\rc\nd', 'us');
    assert.equal(plan.characters, 7);
    const enter = usageOfCode('Enter')?.usage;
    assert.equal(plan.strokes.flat().filter(({ usage }) => usage === enter).length, 3);
  });

  it('composes characters first', () => {
    const plan = planText('e\u0301u\u0308', 'de');
    assert.equal(plan.characters, 2);
    assert.deepEqual(plan.untypable, []);
  });

  it('lists what cannot be typed, each once, in order', () => {
    const plan = planText('a€b🙂c€\u0001🙂“', 'us');
    assert.deepEqual(plan.untypable, ['€', '🙂', '\u0001', '“']);
    assert.equal(plan.characters, 9);
    assert.throws(() => assertTypable(plan, 'us'), {
      code: 'HID_TEXT_UNTYPABLE',
      message: 'The layout "us" has no keys for: € 🙂 U+0001 “. Nothing was typed.',
    });
  });

  it('says how many more there are', () => {
    const text = Array.from({ length: 30 }, (_, index) => String.fromCodePoint(0x4e00 + index));
    assert.throws(() => assertTypable(planText(text.join(''), 'jp'), 'jp'), /and 10 more/);
  });

  it('refuses a text that is too long', () => {
    const tooLong = { code: 'HID_TEXT_TOO_LONG' };
    assert.equal(planText('x'.repeat(10_000), 'us').characters, 10_000);
    assert.throws(() => planText('x'.repeat(10_001), 'us'), tooLong);
    assert.throws(() => planText('x'.repeat(10_000_000), 'us'), tooLong);
  });

  it('has nothing to do for nothing', () => {
    assert.deepEqual(planText('', 'us'), { characters: 0, untypable: [], strokes: [] });
  });
});
