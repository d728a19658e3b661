import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyCodes, usageOfCode } from '../../../src/control/hid/key-codes.ts';
import {
  absoluteReport,
  consumerReport,
  keyboardReport,
  relativeReport,
  systemReport,
} from '../../../src/control/hid/reports.ts';
import { consumerKeycode, keyboardKeycode } from '../../lab/evdev-keys.ts';
import { hostReport } from '../../lab/host-report.ts';
import { XInputState } from '../../lab/x-input-state.ts';

/** What was done to a screen of 1280 × 720, as words. */
function screen() {
  const done: string[] = [];
  const state = new XInputState({
    width: 1_280,
    height: 720,
    key: (code, down) => done.push(`${down ? '+' : '-'}${code}`),
    button: (button, down) => done.push(`${down ? '+' : '-'}b${button}`),
    moveTo: (x, y) => done.push(`to ${x},${y}`),
    moveBy: (dx, dy) => done.push(`by ${dx},${dy}`),
  });
  const take = () => done.splice(0).join(' ');
  return {
    state,
    take,
    keys(modifiers: number, ...usages: readonly number[]): string {
      state.apply(hostReport('keyboard', keyboardReport(modifiers, usages)));
      return take();
    },
  };
}

describe('a report at the host', () => {
  it('presses what came and releases what went, modifiers before keys', () => {
    const { keys } = screen();
    assert.equal(keys(0b10, 0x04), '+50 +38');
    assert.equal(keys(0b10, 0x04, 0x05), '+56');
    assert.equal(keys(0, 0x05, 0x06), '-50 -38 +54');
    assert.equal(keys(0), '-56 -54');
  });

  it('holds six keys, and with a seventh the six and the modifiers', () => {
    const { keys } = screen();
    assert.equal(keys(0, 4, 5, 6, 7, 8, 9), '+38 +56 +54 +40 +26 +41');
    assert.equal(keys(1, 4, 5, 6, 7, 8, 9, 10), '+37');
    assert.equal(keys(0, 4, 5, 6, 7, 8, 9, 10), '-37');
    assert.equal(keys(0, 10), '-38 -56 -54 -40 -26 -41 +42');
  });

  it('ignores usages that no key has', () => {
    assert.equal(screen().keys(0, 0xa5, 0xff, 0x02), '');
  });

  it('reaches both ends of the screen, and clicks where the pointer went', () => {
    const { state, take } = screen();
    const at = (buttons: number, x: number, y: number) => {
      state.apply(hostReport('absolute', absoluteReport({ buttons, x, y })));
      return take();
    };
    assert.equal(at(0, 0, 0), 'to 0,0');
    assert.equal(at(0b1, 32_767, 32_767), 'to 1279,719 +b1');
    assert.equal(at(0b1_1110, 16_384, 16_384), 'to 640,360 -b1 +b3 +b2 +b8 +b9');
  });

  it('moves by steps, and turns the wheel notch by notch', () => {
    const { state, take } = screen();
    const by = (buttons: number, dx: number, dy: number, wheel: number, pan: number) => {
      state.apply(hostReport('relative', relativeReport(buttons, { dx, dy, wheel, pan })));
      return take();
    };
    assert.equal(by(0, -300, 4, 0, 0), 'by -300,4');
    assert.equal(by(1, 0, 0, 2, 0), '+b1 +b4 -b4 +b4 -b4');
    assert.equal(by(0, 0, 0, -1, 0), '-b1 +b5 -b5');
    assert.equal(by(0, 0, 0, 0, 1), '+b7 -b7');
    assert.equal(by(0, 0, 0, 0, -1), '+b6 -b6');
  });

  it('holds a button that one of two mice holds', () => {
    const { state, take } = screen();
    const still = { dx: 0, dy: 0, wheel: 0, pan: 0 };
    state.apply(hostReport('relative', relativeReport(1, still)));
    state.apply(hostReport('absolute', absoluteReport({ buttons: 1, x: 0, y: 0 })));
    state.apply(hostReport('relative', relativeReport(0, still)));
    assert.equal(take(), '+b1 to 0,0');
    state.apply(hostReport('absolute', absoluteReport({ buttons: 0, x: 0, y: 0 })));
    assert.equal(take(), 'to 0,0 -b1');
  });

  it('presses media and system keys', () => {
    const { state, take } = screen();
    state.apply(hostReport('consumer', consumerReport(0xe9)));
    state.apply(hostReport('consumer', consumerReport(0)));
    assert.equal(take(), '+123 -123');
    state.apply(hostReport('system', systemReport(0b010)));
    state.apply(hostReport('system', systemReport(0)));
    assert.equal(take(), '+150 -150');
  });

  it('lets go of everything', () => {
    const { state, keys, take } = screen();
    keys(0b1, 0x04);
    state.apply(hostReport('absolute', absoluteReport({ buttons: 0b10, x: 0, y: 0 })));
    take();
    state.release();
    assert.equal(take(), '-37 -38 -b3');
    state.release();
    assert.equal(take(), '');
  });
});

describe('the keys of evdev', () => {
  it('has every key of a browser that X can tell', () => {
    // Linux knows no code for these keypads' keys, or one beyond X's 255.
    const without =
      /^(Abort|Props|Select|Numpad(Backspace|Hash|Memory.*|Clear.*|Star))$|^(Launch|Brightness|Media|Browser|Zoom|Eject)/;
    const missing = keyCodes.filter((code) => {
      const key = usageOfCode(code);
      return (
        key?.page === 'keyboard' && !without.test(code) && keyboardKeycode(key.usage) === undefined
      );
    });
    assert.deepEqual(missing, []);
  });

  it('gives no two keys the same number, but the two ends of ISO and ANSI boards', () => {
    const codes = new Map<number, number[]>();
    for (let usage = 4; usage < 0xe8; usage += 1) {
      const code = keyboardKeycode(usage);
      if (code !== undefined) codes.set(code, [...(codes.get(code) ?? []), usage]);
    }
    const shared = [...codes.values()].filter((usages) => usages.length > 1);
    assert.deepEqual(shared, [[0x31, 0x32]]);
  });

  it('has no key for a media usage that nobody makes', () => {
    assert.equal(consumerKeycode(0), undefined);
    assert.equal(consumerKeycode(0x3ff), undefined);
  });
});
