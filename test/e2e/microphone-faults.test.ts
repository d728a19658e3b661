import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SineEncoder } from '../fixtures/opus-source.ts';
import { toneBlocks } from '../fixtures/tone-blocks.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';
import { playChirps } from '../lab/card-delay.ts';
import { CardRecorder } from '../lab/card-recorder.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { type FaultCard, makeFaultCard } from '../lab/fault-card.ts';
import { residentMb } from '../lab/process-usage.ts';
import { remoteHub } from '../lab/remote-hub.ts';
import { type SoundServer, startSoundServer } from '../lab/sound-server.ts';
import { openSpeakingPage } from '../lab/speaking-page.ts';
import { startVoiceStage, type VoiceStage } from '../lab/voice-stage.ts';

/** The microphone with viewers that come and go or send what nobody should, and with cards that are odd or missing. */

const input = 'audio-input';
const toneHz = 440;
const frameSamples = 960;

/**
 * Growth in a hundred visits that is no garbage: a visit leaves about 0.15 MB of it until the collector
 * comes, and nothing after that (heap snapshots around a hundred visits differ in compiled code alone).
 */
const leastLeakMb = 40;

/** A viewer without a browser that speaks a tone, in real time, from when it was given the microphone. */
class Speaker {
  readonly viewer = new WeriftViewer();
  readonly #earshot: EarshotProcess;
  readonly #encoder = new SineEncoder({ frequencyHz: toneHz });
  #timer: NodeJS.Timeout | undefined;
  #sequence = 1_000;

  constructor(earshot: EarshotProcess) {
    this.#earshot = earshot;
  }

  get session(): string {
    const [first] = this.viewer.messages;
    return first?.type === 'webrtc_config' ? first.session_id : '';
  }

  async connect(): Promise<void> {
    this.viewer.watch(remoteHub(this.#earshot));
    await this.#earshot.until(() => this.viewer.state === 'connected' && this.viewer.canSend, {
      what: 'connected viewer',
      deadlineMs: 20_000,
    });
  }

