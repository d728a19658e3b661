import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MicrophoneStatus } from '../../../src/api/schema.ts';
import { microphonePresets } from '../../../src/audio/presets.ts';
import type { CaptureChoice, CaptureListener } from '../../../src/web/microphone-capture.ts';
import {
  MicrophoneController,
  type MicrophoneState,
  resumeWithinMs,
} from '../../../src/web/microphone-controller.ts';
import { CaptureError } from '../../../src/web/microphone-trouble.ts';

class FakeTrack {
  enabled = true;
  stopped = false;
  readonly choice: CaptureChoice;
  readonly listener: CaptureListener;

  constructor(choice: CaptureChoice, listener: CaptureListener) {
    this.choice = choice;
    this.listener = listener;
  }

  stop(): void {
    this.stopped = true;
  }
}

class HeldError extends Error {
  readonly code = 'MICROPHONE_HELD';
}

const choice: CaptureChoice = {
  deviceId: '',
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  channels: 1,
};

/** A device with a floor, a browser with a microphone, and a clock that a test moves. */
class World {
  holder: string | undefined;
  muted = false;
  readonly calls: string[] = [];
  readonly tracks: FakeTrack[] = [];
  readonly states: MicrophoneState[] = [];
  sent: FakeTrack | undefined;
  timer: { readonly delayMs: number; readonly action: () => void } | undefined;
  /** Awaited by what is named; rejections are the browser's and the device's. */
  gates: { start?: Promise<unknown>; capture?: Promise<unknown>; mute?: Promise<unknown> } = {};

  readonly controller = new MicrophoneController<FakeTrack>(
    {
      api: {
        start: async ({ session, takeover }) => {
          this.calls.push(`start ${session}${takeover ? ' takeover' : ''}`);
          await this.gates.start;
          if (this.holder !== undefined && this.holder !== session && !takeover) {
            throw new HeldError('held');
          }
          if (this.holder !== session) this.muted = false;
          this.holder = session;
          return this.status();
        },
        stop: async ({ session }) => {
          this.calls.push(`stop ${session}`);
          if (this.holder === session) this.holder = undefined;
          return this.status();
        },
        setMute: async (muted) => {
          this.calls.push(`mute ${muted}`);
          await this.gates.mute;
          this.muted = muted;
          return this.status();
        },
        status: async () => {
          this.calls.push('status');
          return this.status();
        },
      },
      capture: async (wanted, listener) => {
        await this.gates.capture;
        const track = new FakeTrack(wanted, listener);
        this.tracks.push(track);
        return track;
      },
      send: (track) => {
        this.sent = track;
      },
      onChange: (state) => this.states.push(state),
      later: (delayMs, action) => {
        const timer = { delayMs, action };
        this.timer = timer;
        return () => {
          if (this.timer === timer) this.timer = undefined;
        };
      },
      nowMs: () => 100_000,
    },
    choice,
  );

  get state(): MicrophoneState {
    return this.controller.state;
  }

  status(): MicrophoneStatus {
    return {
      holder: this.holder === undefined ? null : { session: this.holder, heldMs: 60_000 },
      connected: true,
      live: this.holder !== undefined && !this.muted,
      muted: this.muted,
      quality: 'medium',
      effective: microphonePresets.medium,
      device: 'mic',
      deviceState: 'open',
      deviceError: '',
      peakDbfs: -20,
      rmsDbfs: -30,
    };
  }

  /** The device's event reaches the page. */
  tell(): void {
    this.controller.received(this.status());
  }

  async turnedOn(): Promise<FakeTrack> {
    this.controller.sessionChanged('s1');
    this.controller.press();
    await turn();
    this.tell();
    const track = this.tracks.at(-1);
    assert.ok(track);
    assert.equal(this.state.phase, 'on');
    return track;
  }

