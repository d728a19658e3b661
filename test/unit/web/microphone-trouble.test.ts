import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CaptureError,
  knownTrouble,
  troubleOf,
  troubleTexts,
} from '../../../src/web/microphone-trouble.ts';

function rejection(name: string, message = ''): DOMException {
  return new DOMException(message, name);
}

for (const [name, message, permission, trouble] of [
  ['NotAllowedError', 'Permission denied', 'denied', 'denied'],
  ['NotAllowedError', 'Permission denied', undefined, 'denied'],
  ['NotAllowedError', 'Permission dismissed', 'prompt', 'dismissed'],
  ['NotAllowedError', 'Permission dismissed', undefined, 'dismissed'],
  ['NotAllowedError', 'The request is not allowed', 'prompt', 'dismissed'],
  ['NotAllowedError', 'Permission denied by system', 'granted', 'denied-by-system'],
  ['SecurityError', '', undefined, 'blocked-by-policy'],
  ['NotFoundError', 'Requested device not found', 'granted', 'no-device'],
  ['OverconstrainedError', '', 'granted', 'no-device'],
  ['NotReadableError', 'Could not start audio source', 'granted', 'busy'],
  ['AbortError', '', 'granted', 'busy'],
  ['InvalidStateError', '', 'granted', 'unknown'],
] as const) {
  test(`${name} "${message}", permission ${permission}: ${trouble}`, () => {
    assert.equal(troubleOf(rejection(name, message), permission), trouble);
  });
}

test('what is no error at all is an unknown trouble', () => {
  assert.equal(troubleOf(undefined, undefined), 'unknown');
});

test('without a secure context there is no microphone, and that is what is said first', () => {
  assert.equal(knownTrouble({ isSecureContext: false, canCapture: false }), 'insecure');
  assert.equal(knownTrouble({ isSecureContext: true, canCapture: false }), 'unsupported');
  assert.equal(knownTrouble({ isSecureContext: true, canCapture: true }), undefined);
});

test('each trouble has a sentence of its own', () => {
  const texts = Object.values(troubleTexts);
  assert.equal(new Set(texts).size, texts.length);
  for (const text of texts) assert.match(text, /^[A-Z].+\.$/);
  assert.equal(new CaptureError('busy').message, troubleTexts.busy);
});
