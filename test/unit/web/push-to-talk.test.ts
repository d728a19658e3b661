import assert from 'node:assert/strict';
import { test } from 'node:test';
import { belongsToElement, isTalkKey, talkKeys } from '../../../src/web/push-to-talk.ts';

test('each key is told from the others, with Shift or without', () => {
  const keys = { t: ['t', 'T'], v: ['v', 'V'], space: [' '], backquote: ['`'] } as const;
  for (const talkKey of talkKeys) {
    for (const [name, texts] of Object.entries(keys)) {
      for (const key of texts) assert.equal(isTalkKey(talkKey, { key }), name === talkKey);
    }
  }
});

test('letters belong to what is typed into, and Space to whatever has the focus', () => {
  for (const talkKey of talkKeys) {
    for (const element of [
      { tag: 'textarea', type: '' },
      { tag: 'select', type: '' },
      { tag: 'input', type: 'text' },
    ]) {
      assert.equal(belongsToElement(talkKey, element), true);
    }
    assert.equal(belongsToElement(talkKey, { tag: 'body', type: '' }), false);
    assert.equal(belongsToElement(talkKey, { tag: 'button', type: '' }), talkKey === 'space');
    assert.equal(belongsToElement(talkKey, { tag: 'input', type: 'radio' }), talkKey === 'space');
    assert.equal(belongsToElement(talkKey, { tag: 'summary', type: '' }), talkKey === 'space');
  }
});