  /** Nothing is captured, sent, or held by this page. */
  assertSilent(): void {
    assert.equal(this.sent, undefined);
    for (const track of this.tracks) assert.equal(track.stopped, true);
    assert.equal(this.state.open, false);
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe('on and off', () => {
  test('nothing is captured, asked for or sent before the press', async () => {
    world.controller.sessionChanged('s1');
    world.tell();
    await turn();
    assert.deepEqual(world.calls, []);
    assert.deepEqual(world.tracks, []);
  });

  test('sound goes out when both the browser and the device have agreed', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gates.capture = promise;
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    assert.equal(world.state.phase, 'starting');
    assert.deepEqual(world.calls, ['start s1'], 'the device was asked without waiting');
    resolve();
    await turn();
    const [track] = world.tracks;
    assert.equal(world.state.phase, 'on');
    assert.equal(world.sent, track);
    assert.equal(track?.enabled, true);
  });

  test('while the device thinks, what the browser gave is closed and goes nowhere', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gates.start = promise;
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    assert.equal(world.tracks[0]?.enabled, false);
    assert.equal(world.sent, undefined);
    resolve();
    await turn();
    assert.equal(world.tracks[0]?.enabled, true);
  });

  test('off lets go of the sound at once, and of the floor', async () => {
    await world.turnedOn();
    world.controller.stop();
    world.assertSilent();
    await turn();
    assert.equal(world.holder, undefined);
    assert.equal(world.state.notice, undefined);
  });

  test('turned off before the prompt was answered, a late track is let go', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gates.capture = promise;
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    world.controller.stop();
    resolve();
    await turn();
    world.assertSilent();
    assert.equal(world.holder, undefined);
  });

  test('turned off before the device answered, a floor given late is given back', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gates.start = promise;
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    world.controller.stop();
    resolve();
    await turn();
    await turn();
    world.assertSilent();
    assert.equal(world.holder, undefined);
  });

  test('off and on in one breath ends on, whatever the order of the answers', async () => {
    await world.turnedOn();
    world.controller.stop();
    world.controller.press();
    await turn();
    await turn();
    assert.equal(world.state.phase, 'on');
    assert.equal(world.holder, 's1');
    assert.deepEqual(world.calls, ['start s1', 'stop s1', 'start s1']);
  });

  test('without a session a press says why it does nothing', async () => {
    world.controller.press();
    await turn();
    assert.equal(world.state.phase, 'off');
    assert.deepEqual(world.state.notice, { kind: 'disconnected' });
    world.assertSilent();
  });

  test('a browser that gives no sound is named, and the floor given back', async () => {
    world.gates.capture = Promise.reject(new CaptureError('denied'));
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    await turn();
    assert.equal(world.state.phase, 'off');
    assert.deepEqual(world.state.notice, { kind: 'trouble', trouble: 'denied' });
    assert.equal(world.holder, undefined);
    world.controller.troubleMayBeOver(['no-device']);
    assert.notEqual(world.state.notice, undefined);
    world.controller.troubleMayBeOver(['denied']);
    assert.equal(world.state.notice, undefined);
    assert.equal(world.state.phase, 'off', 'it does not turn itself on');
  });

  test('a device that fails is quoted', async () => {
    world.gates.start = Promise.reject(new Error('The device cannot be reached.'));
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    assert.deepEqual(world.state.notice, {
      kind: 'refused',
      message: 'The device cannot be reached.',
    });
    world.assertSilent();
  });
});

describe('the floor', () => {
  test('refused: the sound is let go, and who holds it is known', async () => {
    world.holder = 's9';
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    await turn();
    assert.equal(world.state.phase, 'refused');
    assert.deepEqual(world.state.holder, { session: 's9', sinceMs: 40_000 });
    world.assertSilent();
    assert.equal(world.holder, 's9', 'the holder keeps it');
  });

  test('taken over: it goes on', async () => {
    world.holder = 's9';
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    await turn();
    world.controller.press({ takeover: true });
    await turn();
    assert.equal(world.state.phase, 'on');
    assert.equal(world.holder, 's1');
    assert.equal(world.state.holder, undefined);
  });

  test('taken by another: sound stops at once, and the floor is left alone', async () => {
    await world.turnedOn();
    world.holder = 's9';
    world.tell();
    world.assertSilent();
    assert.deepEqual(world.state.notice, { kind: 'taken' });
    await turn();
    assert.equal(world.holder, 's9');
  });

  test('turned off at the device: sound stops at once', async () => {
    await world.turnedOn();
    world.holder = undefined;
    world.tell();
    world.assertSilent();
    assert.deepEqual(world.state.notice, { kind: 'released' });
  });

  test('an event older than the answer is checked, not believed', async () => {
    world.controller.sessionChanged('s1');
    const before = world.status();
    world.controller.press();
    await turn();
    world.controller.received(before);
    await turn();
    assert.equal(world.state.phase, 'on');
    assert.deepEqual(world.calls, ['start s1', 'status']);
  });

  test('an event older than the answer that turns out true closes the microphone', async () => {
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    world.holder = 's9';
    world.tell();
    await turn();
    world.assertSilent();
    assert.deepEqual(world.state.notice, { kind: 'taken' });
  });
});

