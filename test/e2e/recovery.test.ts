import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import * as v from 'valibot';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { lookAtLanes, onFastLane, preferLatency } from '../lab/lanes.ts';
import { type Network, networkDenied, startNetwork } from '../lab/netns.ts';
import { PageProbe } from '../lab/page-probe.ts';
import { playTone } from '../lab/steady-tone.ts';
import { startVoiceStage, type VoiceStage } from '../lab/voice-stage.ts';
import { startXScreen } from '../lab/x-screen.ts';

/**
 * The whole program and a browser in networks of their own, with everything on: picture, sound on the fast lane and
 * the track, and the microphone. Then the network goes away, or becomes another one.
 *
 * Signaling goes over IPv6 and media over IPv4, whose addresses can change alone.
 */

const denied = networkDenied();
const otherAddress = '10.99.0.3';
const outageMs = 10_000;
/** Signaling and media are each tried again after some seconds at most. */
const backMs = 30_000;

/** What arrives, and goes on arriving: counters of all that is carried. */
interface Carried {
  /** Decoded by the browser. */
  readonly pictures: number;
  readonly trackPackets: number;
  readonly fastLanePackets: number;
  /** Played to the host. */
  readonly microphoneFrames: number;
}

const stateSchema = v.array(v.object({ state: v.string(), ms: v.number() }));

