import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastLaneNumbers, FastLaneState } from '../../../src/web/fast-lane/fast-lane.ts';
import { PageLanes, type PageLanesState } from '../../../src/web/page-lanes.ts';

const running: FastLaneState = { kind: 'running', via: 'channel', isolated: true };

/** Stands for the browser's own object, of which nothing is used here. */
const connection: RTCPeerConnection = Object.create(null);

const numbers: FastLaneNumbers = {
  atMs: 0,
  isSounding: false,
  delayMs: 46,
  targetMs: 12,
  levelMs: 13,
  isPaused: false,
  jitterMs: 1,
  roundTripMs: 2,
  driftPpm: 0,
  received: 0,
  lost: 0,
  recovered: 0,
  late: 0,
  malformed: 0,
  concealedMs: 0,
  underrunMs: 0,
  redundancy: false,
  redundancyKbps: 0,
  bitrateKbps: 128,
  decodeMs: 1,
  outputLatencyMs: 36,
};

/** The lanes with a fast lane that only notes what it is asked, and a clock that is moved by hand. */
function stage({ obstacle = '' } = {}) {
  const asked: string[] = [];
  const shown: PageLanesState[] = [];
  const timers = new Set<{ atMs: number; readonly action: () => void }>();
  let nowMs = 0;
  let received = 0;
  const lanes = new PageLanes({
    fastLane: {
      attach: (attached) => asked.push(attached === undefined ? 'detach' : 'attach'),
      setSession: (id) => asked.push(`session ${id}`),
      start: async () => {
        asked.push('start');
        lanes.stateChanged({ kind: 'starting' });
      },
      stop: () => {
        asked.push('stop');
        lanes.stateChanged({ kind: 'off' });
      },
      reportDelay: (delayMs, isSounding) =>
        asked.push(`delay ${delayMs} ${isSounding ? 'fast' : 'track'}`),
    },
    obstacle: async () => obstacle,
    setLane: (lane) => asked.push(lane),
    onChange: (state) => shown.push(state),
    nowMs: () => nowMs,
    later: (delayMs, action) => {
      const timer = { atMs: nowMs + delayMs, action };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  /** Lets time pass, with numbers four times a second when there are any. */
  const elapse = (durationMs: number, change?: Partial<FastLaneNumbers>) => {
    for (const endMs = nowMs + durationMs; nowMs < endMs; ) {
      nowMs += 50;
      for (const timer of timers) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.action();
      }
      if (change === undefined || nowMs % 250 !== 0) continue;
      received += 25;
      // The wall clock is set now and then; nothing may depend on it.
      lanes.received({ ...numbers, received, ...change, atMs: received % 2 === 0 ? 1e12 : 0 });
    }
  };
  const taken = () => asked.splice(0);
  return { lanes, shown, taken, elapse };
}

/** A page whose fast lane sounds. */
async function sounding() {
  const page = stage();
  page.lanes.start();
  await Promise.resolve();
  page.lanes.setTrackConnected(true);
  page.lanes.negotiated({ connection, hasData: true });
  page.lanes.stateChanged(running);
  page.elapse(3_000, {});
  assert.equal(page.lanes.state.lane, 'fast');
  page.taken();
  return page;
}

test('the fast lane is started once the device offers it, and sounds when it is calm', async () => {
  const { lanes, taken, elapse } = stage();
  lanes.start();
  lanes.setSession('7');
  await Promise.resolve();
  elapse(1_000);
  assert.deepEqual(taken(), ['session 7']);
  lanes.setTrackConnected(true);
  lanes.negotiated({ connection, hasData: true });
  assert.deepEqual(taken(), ['attach', 'start']);
  lanes.stateChanged(running);
  elapse(3_000, {});
  assert.deepEqual(taken(), ['fast', 'delay -1 fast']);
  assert.deepEqual([lanes.state.lane, lanes.state.reason], ['fast', '']);
});

test('a device that offers no data channel is asked for nothing, and the page says so', async () => {
  const { lanes, taken, elapse } = stage();
  lanes.start();
  await Promise.resolve();
  lanes.negotiated({ connection, hasData: false });
  elapse(10_000);
  assert.deepEqual(taken(), ['detach']);
  assert.match(lanes.state.reason, /device does not offer/);
});

test('a browser that cannot is asked for nothing, and the page says so', async () => {
  const { lanes, taken, elapse } = stage({ obstacle: 'It has no AudioDecoder.' });
  lanes.start();
  await Promise.resolve();
  lanes.negotiated({ connection, hasData: true });
  elapse(10_000);
  assert.deepEqual(taken(), ['attach']);
  assert.equal(lanes.state.reason, 'It has no AudioDecoder.');
});

test('steady changes to the track before the fast lane is stopped, and back within the overlap stops nothing', async () => {
  const { lanes, taken, elapse } = await sounding();
  lanes.setLatency('steady');
  assert.deepEqual(taken(), ['track', 'delay -1 track']);
  lanes.setLatency('auto');
  elapse(1_000, {});
  assert.deepEqual(taken(), ['fast', 'delay -1 fast']);
  lanes.setLatency('steady');
  elapse(1_000, {});
  assert.deepEqual(taken(), ['track', 'delay -1 track', 'stop']);
  lanes.setLatency('lowest');
  assert.deepEqual(taken(), ['start']);
});

test('a failure changes to the track at once, with the reason', async () => {
  const { lanes, taken, shown } = await sounding();
  lanes.stateChanged({ kind: 'failed', reason: 'The decoder threw.' });
  assert.deepEqual(taken(), ['track', 'delay -1 track']);
  assert.deepEqual(
    { lane: shown.at(-1)?.lane, reason: shown.at(-1)?.reason },
    { lane: 'track', reason: 'The decoder threw.' },
  );
  assert.equal(lanes.numbers, undefined);
});

test('an output that the fast lane cannot play on is a reason', async () => {
  const { lanes, taken, elapse } = await sounding();
  lanes.setSinkObstacle('Default output only.');
  elapse(1_000);
  assert.deepEqual(taken(), ['track', 'delay -1 track', 'stop']);
  assert.equal(lanes.state.reason, 'Default output only.');
});

test('sound in step with the picture is the track’s, and the fast lane is not asked for', async () => {
  const { lanes, taken, elapse } = await sounding();
  lanes.setInStep(true);
  elapse(1_000);
  assert.deepEqual(taken(), ['track', 'delay -1 track', 'stop']);
  assert.equal(lanes.state.reason, 'The sound is kept in step with the picture.');
  lanes.setInStep(false);
  elapse(100);
  assert.deepEqual(taken(), ['start']);
});

test('media built anew finds the fast lane running', async () => {
  const { lanes, taken, elapse } = await sounding();
  lanes.negotiated(undefined);
  lanes.stateChanged({ kind: 'starting' });
  lanes.negotiated({ connection, hasData: true });
  lanes.stateChanged(running);
  elapse(3_000, {});
  assert.deepEqual(taken(), [
    'detach',
    'track',
    'delay -1 track',
    'attach',
    'fast',
    'delay -1 fast',
  ]);
});

test('a page that is left stops it at once, and starts again with a new offer', async () => {
  const { lanes, taken, elapse } = await sounding();
  lanes.stop();
  assert.deepEqual(taken(), ['stop', 'track', 'delay -1 track']);
  lanes.start();
  elapse(1_000);
  assert.deepEqual(taken(), []);
  lanes.negotiated({ connection, hasData: true });
  assert.deepEqual(taken(), ['attach', 'start']);
});

test('a second is measured while the fast lane sounds, on a clock that nobody sets', async () => {
  const { lanes, elapse } = await sounding();
  lanes.second();
  elapse(1_000, { concealedMs: 20 });
  const second = lanes.second();
  assert.deepEqual(second?.delay, { ms: 46, method: 'ping' });
  assert.equal(second?.concealedPercent, 2);
  elapse(1_000, { concealedMs: 20, delayMs: -1 });
  assert.equal(lanes.second()?.delay, undefined);
  lanes.stateChanged({ kind: 'failed', reason: '' });
  assert.equal(lanes.second(), undefined);
});

test('what redundancy costs is shown while it is on', async () => {
  const { lanes, elapse } = await sounding();
  elapse(250, { redundancy: true, redundancyKbps: 128 });
  lanes.second();
  assert.equal(lanes.state.redundancyKbps, 128);
  elapse(250, {});
  lanes.second();
  assert.equal(lanes.state.redundancyKbps, undefined);
});

test('the device is told the delay of the lane that sounds', async () => {
  const { lanes, taken } = await sounding();
  lanes.reportDelay({ ms: 46, method: 'ping' });
  lanes.reportDelay(undefined);
  assert.deepEqual(taken(), ['delay 46 fast', 'delay -1 fast']);
});

test('what does not change is not shown again', async () => {
  const { shown, elapse } = await sounding();
  const before = shown.length;
  elapse(10_000, {});
  assert.equal(shown.length, before);
});