describe('mute', () => {
  test('closes at once, opens when the device has agreed', async () => {
    const track = await world.turnedOn();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gates.mute = promise;
    void world.controller.setMuted(true);
    assert.equal(track.enabled, false, 'before the device has answered');
    resolve();
    await turn();
    const gate = Promise.withResolvers<void>();
    world.gates.mute = gate.promise;
    void world.controller.setMuted(false);
    await turn();
    assert.equal(track.enabled, false);
    assert.equal(world.state.unmuting, true);
    gate.resolve();
    await turn();
    assert.equal(track.enabled, true);
    assert.deepEqual(world.calls, ['start s1', 'mute true', 'mute false']);
    assert.equal(world.sent, track, 'the track stays on its sender');
  });

  test('an unmute that fails stays muted and says why', async () => {
    const track = await world.turnedOn();
    await world.controller.setMuted(true);
    world.gates.mute = Promise.reject(new Error('The device cannot be reached.'));
    await world.controller.setMuted(false);
    assert.equal(track.enabled, false);
    assert.equal(world.state.notice?.kind, 'refused');
  });

  test('a mute from elsewhere mutes here; an unmute from elsewhere opens nothing', async () => {
    const track = await world.turnedOn();
    world.muted = true;
    world.tell();
    assert.equal(track.enabled, false);
    assert.equal(world.state.muted, true);
    world.muted = false;
    world.tell();
    await turn();
    assert.equal(track.enabled, false);
    assert.equal(world.state.muted, true);
  });

  test('an event of the mute before one’s own unmute does not mute again', async () => {
    const track = await world.turnedOn();
    await world.controller.setMuted(true);
    const muted = world.status();
    await world.controller.setMuted(false);
    world.controller.received(muted);
    await turn();
    assert.equal(track.enabled, true);
    world.tell();
    world.muted = true;
    world.tell();
    assert.equal(track.enabled, false, 'a later one does');
  });

  test('a floor that is one’s own already, and muted, is taken as it is', async () => {
    world.holder = 's1';
    world.muted = true;
    world.controller.sessionChanged('s1');
    world.controller.press();
    await turn();
    assert.equal(world.state.phase, 'on');
    assert.equal(world.state.muted, true);
    assert.equal(world.tracks[0]?.enabled, false);
  });

  test('a new try begins unmuted', async () => {
    await world.turnedOn();
    await world.controller.setMuted(true);
    world.controller.stop();
    await turn();
    const track = await world.turnedOn();
    assert.equal(track.enabled, true);
  });
});

describe('push-to-talk', () => {
  test('opens while held, without a word to the device', async () => {
    world.controller.setPushToTalk(true);
    const track = await world.turnedOn();
    assert.equal(track.enabled, false);
    world.controller.talk(true);
    assert.equal(track.enabled, true);
    world.controller.talk(false);
    assert.equal(track.enabled, false);
    assert.deepEqual(world.calls, ['start s1']);
  });

  test('muted stays muted, and switching the mode closes what was held open', async () => {
    world.controller.setPushToTalk(true);
    const track = await world.turnedOn();
    world.controller.talk(true);
    await world.controller.setMuted(true);
    assert.equal(track.enabled, false);
    await world.controller.setMuted(false);
    world.controller.setPushToTalk(false);
    assert.equal(track.enabled, true);
    world.controller.setPushToTalk(true);
    assert.equal(track.enabled, false);
  });
});

