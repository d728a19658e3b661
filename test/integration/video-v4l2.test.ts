import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { frameFlags } from '../../src/ipc/messages.ts';
import { decodeVideo } from '../fixtures/decode-video.ts';
import { type GuestFrame, GuestVideo, keyframeSize } from '../fixtures/guest-video.ts';
import { videoConfig } from '../fixtures/video-child.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type Guest, guestDenied, startGuest } from '../lab/guest/guest.ts';

/**
 * The real video process on an HDMI input: the kernel's vivid in a guest, whose controls stand for what
 * happens at the other end of the cable. One process lives through all of it.
 */

const skip = guestDenied() ?? false;

/** Vivid's numbers of DV timings and of what arrives at its input. */
const timings = { '640x480': 0, '720x480i': 1, '800x600': 24 } as const;
const signalMode = { none: 1, unlocked: 2, outOfRange: 3, selected: 4 } as const;
/** Longer than the process gives a pipeline to end. */
const closeMs = 15_000;
const first = frameFlags.keyframe | frameFlags.discontinuity;

let guest: Guest;
let video: GuestVideo;

before(async () => {
  if (skip !== false) return;
  guest = await startGuest();
  // One capture device with one input, HDMI, and nothing else.
  await guest.shell('modprobe vivid num_inputs=1 input_types=3 node_types=1 num_outputs=0');
  await set('dv_timings_signal_mode', signalMode.selected);
  await set('dv_timings', timings['640x480']);
  video = new GuestVideo(guest);
  await video.configure(config);
});
after(() => guest?.stop());

const config = videoConfig('/dev/video0', { maxWidth: 1_280, maxHeight: 720, framesPerSecond: 8 });

async function set(control: string, value: number): Promise<void> {
  await guest.shell(`v4l2-ctl -d /dev/video0 -c ${control}=${value}`);
}

/** From there on: it says that there is no such signal, and shows the slate from a keyframe on. */
async function slateFrom(from: number, signal: string): Promise<unknown> {
  const said = await video.event('signal', from, (data) => data['signal'] === signal);
  const at = video.lines.findIndex((line, index) => {
    return index >= from && line.type === 'event' && line.data['signal'] === signal;
  });
  const slate = await video.frame('the slate', at);
  assert.equal(slate.flags, first);
  // Bars are as bright as can be; the slate is dark.
  assert.ok((await brightness(slate)) < 100);
  await video.frame('more of it', video.now);
  return said['reason'];
}

/** From there on: the picture, from a keyframe of that size on. */
async function pictureFrom(from: number, size: readonly [number, number]): Promise<GuestFrame> {
  await video.event('signal', from, (data) => data['signal'] === 'ok');
  const at = video.lines.findIndex((line, index) => {
    return index >= from && line.type === 'event' && line.data['signal'] === 'ok';
  });
  const picture = await video.frame('the picture', at);
  assert.deepEqual([picture.flags, keyframeSize(picture)], [first, size]);
  assert.ok((await brightness(picture)) > 150);
  return picture;
}

async function pixel(frame: GuestFrame, x: number, y: number): Promise<[number, number, number]> {
  const [width = 0, height = 0] = keyframeSize(frame) ?? [];
  const frames = [Buffer.from(frame.payload, 'base64')];
  const decoded = await decodeVideo({ codec: 'vp8', width, height, frames });
  return decoded.pixel(0, Math.floor(width * x), Math.floor(height * y));
}

/** Of what is left of the middle, where vivid's first bar is and the slate has no text. */
async function brightness(frame: GuestFrame): Promise<number> {
  return Math.max(...(await pixel(frame, 0.05, 0.9)));
}

test('an HDMI picture comes in its size and colours, with times of CLOCK_MONOTONIC', {
  skip,
}, async () => {
  const picture = await pictureFrom(0, [640, 480]);
  assert.deepEqual(await video.event('format', 0), { codec: 'vp8', width: 640, height: 480 });
  // 75 % bars: white, yellow, cyan, green, magenta, red, blue, black.
  for (const [bar, colour] of [
    [1, [191, 191, 0]],
    [2, [0, 191, 191]],
    [5, [191, 0, 0]],
    [6, [0, 0, 191]],
  ] as const) {
    const seen = await pixel(picture, (bar + 0.5) / 8, 0.9);
    for (const [index, side] of colour.entries()) {
      assert.ok(Math.abs((seen[index] ?? -1) - side) < 30, `bar ${bar}: ${seen}`);
    }
  }
  const from = video.now;
  await video.frame('ten frames', from, () => video.frames(from).length >= 10);
  const times = video.frames(from).map(({ timestampMs }) => timestampMs);
  for (const { ageMs } of video.frames(from)) {
    assert.ok(ageMs > 0 && ageMs < 10_000, `${ageMs} ms old`);
  }
  assert.ok(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0)));
  // The source has sixty a second, and eight of them are wanted.
  const meanMs = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / (times.length - 1);
  assert.ok(meanMs > 110, `${meanMs} ms between them`);
});