  /** Takes the microphone from whoever has it, and begins. */
  async speak(): Promise<void> {
    await this.#earshot.takeMicrophone(this.session);
    const beganMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      for (; sent * 20 < performance.now() - beganMs; sent += 1) {
        this.send(this.#encoder.next(frameSamples)).catch(() => undefined);
      }
    }, 5);
  }

  /** Sends any payload as the next packet. */
  async send(
    payload: Buffer,
    more: { readonly ssrc?: number; readonly payloadType?: number } = {},
  ): Promise<void> {
    this.#sequence += 1;
    const timestamp = this.#sequence * frameSamples;
    await this.viewer.sendMicrophone({ sequence: this.#sequence, timestamp, payload, ...more });
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.viewer.close();
  }
}

async function speaker(t: TestContext, earshot: EarshotProcess): Promise<Speaker> {
  const one = new Speaker(earshot);
  t.after(() => one.leave());
  await one.connect();
  return one;
}

/** Waits until no viewer is left, and the host's microphone is closed for it. */
async function nobodyThere(earshot: EarshotProcess): Promise<void> {
  await earshot.until(
    async () => {
      const { sessions, microphone } = await earshot.status();
      const { stats } = await earshot.microphoneMetrics();
      const closed = stats?.deviceState === 'closed' && stats.deviceRateHz === 0;
      return sessions.length === 0 && microphone.holder === null && closed;
    },
    { what: 'an empty room', deadlineMs: 15_000 },
  );
}

describe('the microphone and its viewers', () => {
  let stage: VoiceStage;
  let earshot: EarshotProcess;

  before(async () => {
    stage = await startVoiceStage();
    const host = await playChirps(stage.host);
    stage.defer(() => host.stop());
    earshot = await startEarshot({ card: stage.host, microphone: stage.hostMicrophone });
    stage.defer(() => earshot.stop());
  });

  after(() => stage.close());

  /** Waits until the host records the tone, and hardly anything else, for 400 ms. */
  async function hostHearsTone(): Promise<void> {
    const { server, sink } = stage.hostMicrophone;
    await earshot.until(
      async () => {
        const recorder = new CardRecorder(server, sink);
        await recorder.start();
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        const recording = await recorder.stop().catch(() => undefined);
        if (recording === undefined) return false;
        const last = toneBlocks(recording, toneHz).slice(-20);
        return last.every(({ levelDbfs, residueDb }) => levelDbfs > -25 && residueDb < -15);
      },
      { what: 'the tone at the host', deadlineMs: 40_000 },
    );
  }

  /** What viewers could leave behind in the main process and the child. */
  async function holdings(): Promise<{ main: number; child: number; children: number }> {
    const { pid = 0 } = await earshot.child(input);
    const { children } = await earshot.status();
    const count = async (process: number) => (await readdir(`/proc/${process}/fd`)).length;
    return {
      main: await count(earshot.pid),
      child: await count(pid),
      children: children.filter(({ state }) => state === 'running').length,
    };
  }

  it('takes in whatever a viewer sends: it is counted, the host’s sound and the microphone go on', async (t) => {
    const listener = await speaker(t, earshot);
    const rogue = await speaker(t, earshot);
    await rogue.speak();
    await hostHearsTone();
    const { pid = 0, restarts } = await earshot.child(input);
    const before = (await earshot.microphoneMetrics()).stats;
    const dropsBefore = (await earshot.status()).sessions.find(({ id }) => id === rogue.session);
    const opus = new SineEncoder({ frequencyHz: toneHz });
    const wrong = [
      // Code 3 with 0 frames; a length beyond the end; 120 ms where 20 were asked for (RFC 6716 §3.2).
      Buffer.from([0xfb, 0]),
      Buffer.from([0xfa, 200, 1, 2, 3]),
      Buffer.concat([Buffer.from([0xfb, 6]), Buffer.alloc(60, 7)]),
      Buffer.alloc(1_400, 0xff),
    ];
    const flood = async (packets: number): Promise<void> => {
      for (let n = 0; n < packets; n += 1) {
        const payload = wrong[n % wrong.length];
        if (payload !== undefined) await rogue.send(payload, oddity(n));
        if (n % 20 === 0) await turn();
      }
    };
    await flood(2_000);
    const rssBefore = await rss(pid);
    const heardBefore = listener.viewer.packets.length;
    await flood(20_000);
    const rssAfter = await rss(pid);
    const heard = listener.viewer.packets.length - heardBefore;
    assert.ok(heard > 20, `${heard} packets of the host’s sound meanwhile`);
    await rogue.send(opus.next(frameSamples));
    await rogue.leave();
    const { stats } = await earshot.microphoneMetrics();
    assert.ok(stats !== null && before !== null);
    assert.ok(stats.malformedFrames > before.malformedFrames);
    const counts = await earshot.until(
      async () =>
        metric(await metricsText(earshot), 'earshot_media_microphone_frames_dropped_total'),
      { what: 'the counts', deadlineMs: 5_000 },
    );
    assert.ok(counts > (dropsBefore?.microphoneFramesDropped ?? 0) + 1_000, `${counts} dropped`);
    for (const [n, mb] of rssAfter.entries()) {
      assert.ok(mb - (rssBefore[n] ?? 0) < 16, `${rssBefore} MB, then ${rssAfter}`);
    }
    await listener.speak();
    await hostHearsTone();
    const child = await earshot.child(input);
    assert.deepEqual([child.pid, child.restarts], [pid, restarts]);
    assert.deepEqual(
      earshot.log.filter(({ fields }) => fields['level'] === 'error'),
      [],
    );
    t.diagnostic(`${counts} dropped; main and child ${rssBefore} MB, then ${rssAfter}`);
    await listener.leave();
    await nobodyThere(earshot);
  });

  it('is as before after a hundred viewers spoke and left', async (t) => {
    const visit = async (): Promise<void> => {
      const one = new Speaker(earshot);
      try {
        await one.connect();
        await one.speak();
        await earshot.until(async () => (await earshot.microphone()).connected, {
          what: 'sound of a viewer',
          deadlineMs: 10_000,
        });
      } finally {
        await one.leave();
      }
    };
    const browse = async (): Promise<void> => {
      const page = await openSpeakingPage({ browser: stage.browser, earshot, latency: 'steady' });
      await page.context().close();
    };
    // What is made once and kept is no leak.
    for (let n = 0; n < 10; n += 1) await visit();
    await browse();
    await nobodyThere(earshot);
    const { pid = 0, restarts } = await earshot.child(input);
    const before = { ...(await holdings()), rss: await rss(pid) };
    for (let n = 0; n < 97; n += 1) await visit();
    for (let n = 0; n < 3; n += 1) await browse();
    await nobodyThere(earshot);
    // Sockets of what has just closed go a moment later.
    const { main, child, children } = await earshot.until(
      async () => {
        const now = await holdings();
        return now.main <= before.main && now.child <= before.child && now;
      },
      { what: `no more descriptors than ${JSON.stringify(before)}`, deadlineMs: 20_000 },
    );
    assert.equal(children, before.children);
    const now = await earshot.child(input);
    assert.deepEqual([now.pid, now.restarts], [pid, restarts]);
    const rssAfter = await rss(pid);
    for (const [n, mb] of rssAfter.entries()) {
      assert.ok(mb - (before.rss[n] ?? 0) < leastLeakMb, `${before.rss} MB, then ${rssAfter}`);
    }
    t.diagnostic(`main ${before.main} → ${main} descriptors, child ${before.child} → ${child}`);
    t.diagnostic(`main and child ${before.rss} MB, then ${rssAfter}`);
  });

  /** Resident memory of the main process and of the child, in MB. */
  async function rss(child: number): Promise<readonly [number, number]> {
    const [main, other] = [await residentMb(earshot.pid), await residentMb(child)];
    return [Math.round(main), Math.round(other)];
  }
});

describe('the microphone and its card', () => {
  let server: SoundServer;
  let card: FaultCard;

  before(async () => {
    card = await makeFaultCard();
    const extraConfig = `<${card.env['ALSA_CONFIG_PATH']}>`;
    server = await startSoundServer({ sinks: [{ name: 'hdmi' }], extraConfig });
  });

  after(async () => {
    await server.stop();
    await card.remove();
  });

  async function start(t: TestContext): Promise<EarshotProcess> {
    const config = {
      audio: {
        output: { device: server.capturePcm('hdmi') },
        input: { device: card.pcm },
      },
    };
    const earshot = await startEarshot({ card: { server, sink: 'hdmi' }, config });
    t.after(() => earshot.stop());
    return earshot;
  }

  it('says in words that the host’s microphone is missing, and plays when it is there', async (t) => {
    card.set({ gone: 1 });
    const earshot = await start(t);
    const one = await speaker(t, earshot);
    await one.speak();
    const { deviceError } = await earshot.until(
      async () => {
        const now = await earshot.microphone();
        return now.deviceError !== '' && now;
      },
      { what: 'words for a missing device', deadlineMs: 10_000 },
    );
    assert.match(deviceError, /\w+ \w+/);
    t.diagnostic(deviceError);
    // It keeps trying, in the same process.
    await earshot.until(
      () => earshot.log.filter(({ fields }) => fields['msg'] === 'device lost').length > 0,
      {
        what: 'the loss in the log',
        deadlineMs: 10_000,
      },
    );
    assert.equal((await earshot.child(input)).restarts, 0);
    card.set({ gone: 0 });
    await earshot.until(async () => (await earshot.microphone()).deviceState === 'open', {
      what: 'open device',
      deadlineMs: 30_000,
    });
    assert.equal((await earshot.microphone()).deviceError, '');
    await earshot.until(async () => (await loudest(card)) > 0.1, {
      what: 'the tone on the card',
      deadlineMs: 20_000,
      everyMs: 200,
    });
    const child = await earshot.child(input);
    assert.deepEqual([child.state, child.restarts], ['running', 0]);
    await one.leave();
    await nobodyThere(earshot);
  });

  it('converts to a card that takes 16 kHz in mono and nothing else', async (t) => {
    card.set({ gone: 0, rateHz: 16_000, channels: 1 });
    const earshot = await start(t);
    const one = await speaker(t, earshot);
    await one.speak();
    const stats = await earshot.until(
      async () => {
        const { stats: now } = await earshot.microphoneMetrics();
        return now !== null && now.deviceRateHz > 0 && now;
      },
      { what: 'open device', deadlineMs: 20_000 },
    );
    assert.deepEqual([stats.deviceRateHz, stats.deviceChannels], [16_000, 1]);
    const played = (await card.played()).length;
    const hz = await earshot.until(
      async () => {
        const sound = (await card.played()).subarray(played);
        const last = sound.subarray(-8_000);
        const found = (crossings(last) * 16_000) / last.length;
        return sound.length > 16_000 && Math.abs(found - toneHz) < 6 && found;
      },
      {
        what: 'half a second of the tone, as high as it was sent',
        deadlineMs: 40_000,
        everyMs: 200,
      },
    );
    t.diagnostic(`${hz.toFixed(1)} Hz on the card`);
    await one.leave();
    await nobodyThere(earshot);
  });
});

/** Now and then another source or another payload type. */
function oddity(n: number): { ssrc?: number; payloadType?: number } {
  if (n % 10 === 3) return { ssrc: 0x1234_5678 };
  return n % 10 === 7 ? { payloadType: 0 } : {};
}

async function metricsText(earshot: EarshotProcess): Promise<string> {
  return await (await fetch(`${earshot.url}/metrics`)).text();
}

/** Sum over a metric's labels; undefined when there is none of it. */
function metric(text: string, name: string): number | undefined {
  const values = text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));
  if (values.length === 0) return undefined;
  return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Largest sample of the last second that the card played. */
async function loudest(card: FaultCard): Promise<number> {
  return (await card.played())
    .subarray(-96_000)
    .reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

/** How often the sound rises through zero. */
function crossings(sound: Float32Array): number {
  let count = 0;
  for (let n = 1; n < sound.length; n += 1) {
    if ((sound[n - 1] ?? 0) < 0 && (sound[n] ?? 0) >= 0) count += 1;
  }
  return count;
}
