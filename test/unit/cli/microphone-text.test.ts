import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MicrophoneMetrics, MicrophoneStatus } from '../../../src/api/schema.ts';
import {
  concealedShare,
  microphoneMetricsText,
  microphoneRates,
  microphoneRatesText,
  microphoneText,
} from '../../../src/cli/microphone-text.ts';
import { InMemoryServices } from '../../fixtures/in-memory-services.ts';
import { inputStats } from '../../fixtures/metric-sources.ts';

const io = { stdout: { write: () => true }, stderr: { write: () => true }, env: {} };

function status(changes: Partial<MicrophoneStatus> = {}): MicrophoneStatus {
  const held = { holder: { session: 's1', heldMs: 62_000 }, connected: true, live: true } as const;
  return { ...new InMemoryServices().microphone.status(), ...held, ...changes };
}

function metrics(changes: Partial<MicrophoneMetrics> = {}): MicrophoneMetrics {
  return { ...new InMemoryServices().microphone.metrics(), ...changes };
}

describe('the microphone for people', () => {
  it('names the holder, and why the host does not hear it', () => {
    const text = (changes: Partial<MicrophoneStatus>): string =>
      microphoneText(status(changes), metrics(), io);
    assert.match(text({}), /held by s1 for 1 min 2 s, live\n/);
    assert.match(text({ live: false, muted: true }), /, muted\n/);
    assert.match(text({ live: false, connected: false }), /, no sound arrives\n/);
    assert.match(
      text({ live: false, muted: true, connected: false }),
      /, muted, no sound arrives\n/,
    );
  });

  it('keeps a name from driving the terminal', () => {
    const holder = { session: 's1\u001b[2J', heldMs: 1 };
    assert.match(microphoneText(status({ holder }), metrics(), io), /held by s1\?\[2J for/);
  });

  const devices: [changes: Partial<MicrophoneStatus>, text: RegExp][] = [
    [{ deviceState: 'closed' }, /\(closed while nobody holds the microphone\)/],
    [{ deviceState: 'idle' }, /\(open, the host does not record\)/],
    [{ deviceState: 'open' }, /\(open\)/],
    [{ deviceState: 'opening', deviceError: 'no such card\u0007' }, /\(not open: no such card\?\)/],
  ];
  for (const [changes, text] of devices) {
    it(`says that the device is ${changes.deviceState}`, () => {
      assert.match(microphoneText(status(changes), metrics(), io), text);
    });
  }

  it('shows no level and no delay while nobody holds it, or the process does not run', () => {
    for (const text of [
      microphoneText(status({ holder: null }), metrics(), io),
      microphoneText(status(), metrics({ stats: null }), io),
    ]) {
      assert.doesNotMatch(text, /Level|Delay|Concealed/);
    }
  });

  it('says when nothing was played yet', () => {
    const stats = inputStats({ playedSamples: 0, latencyMeanMs: 0 });
    assert.match(
      microphoneText(status(), metrics({ stats }), io),
      /Delay +nothing is played at the moment\n/,
    );
    assert.match(microphoneText(status(), metrics({ stats }), io), /nothing was played yet/);
  });
});

describe('the numbers of the microphone for people', () => {
  it('has each number', () => {
    const text = microphoneMetricsText(metrics());
    for (const line of [
      /^Connection +2 drops$/m,
      /^Last packet +2023-11-14T22:13:20\.000Z$/m,
      /^Received +5001 packets, 4\.9 KiB$/m,
      /^Decoded +5007 packets in 60 µs, at most 350 µs$/m,
      /^Dropped +5003 late, 5004 twice, 5005 not Opus, 5006 without room or device$/m,
      /^Played +100\.0 s \(paused by the sender: 3\.0 s\)$/m,
      /^Adjusted +4\.0 s taken out, 5\.0 s put in, drift -124 ppm$/m,
      /^Jitter +7\.5 ms$/m,
      /^Faults +5008 xruns, 5011 starvations, 5010 re-openings, 5009 suspends, 5012 new streams$/m,
      /^Device +open, 44100 Hz, 1 channel, SCHED_FIFO$/m,
    ]) {
      assert.match(text, line);
    }
  });

  it('knows no time before the first packet', () => {
    assert.match(microphoneMetricsText(metrics({ lastFrameUnixMs: 0 })), /Last packet +none yet\n/);
  });
});

describe('the rates of the microphone', () => {
  const before = inputStats();
  const after = inputStats({
    receivedFrames: before.receivedFrames + 100,
    receivedBytes: before.receivedBytes + 8_000,
    xruns: before.xruns + 1,
    fecSamples: before.fecSamples + 960,
    plcSamples: before.plcSamples + 1_920,
    playedSamples: before.playedSamples + 96_000,
  });

  it('are of the time between two looks', () => {
    const rates = microphoneRates(before, after, 2);
    assert.deepEqual(rates, {
      packetsPerS: 50,
      bitsPerS: 32_000,
      xrunsPerS: 0.5,
      concealedShare: 0.03,
    });
    assert.equal(microphoneRatesText(rates), '50 packets, 32 kbps, 0.5 xruns, 3.0 % concealed');
  });

  it('are not known without two looks at the same process', () => {
    assert.equal(microphoneRates(null, after, 2), undefined);
    assert.equal(microphoneRates(before, null, 2), undefined);
    assert.equal(microphoneRates(before, after, 0), undefined);
    assert.equal(microphoneRates(after, before, 2), undefined, 'it was started anew');
  });

  it('share nothing out while nothing is played', () => {
    assert.equal(concealedShare({ fecSamples: 5, plcSamples: 5, playedSamples: 0 }), undefined);
    assert.equal(microphoneRates(before, before, 1)?.concealedShare, 0);
  });
});
