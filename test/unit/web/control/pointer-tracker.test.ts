import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PointerTracker } from '../../../../src/web/control/pointer-tracker.ts';
import { type Finger, TouchGestures } from '../../../../src/web/control/touch-gestures.ts';
import { WheelSum } from '../../../../src/web/control/wheel-steps.ts';

function mouse() {
  const sent: unknown[] = [];
  const state = { accepts: true };
  const tracker = new PointerTracker({
    moveTo: ({ x, y }, at) => {
      if (state.accepts) sent.push(['to', x, y, at]);
      return state.accepts;
    },
    moveBy: ({ dx, dy }, at) => {
      if (state.accepts) sent.push(['by', dx, dy, at]);
      return state.accepts;
    },
    buttons: (mask, place, at) => sent.push(['buttons', mask, place, at]),
    wheel: ({ vertical, horizontal }, at) => sent.push(['wheel', vertical, horizontal, at]),
  });
  return { tracker, sent, state };
}

test('of the places between two frames the newest is sent, and once', () => {
  const { tracker, sent } = mouse();
  tracker.movedTo({ x: 1, y: 1 }, 1);
  tracker.movedTo({ x: 2, y: 9 }, 2);
  tracker.frame();
  tracker.frame();
  tracker.movedTo({ x: 2, y: 9 }, 3);
  tracker.frame();
  assert.deepEqual(sent, [['to', 2, 9, 2]]);
});

test('a place that does not go is offered again, or a newer one in its stead', () => {
  const { tracker, sent, state } = mouse();
  state.accepts = false;
  tracker.movedTo({ x: 1, y: 1 }, 1);
  tracker.frame();
  tracker.movedTo({ x: 2, y: 2 }, 2);
  state.accepts = true;
  tracker.frame();
  assert.deepEqual(sent, [['to', 2, 2, 2]]);
});

test('buttons go at once, with the place they are pressed at', () => {
  const { tracker, sent } = mouse();
  tracker.movedTo({ x: 5, y: 6 }, 1);
  tracker.pressed(0b1, 2);
  tracker.pressed(0b1, 3);
  tracker.frame();
  tracker.pressed(0b101, 4);
  tracker.pressed(0, 5);
  const place = { x: 5, y: 6 };
  assert.deepEqual(sent, [
    ['buttons', 0b1, place, 2],
    ['buttons', 0b101, place, 4],
    ['buttons', 0, place, 5],
  ]);
});

test('a sixth button is none of the mouse that the host has', () => {
  const { tracker, sent } = mouse();
  tracker.pressed(0b10_0000, 1);
  assert.deepEqual(sent, []);
});

test('relative movements add up, fractions too, and come before a button', () => {
  const { tracker, sent, state } = mouse();
  tracker.setMode('relative');
  tracker.movedBy(1.5, -0.5, 1);
  tracker.movedBy(1, -0.5, 2);
  tracker.pressed(1, 3);
  state.accepts = false;
  tracker.movedBy(1.5, 0, 4);
  tracker.frame();
  state.accepts = true;
  tracker.frame();
  assert.deepEqual(sent, [
    ['by', 2, -1, 2],
    ['buttons', 1, undefined, 3],
    ['by', 2, 0, 4],
  ]);
});

test('what a message cannot hold is cut', () => {
  const { tracker, sent } = mouse();
  tracker.setMode('relative');
  for (let i = 0; i < 10; i += 1) tracker.movedBy(9_999, -9_999, i);
  tracker.frame();
  assert.deepEqual(sent, [['by', 32_767, -32_767, 9]]);
});

test('another mode begins with nothing held and nothing moved', () => {
  const { tracker, sent } = mouse();
  tracker.movedTo({ x: 1, y: 1 }, 1);
  tracker.pressed(1, 2);
  sent.length = 0;
  tracker.setMode('relative');
  tracker.frame();
  assert.deepEqual([sent, tracker.buttons, tracker.mode], [[], 0, 'relative']);
});