test('other timings under way are a keyframe of the new size, with no slate between but for want of pictures', {
  skip,
}, async () => {
  const from = video.now;
  await set('dv_timings', timings['800x600']);
  const { width, height } = await video.event('format', from);
  assert.deepEqual([width, height], [800, 600]);
  // v4l2src may have gone over to it by itself before the device is opened anew.
  await video.frame(
    'a frame of that size from the device opened anew',
    from,
    (frame) => keyframeSize(frame)?.[0] === 800 && frame.flags === first,
  );
  const at = video.lines.findIndex((line, index) => {
    return index >= from && line.type === 'event' && line.name === 'signal';
  });
  if (at < 0) {
    const events = video.lines.slice(from).filter((line) => line.type === 'event');
    assert.deepEqual(
      events.map(({ name }) => name),
      ['format'],
    );
  } else {
    // An emulator may take longer to open it anew than a picture may stand still.
    const last = video.lines.slice(0, at).findLast((line) => line.type === 'frame');
    const [slate] = video.frames(at);
    assert.ok((slate?.timestampMs ?? 0) - (last?.timestampMs ?? 0) > 2_000);
  }
});

test('no signal is the slate, never a frozen picture; with the signal the picture is back', {
  skip,
}, async () => {
  const from = video.now;
  await set('dv_timings_signal_mode', signalMode.none);
  assert.equal(await slateFrom(from, 'no-signal'), 'nothing arrives at the input');
  const back = video.now;
  await set('dv_timings_signal_mode', signalMode.selected);
  await pictureFrom(back, [800, 600]);
});

test('a signal without a picture in it, or that the device cannot take, is told apart', {
  skip,
}, async () => {
  const from = video.now;
  await set('dv_timings_signal_mode', signalMode.outOfRange);
  const reason = 'its timings are beyond what the device captures';
  assert.equal(await slateFrom(from, 'unsupported'), reason);
  const unlocked = video.now;
  await set('dv_timings_signal_mode', signalMode.unlocked);
  const { reason: why } = await video.event('signal', unlocked);
  assert.equal(why, 'the input finds no picture in the signal');
  const interlaced = video.now;
  await set('dv_timings', timings['720x480i']);
  await set('dv_timings_signal_mode', signalMode.selected);
  const refused = await video.event('signal', interlaced);
  assert.equal(refused['signal'], 'unsupported');
  assert.match(
    String(refused['reason']),
    /^720x480 interlaced at 59.94 Hz, which the device refuses/,
  );
  const back = video.now;
  await set('dv_timings', timings['640x480']);
  await pictureFrom(back, [640, 480]);
});

test('a source that falls silent has no signal', { skip }, async () => {
  const from = video.now;
  await set('percentage_of_dropped_buffers', 100);
  assert.equal(await slateFrom(from, 'no-signal'), 'the device delivers no pictures');
  const back = video.now;
  await set('percentage_of_dropped_buffers', 0);
  await pictureFrom(back, [640, 480]);
});

test('errors of single pictures are nothing, and of the stream a moment of the slate', {
  skip,
}, async () => {
  for (const control of ['inject_v4l2_buf_flag_error', 'inject_vidioc_qbuf_error']) {
    const from = video.now;
    await set(control, 1);
    await video.frame('pictures on', from, () => video.frames(from).length >= 8);
    assert.equal(video.lines.slice(from).filter(({ type }) => type === 'event').length, 0);
  }
  const broken = video.now;
  await set('inject_fatal_streaming_error', 1);
  await video.event('device-lost', broken);
  await pictureFrom(broken, [640, 480]);
  // Of the next opening, which other timings make: it succeeds in spite of it, or the one after it does.
  for (const [control, name, width] of [
    ['inject_vidioc_reqbufs_error', '800x600', 800],
    ['inject_vidioc_streamon_error', '640x480', 640],
  ] as const) {
    const from = video.now;
    await set(control, 1);
    await set('dv_timings', timings[name]);
    await video.frame('it again', from, (frame) => keyframeSize(frame)?.[0] === width);
  }
});

test('a device that goes is lost once, let go of, and found again under its name', {
  skip,
}, async () => {
  const driver = '/sys/bus/platform/drivers/vivid';
  const from = video.now;
  await guest.shell(`echo vivid.0 >${driver}/unbind`);
  await slateFrom(from, 'lost');
  const { reason } = await video.event('signal', from, (data) =>
    /opened/.test(String(data['reason'])),
  );
  assert.equal(reason, 'it cannot be opened: No such file or directory');
  const losses = video.lines.slice(from).filter((line) => {
    return line.type === 'event' && line.name === 'device-lost';
  });
  assert.equal(losses.length, 1);
  const back = video.now;
  await guest.shell(`echo vivid.0 >${driver}/bind`);
  assert.equal((await guest.shell('ls /dev/video*')).trim(), '/dev/video0');
  // As it is when it is new.
  await pictureFrom(back, [1_280, 720]);
});

test('however often it was opened, nothing of the device stays open', {
  skip,
}, async () => {
  // To watch its signal, and v4l2src's two.
  const open = await guest.shell(
    "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c '/dev/video' || true",
  );
  assert.ok(Number(open) <= 3, `${open.trim()} descriptors`);
  await video.configure({ ...config, active: false });
  await waitFor(
    'the device to be closed',
    async () => {
      const left = await guest.shell(
        "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c '/dev/video' || true",
      );
      return left.trim() === '0';
    },
    closeMs,
  );
  assert.equal(video.exit, undefined);
});
