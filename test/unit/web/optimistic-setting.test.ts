import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OptimisticSetting, type SettingState } from '../../../src/web/optimistic-setting.ts';

interface Asked {
  readonly wanted: string;
  readonly answer: (known: string) => void;
  readonly refuse: (message: string) => void;
}

function lab() {
  const asked: Asked[] = [];
  const states: SettingState<string, string>[] = [];
  const setting = new OptimisticSetting<string, string>({
    request: (wanted) =>
      new Promise((resolve, reject) => {
        asked.push({ wanted, answer: resolve, refuse: (message) => reject(new Error(message)) });
      }),
    onChange: (state) => states.push(state),
  });
  setting.received('medium');
  return { asked, states, setting };
}

test('what is asked for shows at once, and holds when the device agrees', async () => {
  const { asked, states, setting } = lab();
  const done = setting.ask('ultra');
  assert.deepEqual(setting.state, { known: 'medium', wanted: 'ultra', error: '' });
  asked[0]?.answer('ultra');
  await done;
  assert.deepEqual(setting.state, { known: 'ultra', wanted: undefined, error: '' });
  assert.equal(states.at(-1), setting.state);
});

test('a refusal goes back to what holds, with the device’s words, until the next try', async () => {
  const { asked, setting } = lab();
  const done = setting.ask('ultra');
  asked[0]?.refuse('The disk is full.');
  await done;
  assert.deepEqual(setting.state, {
    known: 'medium',
    wanted: undefined,
    error: 'The disk is full.',
  });
  void setting.ask('low');
  assert.equal(setting.state.error, '');
});

test('of many wishes during one request only the newest is sent', async () => {
  const { asked, setting } = lab();
  const done = setting.ask('low');
  void setting.ask('high');
  void setting.ask('ultra');
  assert.equal(asked.length, 1);
  asked[0]?.answer('low');
  await Promise.resolve();
  while (asked.length < 2) await Promise.resolve();
  assert.equal(setting.state.wanted, 'ultra');
  asked[1]?.answer('ultra');
  await done;
  assert.deepEqual(
    asked.map(({ wanted }) => wanted),
    ['low', 'ultra'],
  );
  assert.equal(setting.state.known, 'ultra');
});

test('the failure of a wish that was overtaken is of no interest', async () => {
  const { asked, setting } = lab();
  const done = setting.ask('low');
  void setting.ask('ultra');
  asked[0]?.refuse('no');
  while (asked.length < 2) await Promise.resolve();
  asked[1]?.answer('ultra');
  await done;
  assert.deepEqual(setting.state, { known: 'ultra', wanted: undefined, error: '' });
});

test('what another viewer changed shows, and does not undo a wish under way', () => {
  const { setting } = lab();
  setting.received('high');
  assert.equal(setting.state.known, 'high');
  void setting.ask('ultra');
  setting.received('low');
  assert.deepEqual(setting.state, { known: 'low', wanted: 'ultra', error: '' });
});

test('an answer does not undo what the device said while it was on its way', async () => {
  const { asked, setting } = lab();
  const done = setting.ask('ultra');
  setting.received('ultra');
  setting.received('low');
  asked[0]?.answer('ultra');
  await done;
  assert.deepEqual(setting.state, { known: 'low', wanted: undefined, error: '' });
});
