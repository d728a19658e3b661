import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { CipherContext } from 'werift';
import { outputPresets, presetNames } from '../../src/audio/presets.ts';
import type { MediaHub } from '../../src/media/media-hub.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';

/** What is on the wire, as an implementation that is not ours reads it. */
describe('media on the wire', () => {
  let hub: MediaHub;
  let viewer: WeriftViewer;
  let captureTimeNs: bigint;

  beforeEach(async () => {
    hub = await startMediaHub({ limits: { probeMs: 250, silenceMs: 1_500, connectMs: 10_000 } });
    viewer = new WeriftViewer();
    captureTimeNs = process.hrtime.bigint();
  });

  afterEach(async () => {
    await viewer.close();
    await hub.stop();
  });

  async function connect(): Promise<void> {
    viewer.watch(hub);
    await waitFor('a connection', () => viewer.state === 'connected');
  }

  function publish(samples: number, payload = Buffer.alloc(40, 0xfc)): void {
    hub.publishAudio({ payload, samples, captureTimeNs, discontinuity: false });
    captureTimeNs += (BigInt(samples) * 1_000_000_000n) / 48_000n;
  }

  test('sequence and timestamps are exact across presets, DTX, mute and gaps', async () => {
    await connect();
    const expected: { step: number; marker: boolean }[] = [];
    let step = 0;
    const expectPacket = (samples: number, marker: boolean): void => {
      publish(samples);
      expected.push({ step, marker });
      step = samples;
    };
    expectPacket(960, true);
    for (const name of presetNames) {
      const samples = outputPresets[name].frameMs * 48;
      for (let count = 0; count < 5; count += 1) expectPacket(samples, false);
    }
    // Silence: the first of its packets is sent, the time of the others passes.
    publish(480, Buffer.alloc(1));
    expected.push({ step, marker: false });
    step = 480;
    publish(480, Buffer.alloc(2));
    publish(480, Buffer.alloc(1));
    step += 960;
    expectPacket(480, true);
    // The child was killed and came back 700 ms later.
    captureTimeNs += 700_000_000n;
    step += 700 * 48;
    expectPacket(480, true);
    // A hiccup of 30 ms is jitter, not a gap.
    captureTimeNs += 30_000_000n;
    expectPacket(480, false);

    await waitFor('every packet', () => viewer.packets.length === expected.length);
    const steps = viewer.packets.map(({ header }, index) => {
      const before = viewer.packets[index - 1]?.header;
      if (before !== undefined) {
        assert.equal(header.sequenceNumber, (before.sequenceNumber + 1) & 0xffff);
        assert.equal(header.ssrc, before.ssrc);
      }
      const earlier = before?.timestamp ?? header.timestamp;
      return { step: (header.timestamp - earlier) >>> 0, marker: header.marker };
    });
    assert.deepEqual(steps, expected);
    assert.deepEqual(viewer.packets[0]?.payload, Buffer.alloc(40, 0xfc));
    assert.equal(hub.stats().gapsSkipped, 1);
  });

  test('a viewer that vanishes without a word is noticed by its silence', async () => {
    const counts: number[] = [];
    hub.on('viewers', (count) => counts.push(count));
    await connect();
    publish(480);
    await waitFor('a packet', () => viewer.packets.length === 1);
    await viewer.vanish();
    await waitFor('the failure', () => viewer.state === 'failed');
    assert.match(viewer.reason, /stopped answering/);
    assert.deepEqual(counts, [1, 0]);
    assert.equal(hub.sessions().length, 1);
  });

  test('a viewer that cannot prove its certificate gets no sound', async () => {
    const sign = CipherContext.prototype.signatureData;
    // What an impostor sends who saw the certificate but has not its key.
    mock.method(CipherContext.prototype, 'signatureData', function (this: CipherContext) {
      return sign.call(this, Buffer.from('something else'), 'sha256');
    });
    try {
      viewer.watch(hub);
      await waitFor('the failure', () => viewer.state === 'failed');
    } finally {
      mock.restoreAll();
    }
    assert.match(viewer.reason, /could not prove that its certificate is its own/);
    publish(480);
    assert.equal(hub.stats().packetsSent, 0);
  });

  test('the places are counted, and a full house says so', async () => {
    const send = (): void => undefined;
    const first = hub.openSession({ send, end: send });
    hub.openSession({ send, end: send });
    assert.throws(() => hub.openSession({ send, end: send }), { code: 'MEDIA_TOO_MANY_VIEWERS' });
    first.close('gone');
    await connect();
  });
});