describe('the session', () => {
  test('lost: nothing is sent; back in time: the floor is asked for again', async () => {
    const track = await world.turnedOn();
    world.controller.sessionChanged(undefined);
    assert.equal(world.state.phase, 'resuming');
    assert.equal(track.enabled, false);
    assert.equal(world.sent, undefined);
    assert.equal(world.timer?.delayMs, resumeWithinMs);
    world.holder = undefined;
    world.controller.sessionChanged('s2');
    await turn();
    assert.equal(world.state.phase, 'on');
    assert.equal(world.sent, track, 'the browser is not asked again');
    assert.equal(track.enabled, true);
    assert.equal(world.timer, undefined);
    assert.deepEqual(world.calls, ['start s1', 'start s2']);
  });

  test('muted before, muted after', async () => {
    const track = await world.turnedOn();
    await world.controller.setMuted(true);
    world.controller.sessionChanged(undefined);
    world.holder = undefined;
    world.controller.sessionChanged('s2');
    await turn();
    assert.equal(world.state.phase, 'on');
    assert.equal(track.enabled, false);
    assert.equal(world.muted, true);
  });

  test('not back in time: everything is let go, and a later session starts nothing', async () => {
    await world.turnedOn();
    world.controller.sessionChanged(undefined);
    world.timer?.action();
    world.assertSilent();
    assert.deepEqual(world.state.notice, { kind: 'disconnected' });
    world.controller.sessionChanged('s2');
    await turn();
    assert.deepEqual(world.calls, ['start s1']);
  });

  test('taken by another meanwhile: refused like anybody', async () => {
    await world.turnedOn();
    world.controller.sessionChanged(undefined);
    world.holder = 's9';
    world.controller.sessionChanged('s2');
    await turn();
    await turn();
    assert.equal(world.state.phase, 'refused');
    world.assertSilent();
  });

  test('off stays off across sessions', async () => {
    world.controller.sessionChanged('s1');
    world.controller.sessionChanged(undefined);
    world.controller.sessionChanged('s2');
    await turn();
    assert.deepEqual(world.calls, []);
  });
});

describe('the device in use', () => {
  test('another choice replaces the track on its sender, and then lets go of the old one', async () => {
    const first = await world.turnedOn();
    world.controller.setChoice({ ...choice, deviceId: 'usb' });
    assert.equal(first.stopped, false, 'no gap while the browser opens the other one');
    await turn();
    const second = world.tracks[1];
    assert.equal(second?.choice.deviceId, 'usb');
    assert.equal(world.sent, second);
    assert.equal(second?.enabled, true);
    assert.equal(first.stopped, true);
    assert.deepEqual(world.calls, ['start s1']);
  });

  test('another that cannot be opened leaves the one there is, and says so', async () => {
    const first = await world.turnedOn();
    world.gates.capture = Promise.reject(new CaptureError('busy'));
    world.controller.setChoice({ ...choice, deviceId: 'usb' });
    await turn();
    assert.equal(world.state.phase, 'on');
    assert.equal(world.sent, first);
    assert.equal(first.enabled, true);
    assert.deepEqual(world.state.notice, { kind: 'kept' });
    // The one there is can still go away.
    delete world.gates.capture;
    first.listener.onEnded();
    await turn();
    assert.equal(world.sent, world.tracks[1]);
    assert.equal(world.state.notice, undefined);
  });

  test('the same choice again changes nothing', async () => {
    await world.turnedOn();
    world.controller.setChoice({ ...choice });
    await turn();
    assert.equal(world.tracks.length, 1);
  });

  test('one that goes away gives way to another; without another it is named', async () => {
    const first = await world.turnedOn();
    first.listener.onEnded();
    await turn();
    const second = world.tracks[1];
    assert.equal(world.sent, second);
    world.gates.capture = Promise.reject(new CaptureError('no-device'));
    second?.listener.onEnded();
    await turn();
    await turn();
    assert.deepEqual(world.state.notice, { kind: 'trouble', trouble: 'no-device' });
    world.assertSilent();
    assert.equal(world.holder, undefined);
  });

  test('a track that was let go of is not listened to', async () => {
    const first = await world.turnedOn();
    world.controller.stop();
    first.listener.onEnded();
    first.listener.onSourceMuted(true);
    await turn();
    assert.equal(world.tracks.length, 1);
    assert.equal(world.state.sourceMuted, false);
  });

  test('a source that the system silences is shown', async () => {
    const track = await world.turnedOn();
    track.listener.onSourceMuted(true);
    assert.equal(world.state.sourceMuted, true);
    track.listener.onSourceMuted(false);
    assert.equal(world.state.sourceMuted, false);
  });
});

test('at no moment is a track open while the page says that it is not', async () => {
  const track = await world.turnedOn();
  await world.controller.setMuted(true);
  await world.controller.setMuted(false);
  world.controller.stop();
  for (const state of world.states) {
    if (state.open) assert.equal(state.phase, 'on');
  }
  assert.equal(track.enabled, false);
});
