import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { waitFor } from '../fixtures/wait-for.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { FlashLab } from '../lab/flash-lab.ts';
import type { InboundVideo } from '../lab/page-probe.ts';
import { openViewer, type Stage, startStage, type Viewer } from '../lab/stage.ts';
import { startXScreen, type XScreen } from '../lab/x-screen.ts';

/** The whole program with a host's screen, as a person sees it. */

const program = fileURLToPath(new URL('../../dist/earshot.mjs', import.meta.url));
const run = promisify(execFile);

let stage: Stage;
let screen: XScreen;
let earshot: EarshotProcess;

before(async () => {
  stage = await startStage();
  screen = await startXScreen();
  stage.defer(() => screen.stop());
  earshot = await startEarshot({
    card: stage.host,
    config: { video: { device: `x11:${screen.display}`, encoder: 'vp8' } },
  });
  stage.defer(() => earshot.stop());
});
after(() => stage.close());

/** Waits until the page decodes pictures beyond `more` of them, and gives their numbers. */
function pictures({ probe }: Viewer, more = 5): Promise<InboundVideo> {
  return waitFor(
    'pictures',
    async () => {
      const video = await probe.inboundVideo();
      return video !== undefined && video.framesDecoded > more && video;
    },
    20_000,
  );
}

describe('the picture', () => {
  it("shows the host's screen, whole, and what changes on it", async () => {
    const viewer = await openViewer(stage, { url: earshot.url });
    const { frameWidth, frameHeight } = await pictures(viewer);
    assert.deepEqual([frameWidth, frameHeight], [1_280, 720]);
    const flashes = new FlashLab({ screen, viewer });
    await flashes.start();
    const delaysMs = await flashes.measure(4);
    assert.ok(delaysMs.every((delay) => delay > 0));
    const { video } = await earshot.status();
    assert.ok(video !== null);
    assert.equal(video.signal, 'ok');
    assert.deepEqual([video.width, video.height, video.codec], [1_280, 720, 'vp8']);
    await viewer.close();
  });

  it('begins with a keyframe for whoever comes later, encoded once for all', async () => {
    const first = await openViewer(stage, { url: earshot.url });
    await pictures(first);
    const second = await openViewer(stage, { url: earshot.url });
    const { keyFramesDecoded } = await pictures(second);
    assert.ok(keyFramesDecoded >= 1);
    const before = (await earshot.status()).video?.framesEncoded ?? 0;
    const [one, two] = [await pictures(first), await pictures(second)];
    const [later, latest] = [
      await pictures(first, one.framesDecoded + 60),
      await pictures(second, two.framesDecoded + 60),
    ];
    const encoded = ((await earshot.status()).video?.framesEncoded ?? 0) - before;
    const shown =
      later.framesDecoded - one.framesDecoded + latest.framesDecoded - two.framesDecoded;
    assert.ok(encoded < shown, `${encoded} pictures encoded for ${shown} shown`);
    await first.close();
    await second.close();
  });

  it('comes back when its child was killed', async () => {
    const viewer = await openViewer(stage, { url: earshot.url });
    const before = await pictures(viewer);
    await earshot.killChild('video');
    await waitFor('another child', async () => (await earshot.child('video')).restarts > 0, 20_000);
    const flashes = new FlashLab({ screen, viewer });
    await flashes.start();
    await flashes.measure(2);
    assert.ok((await pictures(viewer, before.framesDecoded)).keyFramesDecoded >= 2);
    await viewer.close();
  });

  it('costs nothing while nobody watches', async () => {
    const encoded = async (): Promise<number> => {
      const { video, sessions } = await earshot.status();
      assert.equal(sessions.length, 0);
      return video?.framesEncoded ?? 0;
    };
    await waitFor('no viewer', async () => (await earshot.status()).sessions.length === 0);
    await waitFor(
      'an idle child',
      async () => (await earshot.status()).video?.framesPerSecond === 0,
      20_000,
    );
    const before = await encoded();
    const viewer = await openViewer(stage, { url: earshot.url });
    await pictures(viewer);
    await waitFor(
      'pictures again',
      async () => ((await earshot.status()).video?.framesEncoded ?? 0) > before,
      20_000,
    );
    await viewer.close();
  });

  it('says what it is on the command line', async () => {
    const viewer = await openViewer(stage, { url: earshot.url });
    await pictures(viewer);
    const env = { ...process.env, EARSHOT_SOCKET: earshot.controlSocket };
    const { stdout } = await run(process.execPath, [program, 'stats'], { env });
    assert.match(stdout, /Picture +x11:\S+ \(there is a picture\)/);
    assert.match(stdout, /Size +1280 × 720, [\d.]+ pictures a second, VP8/);
    await viewer.close();
  });
});

describe('where the milliseconds go', () => {
  it('draws the way of a packet, to every viewer that hears it', async () => {
    const viewer = await openViewer(stage, { url: earshot.url });
    await waitFor(
      'sound',
      async () => ((await viewer.probe.inboundAudio())?.packetsReceived ?? 0) > 10,
      20_000,
    );
    const env = { ...process.env, EARSHOT_SOCKET: earshot.controlSocket };
    const traced = run(process.execPath, [program, 'trace', '--seconds', '2'], { env });
    const { stdout } = await traced;
    assert.match(stdout, /^STAGE/);
    assert.match(stdout, /the packet fills .*█.* 20\.00 +20\.00/);
    assert.match(stdout, /\d+ packets, 1 viewer/);
    const lines = await run(process.execPath, [program, 'trace', '-s', '1', '--json'], { env });
    const packets = lines.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    assert.ok(packets.length > 20);
    for (const packet of packets) {
      const { encodedMs, sentMs, receivedMs, written } = packet as {
        encodedMs: number;
        sentMs: number;
        receivedMs: number;
        written: { ms: number }[];
      };
      const order = [encodedMs, sentMs, receivedMs, written[0]?.ms ?? Number.NaN];
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
        'each stage after the one before',
      );
    }
    await viewer.close();
  });
});

describe('a host that goes dark', () => {
  it('is seen as such, never as its last picture, and comes back', async () => {
    const dark = await startXScreen();
    const device = await startEarshot({
      card: stage.host,
      config: { video: { device: `x11:${dark.display}`, encoder: 'vp8' } },
    });
    stage.defer(() => device.stop());
    const viewer = await openViewer(stage, { url: device.url });
    const before = await pictures(viewer);
    await dark.stop();
    const signal = await waitFor(
      'the loss',
      async () => {
        const { video } = await device.status();
        return video !== null && video.signal === 'lost' && video;
      },
      20_000,
    );
    assert.notEqual(signal.reason, '');
    const slate = await pictures(viewer, before.framesDecoded + 4);
    assert.ok(slate.framesDecoded > before.framesDecoded);
    await viewer.close();
  });
});
