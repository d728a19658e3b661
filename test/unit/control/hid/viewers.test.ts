import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hidBench } from '../../../fixtures/hid-bench.ts';

const none = [0, 0, 0, 0, 0, 0, 0, 0];
const ofKeys = (modifiers: number, ...keys: number[]) => [
  modifiers,
  0,
  ...keys,
  ...Array(6 - keys.length).fill(0),
];

describe('a viewer’s input', () => {
  it('reaches the host key by key, in order', async () => {
    const { viewer, clock, host, control } = await hidBench();
    const page = viewer();
    page.key('shift', true);
    page.key('a', true);
    page.key('a', false);
    page.key('shift', false);
    await clock.settle();
    assert.deepEqual(host.reports('keyboard'), [ofKeys(2), ofKeys(2, 4), ofKeys(2), none]);
    assert.equal(control.status().heldKeys, 0);
    assert.equal(control.status().counts.keyEvents, 4);
  });

  it('is told the host and the LEDs at once, and at each change', async () => {
    const { viewer, clock, host, control } = await hidBench();
    host.emit('leds', 2);
    const page = viewer();
    assert.deepEqual(
      page.toldOf('host').map(({ state }) => state),
      ['attached'],
    );
    assert.deepEqual(
      page.toldOf('leds').map(({ mask }) => mask),
      [2],
    );
    host.emit('leds', 1);
    host.emit('leds', 1);
    host.become('suspended');
    host.become('detached', 'unplugged');
    await clock.settle();
    assert.deepEqual(
      page.toldOf('leds').map(({ mask }) => mask),
      [2, 1, 0],
    );
    assert.deepEqual(
      page.toldOf('host').map(({ state }) => state),
      ['attached', 'suspended', 'detached'],
    );
    assert.equal(control.status().reason, 'unplugged');
  });

  it('is heard to its end on a slow host, though it says no more once it holds nothing', async () => {
    const { viewer, clock, host, control } = await hidBench();
    host.pollMs = 40;
    const page = viewer();
    for (const key of ['a', 'b', 'c', 'd', 'e'] as const) {
      page.key(key, true);
      page.key(key, false);
    }
    await clock.advance(1_000);
    assert.deepEqual(
      host.reports('keyboard').map((report) => report[2]),
      [4, 0, 5, 0, 6, 0, 7, 0, 8, 0],
    );
    assert.equal(control.status().counts.deadMan, 0);
  });

  it('is answered for each key, button and wheel turn with its latency', async () => {
    const { viewer, clock, host, control } = await hidBench();
    host.pollMs = 4;
    const page = viewer();
    page.send({ type: 'clock', offsetMs: -3 });
    const sequence = page.key('a', true);
    page.send({ type: 'button', mode: 'absolute', mask: 1, x: 1, y: 2 });
    page.send({ type: 'wheel', vertical: 120, horizontal: 0 });
    await clock.advance(20);
    const written = page.toldOf('written');
    assert.deepEqual(
      written.map(({ of, taken, latencyMs }) => [of, taken, Math.round(latencyMs)]),
      [
        [sequence, true, 7],
        [sequence + 1, true, 11],
        [sequence + 2, true, 15],
      ],
    );
    assert.deepEqual(control.status().latencyMs, { p50: 11, p95: 15, max: 15 });
    const { keys } = control.latency();
    assert.equal(keys.count, 3);
    assert.ok(Math.abs(keys.sumSeconds - 0.033) < 1e-9);
  });

  it('has no latency while its clock is not known, or is absurd', async () => {
    const { viewer, clock, control } = await hidBench();
    const page = viewer();
    for (const offsetMs of [undefined, 1_000, -70_000, 4]) {
      if (offsetMs !== undefined) page.send({ type: 'clock', offsetMs });
      page.key('a', true);
      await clock.settle();
    }
    assert.deepEqual(
      page.toldOf('written').map(({ latencyMs }) => Math.round(latencyMs)),
      [Number.NaN, Number.NaN, Number.NaN, -4],
    );
    assert.deepEqual(control.status().latencyMs, { p50: 0, p95: 0, max: 0 });
  });

  it('is answered with a pong for each alive and clock', async () => {
    const { viewer, clock } = await hidBench();
    const page = viewer();
    page.send({ type: 'clock', offsetMs: Number.NaN });
    await clock.advance(7);
    page.alive();
    const [first, second] = page.toldOf('pong');
    assert.ok(first && second);
    assert.equal(second.deviceMs - first.deviceMs, 7);
    assert.equal(second.viewerTimestampMs - first.viewerTimestampMs, 7);
  });

  it('is ignored on the pointer channel when something newer came, over the wrap too', async () => {
    const { viewer, clock, host, control } = await hidBench();
    const { encodeViewerMessage } = await import('../../../../src/control/hid/hid-messages.ts');
    const page = viewer();
    const move = (sequence: number, x: number, timestampMs = 5) =>
      page.raw(
        encodeViewerMessage({ type: 'move-absolute', sequence, timestampMs, x, y: 0 }),
        'pointer',
      );
    move(65_534, 1);
    move(65_535, 2);
    await clock.settle();
    move(0, 3);
    await clock.settle();
    move(65_533, 4);
    move(0, 5);
    await clock.settle();
    assert.equal(control.status().counts.stale, 2);
    move(40_000, 6, 2_000);
    await clock.settle();
    assert.deepEqual(
      host.reports('absolute').map(([, low]) => low),
      [1, 2, 3, 6],
    );
  });

  it('says once that a message is none, and counts each', async () => {
    const { viewer, control } = await hidBench();
    const page = viewer();
    page.raw(new Uint8Array(0));
    page.raw(Uint8Array.of(99, 0, 0, 0));
    assert.deepEqual(page.notices(), ['malformed']);
    assert.equal(control.status().counts.malformed, 2);
  });

  it('turns the wheel by whole notches and keeps the rest', async () => {
    const { viewer, clock, host } = await hidBench();
    const page = viewer();
    const wheel = (vertical: number, horizontal = 0) =>
      page.send({ type: 'wheel', vertical, horizontal });
    wheel(50);
    wheel(50);
    wheel(50, -240);
    await clock.settle();
    wheel(-100);
    wheel(-20);
    await clock.settle();
    assert.deepEqual(host.reports('relative'), [
      [0, 0, 0, 0, 0, 1, 254],
      [0, 0, 0, 0, 0, 255, 0],
    ]);
    assert.equal(page.toldOf('written').length, 5);
    wheel(120 * 200);
    await clock.settle();
    assert.deepEqual(
      host
        .reports('relative')
        .slice(2)
        .map((report) => report[5]),
      [127, 73],
    );
  });

  it('wakes a sleeping host with a key, and not with motion', async () => {
    const { viewer, clock, host } = await hidBench();
    const page = viewer();
    host.become('suspended');
    page.send({ type: 'move-absolute', x: 1, y: 1 });
    await clock.settle();
    assert.equal(host.wakes, 0);
    page.key('a', true);
    await clock.settle();
    assert.equal(host.wakes, 1);
    assert.equal(page.toldOf('written').at(-1)?.taken, false);
    assert.deepEqual(host.reports('keyboard'), []);
    host.become('suspended');
    page.key('b', true);
    await clock.settle();
    assert.equal(host.wakes, 1, 'not twice within a second');
    await clock.advance(1_000);
    page.key('c', true);
    await clock.settle();
    assert.equal(host.wakes, 2);
  });

  it('does not wake a host that is to sleep', async () => {
    const { viewer, clock, host } = await hidBench({ wakeOnInput: false });
    host.become('suspended');
    viewer().key('a', true);
    await clock.settle();
    assert.equal(host.wakes, 0);
    assert.equal(host.state, 'suspended');
  });

  it('is forgotten when the host goes, and told so', async () => {
    const { viewer, clock, host, control } = await hidBench();
    const page = viewer();
    page.key('shift', true);
    page.key('a', true);
    await clock.settle();
    host.become('detached');
    assert.equal(control.status().heldKeys, 0);
    assert.deepEqual(page.notices(), ['host-gone']);
    host.become('attached');
    await clock.settle();
    assert.deepEqual(host.reports('keyboard').at(-1), none);
    page.alive(2);
    await clock.settle();
    assert.deepEqual(host.reports('keyboard').at(-1), ofKeys(2), 'its modifiers come back');
  });

  it('is up when a host that slept is back', async () => {
    const { viewer, clock, host } = await hidBench();
    viewer().key('a', true);
    await clock.settle();
    host.become('suspended');
    host.become('attached');
    await clock.settle();
    assert.deepEqual(host.reports('keyboard').at(-1), none);
  });

  it('is told every blink of the LEDs, others at most twenty a second', async () => {
    const { viewer, clock, host, control } = await hidBench();
    await clock.advance(100);
    const page = viewer();
    await clock.advance(100);
    const told: number[] = [];
    control.on('status', ({ leds }) => told.push(Number(leds.num)));
    for (let ms = 0; ms < 999; ms += 1) {
      host.emit('leds', 1 - (ms % 2));
      await clock.advance(1);
    }
    await clock.advance(100);
    assert.equal(page.toldOf('leds').length, 1_000);
    assert.ok(told.length >= 19 && told.length <= 22, `${told.length}`);
    assert.equal(told.at(-1), 1);
  });

  it('is released with everything of everybody on demand', async () => {
    const { viewer, clock, host, control } = await hidBench();
    viewer('s1').key('a', true);
    viewer('s2').send({ type: 'button', mode: 'absolute', mask: 1, x: 5, y: 6 });
    await clock.settle();
    control.release();
    await clock.settle();
    assert.deepEqual(host.reports('keyboard').at(-1), none);
    assert.deepEqual(host.reports('absolute').at(-1), [0, 5, 0, 6, 0]);
  });

  it('is released when the control stops', async () => {
    const { viewer, clock, host, control } = await hidBench();
    viewer().key('a', true);
    await clock.settle();
    await control.stop();
    await control.stop();
    assert.deepEqual(host.reports('keyboard').at(-1), none);
    assert.equal(control.status().viewers, 0);
    assert.equal(clock.pending, 0);
  });
});
