import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockTie } from '../../../../src/web/fast-lane/clock-tie.ts';

/** A ping sent at `atMs` to a device whose clock is `offsetMs` ahead, with the given ways there and back. */
function ping({ atMs = 0, offsetMs = 5_000, thereMs = 1, backMs = 1, insideMs = 0.5 }) {
  const deviceReceivedMs = atMs + thereMs + offsetMs;
  return {
    sentMs: atMs,
    deviceReceivedMs,
    deviceSentMs: deviceReceivedMs + insideMs,
    receivedMs: atMs + thereMs + insideMs + backMs,
  };
}

test('nothing is known before the first pong', () => {
  const tie = new ClockTie();
  assert.equal(tie.offsetMs, undefined);
  assert.equal(tie.roundTripMs, undefined);
});

test('even ways give the offset, and the time inside the device is no round trip', () => {
  const tie = new ClockTie();
  assert.equal(tie.note(ping({ insideMs: 30 })), true);
  assert.equal(tie.offsetMs, 5_000);
  assert.equal(tie.roundTripMs, 2);
});

test('of ten seconds the quickest ping counts', () => {
  const tie = new ClockTie();
  tie.note(ping({ atMs: 0, thereMs: 2, backMs: 2 }));
  for (let atMs = 250; atMs < 9_000; atMs += 250) tie.note(ping({ atMs, thereMs: 40, backMs: 3 }));
  assert.equal(tie.offsetMs, 5_000);
  assert.equal(tie.roundTripMs, 43);
});

test('what is older than that is forgotten, so that the clocks may drift', () => {
  const tie = new ClockTie();
  tie.note(ping({ atMs: 0, offsetMs: 5_000 }));
  for (let atMs = 250; atMs <= 10_500; atMs += 250) {
    tie.note(ping({ atMs, offsetMs: 5_010, thereMs: 3, backMs: 3 }));
  }
  assert.equal(tie.offsetMs, 5_010);
});

test('times that cannot be are left out', () => {
  const tie = new ClockTie();
  tie.note(ping({ atMs: 0 }));
  assert.equal(tie.note(ping({ atMs: 250, thereMs: -400, backMs: 1 })), false);
  assert.equal(tie.note(ping({ atMs: 500, thereMs: 20_000 })), false);
  assert.equal(tie.note(ping({ atMs: 750, offsetMs: Number.NaN })), false);
  assert.equal(tie.offsetMs, 5_000);
});

test('another device begins with nothing', () => {
  const tie = new ClockTie();
  tie.note(ping({}));
  tie.reset();
  assert.equal(tie.offsetMs, undefined);
  tie.note(ping({ atMs: 300, offsetMs: -70, thereMs: 9, backMs: 9 }));
  assert.equal(tie.offsetMs, -70);
});
