import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostPlace, pictureBox } from '../../../../src/web/control/picture-place.ts';

const at = (clientX: number, clientY: number) => ({ clientX, clientY });

test('a picture that is wider than its room has bars above and below', () => {
  const box = pictureBox(
    { left: 100, top: 50, width: 800, height: 600 },
    { width: 1920, height: 1080 },
  );
  assert.deepEqual(box, { left: 100, top: 125, width: 800, height: 450 });
});

test('one that is taller has them left and right', () => {
  const box = pictureBox(
    { left: 0, top: 0, width: 1600, height: 600 },
    { width: 800, height: 600 },
  );
  assert.deepEqual(box, { left: 400, top: 0, width: 800, height: 600 });
});

test('while no size is known all of the room counts', () => {
  const room = { left: 1, top: 2, width: 3, height: 4 };
  assert.deepEqual(pictureBox(room, { width: 0, height: 0 }), room);
  const none = { left: 0, top: 0, width: 0, height: 0 };
  assert.deepEqual(hostPlace(at(10, 10), none, 1), { x: 0, y: 0 });
});

test('the first and the last pixel are the corners of the host, at any pixel ratio', () => {
  const box = { left: 100, top: 125, width: 800, height: 450 };
  for (const ratio of [1, 1.5, 2, 3]) {
    const pixel = 1 / ratio;
    assert.deepEqual(hostPlace(at(100, 125), box, ratio), { x: 0, y: 0 });
    const last = hostPlace(at(900 - pixel, 575 - pixel), box, ratio);
    assert.deepEqual(last, { x: 32_767, y: 32_767 });
  }
  const middle = hostPlace(at(500, 350), box, 1);
  assert.ok(Math.abs(middle.x - 16_384) < 32 && Math.abs(middle.y - 16_384) < 64);
});

test('in the bars and outside it is the edge that is near', () => {
  const box = pictureBox(
    { left: 0, top: 0, width: 800, height: 600 },
    { width: 1600, height: 900 },
  );
  assert.equal(hostPlace(at(400, 10), box, 1).y, 0);
  assert.equal(hostPlace(at(400, 599), box, 1).y, 32_767);
  assert.deepEqual(hostPlace(at(-500, 9_999), box, 1), { x: 0, y: 32_767 });
});
