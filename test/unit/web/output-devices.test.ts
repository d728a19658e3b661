import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ListedDevice,
  noOutputs,
  OutputDevices,
  type OutputState,
} from '../../../src/web/output-devices.ts';

const output = (deviceId: string, label = deviceId): ListedDevice => ({
  kind: 'audiooutput',
  deviceId,
  label,
});
const both = [output('default'), output('speakers'), output('headphones')];

/** Outputs of a machine, and where each lane plays. */
function stage({ listed = both, isSupported = true, fastChooses = true } = {}) {
  const stand = {
    listed,
    track: '',
    fast: '',
    state: noOutputs as OutputState,
    obstacle: '',
    calls: 0,
  };
  const find = (deviceId: string) => {
    stand.calls += 1;
    if (deviceId !== '' && !stand.listed.some((device) => device.deviceId === deviceId)) {
      throw new DOMException('Requested device not found', 'NotFoundError');
    }
    return deviceId;
  };
  const outputs = new OutputDevices({
    isSupported,
    list: async () => stand.listed,
    setTrackSink: async (id) => {
      stand.track = find(id);
    },
    setFastSink: async (id) => {
      if (!fastChooses) throw new Error('no choice of outputs');
      stand.fast = find(id);
    },
    onChange: (state) => {
      stand.state = state;
    },
    onFastObstacle: (obstacle) => {
      stand.obstacle = obstacle;
    },
  });
  return { outputs, stand };
}

test('both lanes play on the output chosen, and on the default again', async () => {
  const { outputs, stand } = stage();
  await outputs.refresh();
  assert.equal(stand.state.canChoose, true);
  assert.deepEqual(
    stand.state.devices.map(({ deviceId }) => deviceId),
    ['speakers', 'headphones'],
  );
  await outputs.choose('headphones');
  assert.deepEqual([stand.track, stand.fast, stand.state.note], ['headphones', 'headphones', '']);
  await outputs.choose('');
  assert.deepEqual([stand.track, stand.fast, stand.state.note], ['', '', '']);
});

test('an output that goes away gives way to the default, with a word, and is used when it is back', async () => {
  const { outputs, stand } = stage();
  await outputs.choose('headphones');
  stand.listed = both.slice(0, 2);
  await outputs.refresh();
  assert.deepEqual([stand.track, stand.fast], ['', '']);
  assert.match(stand.state.note, /default one plays/);
  // One that is remembered can be taken back, however few there are.
  assert.equal(stand.state.canChoose, true);
  stand.listed = both;
  await outputs.refresh();
  assert.deepEqual([stand.track, stand.fast, stand.state.note], ['headphones', 'headphones', '']);
});

test('an output of another day that the browser does not know is the default’s turn', async () => {
  const { outputs, stand } = stage({ listed: [] });
  await outputs.choose('of last year');
  assert.deepEqual([stand.track, stand.fast], ['', '']);
  assert.match(stand.state.note, /not there/);
});

test('where the fast lane cannot follow, the track plays there and the page says why', async () => {
  const { outputs, stand } = stage({ fastChooses: false });
  await outputs.choose('speakers');
  assert.equal(stand.track, 'speakers');
  assert.match(stand.obstacle, /default output only/);
  await outputs.choose('');
  assert.equal(stand.obstacle, '');
});

for (const [name, listed] of [
  ['no names yet', [output('', '')]],
  ['one output and its second names', [output('default'), output('communications'), output('a')]],
  ['microphones only', [{ kind: 'audioinput', deviceId: 'mic', label: 'mic' }]],
] as const satisfies [string, readonly ListedDevice[]][]) {
  test(`there is nothing to choose: ${name}`, async () => {
    const { outputs, stand } = stage({ listed: [...listed] });
    await outputs.refresh();
    assert.equal(stand.state.canChoose, false);
  });
}

test('the newest of quick choices stays', async () => {
  const { outputs, stand } = stage();
  void outputs.choose('speakers');
  void outputs.choose('headphones');
  void outputs.choose('');
  await outputs.choose('speakers');
  assert.deepEqual([stand.track, stand.fast], ['speakers', 'speakers']);
});

test('a browser that cannot choose is not asked', async () => {
  const { outputs, stand } = stage({ isSupported: false });
  await outputs.choose('speakers');
  await outputs.refresh();
  assert.deepEqual([stand.calls, stand.state], [0, noOutputs]);
});