describe('a network that fails', { skip: denied ?? false }, () => {
  let network: Network;
  let stage: VoiceStage;
  let earshot: EarshotProcess;
  let page: Page;
  let probe: PageProbe;

  before(async () => {
    network = await startNetwork();
    // The device's certificate is its own.
    const args = ['--ignore-certificate-errors'];
    stage = await startVoiceStage({ side: network.viewer, args });
    stage.defer(() => network.stop());
    for (const card of [stage.host, stage.voice]) {
      const tone = await playTone(card);
      stage.defer(() => tone.stop());
    }
    const screen = await startXScreen({ width: 640, height: 360 });
    stage.defer(() => screen.stop());
    earshot = await startEarshot({
      card: stage.host,
      microphone: stage.hostMicrophone,
      side: network.device,
      config: {
        http: { port: 0, listen: network.device.ipv6 },
        media: { addresses: [network.device.ipv4] },
        video: { device: `x11:${screen.display}`, encoder: 'vp8', framesPerSecond: 10 },
      },
    });
    stage.defer(() => earshot.stop());
    page = await stage.browser.newPage();
    probe = await PageProbe.install(page);
    await preferLatency(page, 'lowest');
    await page.goto(earshot.url);
    await page.getByRole('checkbox', { name: 'Raw sound' }).check();
    await page.getByRole('button', { name: 'Turn on' }).click();
    await onFastLane(page);
    await note();
    await allComes();
  });
  after(() => stage.close());

  async function carried(): Promise<Carried> {
    const { stats } = await earshot.microphoneMetrics();
    const look = await lookAtLanes(page);
    return {
      pictures: (await probe.inboundVideo())?.framesDecoded ?? 0,
      trackPackets: (await probe.inboundAudio())?.packetsReceived ?? 0,
      fastLanePackets: look?.fastLane.numbers?.received ?? 0,
      microphoneFrames: stats?.decodedFrames ?? 0,
    };
  }

  /** Waits until the page is connected and all four come, and go on coming; how long that took, in ms. */
  async function allComes(): Promise<number> {
    const beganMs = performance.now();
    let before = await carried();
    let now = before;
    const names = ['pictures', 'trackPackets', 'fastLanePackets', 'microphoneFrames'] as const;
    const comes = async (): Promise<boolean> => {
      now = await carried();
      // A new connection counts from zero.
      if (names.some((name) => now[name] < before[name])) before = now;
      const state: unknown = await page.evaluate('window.earshot.state');
      return state === 'connected' && names.every((name) => now[name] > before[name] + 4);
    };
    try {
      await earshot.until(comes, { what: 'media', deadlineMs: backMs, everyMs: 100 });
    } catch (cause) {
      const connections = await probe.connectionStates();
      const text = JSON.stringify({ before, now, connections, states: await states() });
      throw new Error(`not all came: ${text}`, { cause });
    }
    return performance.now() - beganMs;
  }

  /** Notes what must go on, and every state of the page from now on. */
  async function note(): Promise<void> {
    await page.evaluate(`(() => {
      clearInterval(window.noted?.timer);
      const states = [];
      const look = () => {
        const { state } = window.earshot;
        if (states.at(-1)?.state !== state) states.push({ state, ms: performance.now() });
      };
      look();
      const { connection, stream } = window.earshot;
      window.noted = {
        states,
        connection,
        track: stream.getTracks()[0],
        fingerprint: ${described('fingerprint')},
        ufrag: ${described('ice-ufrag')},
        timer: setInterval(look, 20),
      };
    })()`);
  }

  async function states(): Promise<v.InferOutput<typeof stateSchema>> {
    return v.parse(stateSchema, await page.evaluate('window.noted.states'));
  }

  it('that becomes another one goes on with the same connection, by an ICE restart', async (t) => {
    await note();
    const before = await earshot.status();
    await network.viewer.readdress(otherAddress);
    t.diagnostic(`all goes on after ${Math.round(await allComes())} ms`);
    t.diagnostic(`states: ${(await states()).map(({ state }) => state).join(', ')}`);
    const same = await page.evaluate(`(() => {
      const { connection, stream } = window.earshot;
      return {
        connection: connection === window.noted.connection,
        track: stream.getTracks()[0] === window.noted.track,
        fingerprint: ${described('fingerprint')} === window.noted.fingerprint,
        ufrag: ${described('ice-ufrag')} === window.noted.ufrag,
      };
    })()`);
    assert.deepEqual(same, { connection: true, track: true, fingerprint: true, ufrag: false });
    const { sessions, microphone } = await earshot.status();
    assert.deepEqual(
      sessions.map(({ id }) => id),
      before.sessions.map(({ id }) => id),
    );
    assert.deepEqual(microphone.holder?.session, before.microphone.holder?.session);
    assert.ok(earshot.log.some(({ fields }) => fields['msg'] === 'ICE restart'));
  });

  /** The network of now lets nothing through, or everything: silently, or with the viewer's cable pulled. */
  const outages: Readonly<Record<string, (isOver: boolean) => Promise<void>>> = {
    'that is silent': async (isOver) => {
      await network.device.blackhole([otherAddress, network.viewer.ipv6], !isOver);
      await network.viewer.blackhole([network.device.ipv4, network.device.ipv6], !isOver);
    },
    'whose cable is pulled': (isOver) => network.viewer.plug(isOver),
  };

  for (const [name, set] of Object.entries(outages)) {
    it(`${name} for ten seconds costs no reload: all comes back, though the picture’s child died meanwhile`, async (t) => {
      await note();
      const [before] = (await earshot.status()).sessions;
      const { restarts } = await earshot.child('video');
      const cutMs = performance.now();
      await set(false);
      await earshot.until(async () => (await states()).length > 1, {
        what: 'word of it on the page',
        deadlineMs: 9_000,
        everyMs: 100,
      });
      const [, said] = await states();
      t.diagnostic(
        `the page says "${said?.state}" after ${Math.round(performance.now() - cutMs)} ms`,
      );
      assert.equal(said?.state, 'interrupted');
      await page.getByText('Connection interrupted').waitFor({ timeout: 2_000 });
      await earshot.killChild('video');
      await delay(Math.max(0, cutMs + outageMs - performance.now()));
      await set(true);
      t.diagnostic(`all came back after ${Math.round(await allComes())} ms`);
      t.diagnostic(`states: ${(await states()).map(({ state }) => state).join(', ')}`);
      assert.ok((await earshot.child('video')).restarts > restarts);
      const { sessions, microphone } = await earshot.status();
      t.diagnostic(`session ${before?.id}, now ${sessions.map(({ id }) => id).join(', ')}`);
      assert.equal(sessions.length, 1);
      assert.equal(microphone.holder?.session, sessions[0]?.id);
      assert.ok(microphone.live);
      assert.equal((await lookAtLanes(page))?.lane, 'fast');
    });
  }
});

/** What the device's description says, in the page. */
function described(name: string): string {
  return `/a=${name}:(.*)/.exec(window.earshot.connection.currentRemoteDescription.sdp)[1]`;
}