test('a notch is 120 whatever the browser counts in; up and right are positive', () => {
  const cases = [
    { deltaY: 100, deltaMode: 0 },
    { deltaY: 3, deltaMode: 1 },
    { deltaY: 1, deltaMode: 2 },
  ];
  for (const { deltaY, deltaMode } of cases) {
    const sum = new WheelSum();
    sum.add({ deltaX: 0, deltaY, deltaMode });
    assert.deepEqual(sum.take(), { vertical: -120, horizontal: 0 });
  }
  const sum = new WheelSum();
  sum.add({ deltaX: 50, deltaY: -200, deltaMode: 0 });
  assert.deepEqual(sum.take(), { vertical: 240, horizontal: 60 });
  assert.equal(sum.take(), undefined);
});

test('a touchpad’s small steps are kept until they are one', () => {
  const sum = new WheelSum();
  for (let i = 0; i < 3; i += 1) sum.add({ deltaX: 0, deltaY: -0.25, deltaMode: 0 });
  assert.equal(sum.take(), undefined);
  sum.add({ deltaX: 0, deltaY: -0.25, deltaMode: 0 });
  assert.deepEqual(sum.take(), { vertical: 1, horizontal: 0 });
});

test('a wheel that says nothing that is a number turns nothing', () => {
  const sum = new WheelSum();
  sum.add({ deltaX: Number.NaN, deltaY: Number.POSITIVE_INFINITY, deltaMode: 0 });
  assert.equal(sum.take(), undefined);
});

function fingers() {
  const done: unknown[] = [];
  const gestures = new TouchGestures({
    point: ({ clientX, clientY }) => done.push(['point', clientX, clientY]),
    click: (mask, { clientX, clientY }) => done.push(['click', mask, clientX, clientY]),
    scroll: ({ dx, dy }) => done.push(['scroll', dx, dy]),
  });
  const finger = (id: number, clientX: number, clientY: number, timeStamp: number): Finger => ({
    id,
    clientX,
    clientY,
    timeStamp,
  });
  return { gestures, done, finger };
}

test('a tap is a click where the finger came down', () => {
  const { gestures, done, finger } = fingers();
  gestures.down(finger(1, 10, 20, 0));
  gestures.move(finger(1, 12, 21, 50));
  gestures.up(finger(1, 12, 21, 100));
  assert.deepEqual(done, [
    ['point', 10, 20],
    ['point', 12, 21],
    ['click', 1, 10, 20],
  ]);
});

test('a finger that stays or travels points, and clicks nothing', () => {
  const stays = fingers();
  stays.gestures.down(stays.finger(1, 10, 20, 0));
  stays.gestures.up(stays.finger(1, 10, 20, 900));
  assert.deepEqual(stays.done, [['point', 10, 20]]);
  const travels = fingers();
  travels.gestures.down(travels.finger(1, 0, 0, 0));
  travels.gestures.move(travels.finger(1, 90, 0, 30));
  travels.gestures.move(travels.finger(1, 1, 0, 60));
  travels.gestures.up(travels.finger(1, 1, 0, 90));
  assert.equal(travels.done.length, 3);
});

test('two fingers that move turn the wheel; two that tap are the right button', () => {
  const { gestures, done, finger } = fingers();
  gestures.down(finger(1, 0, 0, 0));
  gestures.down(finger(2, 50, 0, 5));
  gestures.move(finger(1, 0, 40, 20));
  gestures.move(finger(2, 50, 40, 25));
  gestures.up(finger(1, 0, 40, 50));
  gestures.move(finger(2, 50, 90, 55));
  gestures.up(finger(2, 50, 90, 60));
  assert.deepEqual(done, [
    ['point', 0, 0],
    ['scroll', 0, 20],
    ['scroll', 0, 20],
  ]);
  gestures.down(finger(3, 5, 5, 100));
  gestures.down(finger(4, 60, 5, 110));
  gestures.up(finger(3, 5, 5, 150));
  gestures.up(finger(4, 60, 5, 160));
  assert.deepEqual(done.at(-1), ['click', 2, 60, 5]);
});

test('fingers that the browser takes for itself click nothing', () => {
  const { gestures, done, finger } = fingers();
  gestures.down(finger(1, 5, 5, 0));
  gestures.cancel();
  gestures.up(finger(1, 5, 5, 10));
  assert.deepEqual(done, [['point', 5, 5]]);
});
