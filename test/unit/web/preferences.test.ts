import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultPreferences,
  gainOf,
  type PreferenceStorage,
  preferencesKey,
  readPreferences,
  writePreferences,
} from '../../../src/web/preferences.ts';

function storageWith(text?: string): PreferenceStorage {
  const items = new Map(text === undefined ? [] : [[preferencesKey, text]]);
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      items.set(key, value);
    },
  };
}

const blocked: PreferenceStorage = {
  getItem: () => {
    throw new Error('The operation is insecure.');
  },
  setItem: () => {
    throw new Error('The operation is insecure.');
  },
};

test('what was written is read again', () => {
  const storage = storageWith();
  const preferences = {
    volumePercent: 35,
    muted: true,
    latency: 'lowest',
    sinkId: '77aa',
    pictureSize: 'actual',
    sync: true,
    shortcuts: false,
    microphone: {
      ...defaultPreferences.microphone,
      deviceId: 'b1c2',
      echoCancellation: false,
      pushToTalk: true,
      talkKey: 'space',
    },
  } as const;
  assert.equal(writePreferences(storage, preferences), true);
  assert.deepEqual(readPreferences(storage), preferences);
});

test('nothing stored, or storage blocked, gives the defaults', () => {
  assert.deepEqual(readPreferences(storageWith()), defaultPreferences);
  assert.deepEqual(readPreferences(blocked), defaultPreferences);
  assert.equal(writePreferences(blocked, defaultPreferences), false);
});

test('what an older page stored keeps its values; what it did not know begins with its defaults', () => {
  const stored = { volumePercent: 50, muted: true, shortcuts: false };
  assert.deepEqual(readPreferences(storageWith(JSON.stringify(stored))), {
    ...defaultPreferences,
    ...stored,
  });
});

for (const microphone of [null, 'x', {}, { ...defaultPreferences.microphone, talkKey: 'q' }]) {
  test(`a damaged microphone costs nothing else: ${JSON.stringify(microphone)}`, () => {
    const stored = { volumePercent: 50, muted: true, shortcuts: false };
    const text = JSON.stringify({ ...stored, microphone });
    assert.deepEqual(readPreferences(storageWith(text)), {
      ...defaultPreferences,
      ...stored,
    });
  });
}

for (const damaged of [{ latency: 'fastest' }, { latency: 1 }, { sinkId: 7 }, { sinkId: null }]) {
  test(`a damaged choice of lane or output costs nothing else: ${JSON.stringify(damaged)}`, () => {
    const stored = { volumePercent: 50, muted: true, shortcuts: false };
    const text = JSON.stringify({ ...stored, ...damaged });
    assert.deepEqual(readPreferences(storageWith(text)), { ...defaultPreferences, ...stored });
  });
}

test('the microphone is processed for speech by default, and stays open while it is on', () => {
  const { echoCancellation, raw, pushToTalk, deviceId } = defaultPreferences.microphone;
  assert.deepEqual(
    { echoCancellation, raw, pushToTalk, deviceId },
    { echoCancellation: true, raw: false, pushToTalk: false, deviceId: '' },
  );
});

for (const damaged of [
  '{"volumePercent":50',
  'null',
  '[]',
  '{"volumePercent":101,"muted":false,"shortcuts":true}',
  '{"volumePercent":-1,"muted":false,"shortcuts":true}',
  '{"volumePercent":"50","muted":false,"shortcuts":true}',
  '{"volumePercent":50.5,"muted":false,"shortcuts":true}',
  '{"volumePercent":50,"muted":"no","shortcuts":true}',
  '{"volumePercent":50}',
]) {
  test(`damaged preferences give the defaults: ${damaged}`, () => {
    assert.deepEqual(readPreferences(storageWith(damaged)), defaultPreferences);
  });
}

test('the gain is 0 at the bottom, 1 at the top and rises with the position', () => {
  assert.equal(gainOf(0), 0);
  assert.equal(gainOf(100), 1);
  const gains = Array.from({ length: 101 }, (_, percent) => gainOf(percent));
  assert.deepEqual(
    gains,
    gains.toSorted((a, b) => a - b),
  );
});
