import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCombination } from '../../../../src/control/hid/combination.ts';
import { validUsage } from '../../../../src/control/hid/hid-messages.ts';
import {
  allKeyNames,
  keyCodes,
  keyNames,
  modifierBit,
  usageOfCode,
  usageOfName,
} from '../../../../src/control/hid/key-codes.ts';

/** The code values of UI Events KeyboardEvent code Values, by its sections. */
const codesOfTheStandard = `
Backquote Backslash BracketLeft BracketRight Comma Digit0 Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8
Digit9 Equal IntlBackslash IntlRo IntlYen KeyA KeyB KeyC KeyD KeyE KeyF KeyG KeyH KeyI KeyJ KeyK KeyL KeyM KeyN KeyO
KeyP KeyQ KeyR KeyS KeyT KeyU KeyV KeyW KeyX KeyY KeyZ Minus Period Quote Semicolon Slash
AltLeft AltRight Backspace CapsLock ContextMenu ControlLeft ControlRight Enter MetaLeft MetaRight ShiftLeft ShiftRight
Space Tab Convert KanaMode Lang1 Lang2 Lang3 Lang4 Lang5 NonConvert
Delete End Help Home Insert PageDown PageUp ArrowDown ArrowLeft ArrowRight ArrowUp
NumLock Numpad0 Numpad1 Numpad2 Numpad3 Numpad4 Numpad5 Numpad6 Numpad7 Numpad8 Numpad9 NumpadAdd NumpadBackspace
NumpadClear NumpadClearEntry NumpadComma NumpadDecimal NumpadDivide NumpadEnter NumpadEqual NumpadHash NumpadMemoryAdd
NumpadMemoryClear NumpadMemoryRecall NumpadMemoryStore NumpadMemorySubtract NumpadMultiply NumpadParenLeft
NumpadParenRight NumpadStar NumpadSubtract
Escape F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24 PrintScreen ScrollLock
Pause
BrowserBack BrowserFavorites BrowserForward BrowserHome BrowserRefresh BrowserSearch BrowserStop Eject LaunchApp1
LaunchApp2 LaunchMail MediaPlayPause MediaSelect MediaStop MediaTrackNext MediaTrackPrevious Power Sleep
AudioVolumeDown AudioVolumeMute AudioVolumeUp WakeUp
Abort Again Copy Cut Find Open Paste Props Select Undo Hiragana Katakana`
  .trim()
  .split(/\s+/);

describe('key codes', () => {
  it('know every key of the standard that a host has', () => {
    const missing = codesOfTheStandard.filter((code) => usageOfCode(code) === undefined);
    assert.deepEqual(missing, []);
  });

  it('do not know what has no usage', () => {
    for (const code of ['Fn', 'FnLock', 'Unidentified', '', 'toString', 'keya']) {
      assert.equal(usageOfCode(code), undefined, code);
    }
  });

  it('are usages a message can carry', () => {
    for (const code of keyCodes) {
      const key = usageOfCode(code);
      assert.ok(key && validUsage(key.page, key.usage), code);
    }
  });

  it('are those of the HID usage tables', () => {
    const usages: [string, string, number][] = [
      ['KeyA', 'keyboard', 0x04],
      ['KeyZ', 'keyboard', 0x1d],
      ['Digit1', 'keyboard', 0x1e],
      ['Digit0', 'keyboard', 0x27],
      ['F1', 'keyboard', 0x3a],
      ['F12', 'keyboard', 0x45],
      ['F13', 'keyboard', 0x68],
      ['F24', 'keyboard', 0x73],
      ['Numpad1', 'keyboard', 0x59],
      ['Numpad0', 'keyboard', 0x62],
      ['IntlBackslash', 'keyboard', 0x64],
      ['IntlRo', 'keyboard', 0x87],
      ['IntlYen', 'keyboard', 0x89],
      ['Lang1', 'keyboard', 0x90],
      ['MetaRight', 'keyboard', 0xe7],
      ['MediaPlayPause', 'consumer', 0xcd],
      ['BrowserHome', 'consumer', 0x223],
      ['Power', 'system', 0x81],
      ['WakeUp', 'system', 0x83],
    ];
    for (const [code, page, usage] of usages) {
      assert.deepEqual(usageOfCode(code), { page, usage }, code);
    }
  });

  it('give no two keys of the standard one usage, but for its aliases', () => {
    const aliases = new Set(['Hiragana', 'Katakana', 'NumpadStar']);
    const seen = new Map<string, string>();
    for (const code of codesOfTheStandard.filter((each) => !aliases.has(each))) {
      const id = JSON.stringify(usageOfCode(code));
      assert.equal(seen.get(id), undefined, code);
      seen.set(id, code);
    }
  });

  it('have short names, and the codes in any letters', () => {
    for (const [name, code] of Object.entries(keyNames)) {
      assert.deepEqual(usageOfName(name), usageOfCode(code), name);
    }
    for (const code of keyCodes) assert.ok(usageOfName(code.toUpperCase()), code);
    assert.equal(new Set(allKeyNames).size, allKeyNames.length);
  });

  it('know the bit of a modifier', () => {
    assert.equal(modifierBit({ page: 'keyboard', usage: 0xe0 }), 1);
    assert.equal(modifierBit({ page: 'keyboard', usage: 0xe7 }), 128);
    assert.equal(modifierBit({ page: 'keyboard', usage: 0x04 }), 0);
    assert.equal(modifierBit({ page: 'consumer', usage: 0xe2 }), 0);
  });
});

describe('parseCombination', () => {
  it('reads names in the order they go down', () => {
    const usages = (text: string) => parseCombination(text).map(({ usage }) => usage);
    assert.deepEqual(usages('ctrl+alt+del'), [0xe0, 0xe2, 0x4c]);
    assert.deepEqual(usages(' Ctrl + AltGr + F12 '), [0xe0, 0xe6, 0x45]);
    assert.deepEqual(usages('a'), [0x04]);
    assert.deepEqual(usages('shift+Slash'), [0xe1, 0x38]);
    assert.deepEqual(parseCombination('sleep'), [{ page: 'system', usage: 0x82 }]);
  });

  it('names what it does not know, and what was meant', () => {
    const refusal = (text: string, message: RegExp) =>
      assert.throws(() => parseCombination(text), { code: 'HID_KEY_UNKNOWN', message });
    refusal('ctrl+alt+dell', /There is no key "dell" in "ctrl\+alt\+dell"; did you mean "del"\?/);
    refusal('crtl+c', /did you mean "ctrl"\?/);
    refusal('ctrl+qqqqqqq', /names are such as/);
    refusal('', /names no key/);
    refusal('ctrl++', /names no key/);
    refusal('ctrl+a+CTRL', /names the key "CTRL" twice/);
    refusal('a+b+c+d+e+f+g+h+i', /has 9 keys; at most 8/);
    refusal('x'.repeat(200), /longer than 100/);
  });
});
