import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Status } from '../../../src/api/schema.ts';
import { fastLanesText } from '../../../src/cli/fast-lane-text.ts';
import {
  adviceText,
  audioText,
  childrenText,
  faultRates,
  headline,
  httpsText,
  sessionRates,
  sessionsText,
} from '../../../src/cli/status-text.ts';
import { InMemoryServices } from '../../fixtures/in-memory-services.ts';

const io = { stdout: { write: () => true }, stderr: { write: () => true }, env: {} };

function status(changes: Partial<Status> = {}): Status {
  const { audio, microphone, video, children, media } = new InMemoryServices();
  return {
    version: '1.0.0',
    uptimeMs: 65_000,
    localOnly: true,
    https: null,
    audio: audio.status(),
    microphone: microphone.status(),
    video: video.status(),
    children: [...children.statuses()],
    sessions: media.sessions(),
    ...changes,
  };
}

describe('the status for people', () => {
  it('says whether others can connect', () => {
    assert.equal(headline(status()), 'Earshot 1.0.0, up 1 min 5 s, this machine only\n');
    assert.match(headline(status({ localOnly: false })), /reachable from other machines/);
  });

  it('shows what a person compares with the browser’s warning', () => {
    const https = {
      url: 'https://192.0.2.7:8443/',
      port: 8443,
      fingerprint256: 'AB:CD',
      expiresUnixMs: Date.UTC(2027, 0, 31),
      own: false,
    };
    assert.equal(
      httpsText(status({ https })),
      [
        'HTTPS        https://192.0.2.7:8443/',
        'Certificate  made by this device, until 2027-01-31',
        'SHA-256      AB:CD',
        '',
      ].join('\n'),
    );
    assert.match(httpsText(status({ https: { ...https, own: true } })), /your own, until/);
    assert.match(httpsText(status()), /starting/);
  });

  it('says why the device is not open', () => {
    const { audio } = status();
    const text = audioText(
      status({ audio: { ...audio, deviceState: 'opening', deviceError: 'no such card\u001b[2J' } }),
      io,
    );
    assert.match(text, /hw:CARD=UAC1Gadget \(not open: no such card\?\[2J\)/);
  });

  it('shows a child without a process', () => {
    const [child] = status().children;
    assert.ok(child);
    const { pid: _, ...stopped } = child;
    assert.match(
      childrenText(status({ children: [{ ...stopped, state: 'stopped' }] })),
      /stopped +–/,
    );
  });

  it('says what to do about a child that failed', () => {
    const [child] = status().children;
    assert.ok(child);
    const failed = adviceText(status({ children: [{ ...child, state: 'failed' }] }), io);
    assert.match(
      failed,
      /audio-output has failed: killed by SIGKILL\n.*earshot restart audio-output/,
    );
    const waiting = { ...child, state: 'backing-off', retryInMs: 2_000 } as const;
    assert.match(adviceText(status({ children: [waiting] }), io), /has ended: .*\n.* in 2\.0 s/);
    assert.equal(adviceText(status(), io), '');
  });

  it('says which library is missing', () => {
    const [child] = status().children;
    assert.ok(child);
    const lastExit =
      'exit code 78: The native audio module needs libopus.so.0 (Debian package libopus0).';
    const text = adviceText(status({ children: [{ ...child, state: 'failed', lastExit }] }), io);
    assert.match(text, /needs libopus\.so\.0 \(Debian package libopus0\)\.\n/);
  });

  it('keeps the table narrow when a child ended with many words', () => {
    const [child] = status().children;
    assert.ok(child);
    const lastExit = 'x'.repeat(400);
    const text = childrenText(status({ children: [{ ...child, lastExit }] }));
    assert.ok(text.split('\n').every((line) => line.length < 130));
  });

  it('says under the viewers why one gets no picture', () => {
    const [session] = status().sessions;
    assert.ok(session !== undefined);
    const video = {
      codec: 'h264',
      ...{ reason: 'The browser cannot decode H.264.', packetsSent: 0 },
      ...{ bytesSent: 0, framesSent: 0, keyframesSent: 0, framesDropped: 0 },
      ...{ packetsRetransmitted: 0, packetsPadding: 0, keyframesWanted: 0, targetKbps: -1 },
      ...{ packetsLost: 0, lossPercent: 0, jitterMs: 0, roundTripMs: -1 },
    } as const;
    const text = sessionsText(status({ sessions: [{ ...session, video }] }));
    assert.match(text, /PICTURES +MISSED +PATH CARRIES/);
    assert.match(text, / none +0 +–/);
    assert.match(text, /\ns1, picture: The browser cannot decode H\.264\.\n/);
  });

  it('shows viewers, and an unknown round trip as a dash', () => {
    const [session] = status().sessions;
    assert.ok(session);
    assert.match(
      sessionsText(status()),
      /s1 +connected +1 min 1 s +host +3\.3 ms +1\.5 ms +1\.0 % +3050 +4 +fast lane +46\.5 ms\n/,
    );
    assert.match(
      sessionsText(
        status({ sessions: [{ ...session, roundTripMs: -1, state: 'failed', reason: 'ICE' }] }),
      ),
      /failed .* – +1\.5 ms.*\ns1: ICE\n/,
    );
    assert.equal(sessionsText(status({ sessions: [] })), 'No viewers.\n');
  });

  it('shows what a viewer hears once one speaks the fast lane, and what it says of it', () => {
    const [session] = status().sessions;
    assert.ok(session?.fastLane);
    const without = { ...session, fastLane: null };
    assert.doesNotMatch(sessionsText(status({ sessions: [without] })), /HEARS/);
    assert.equal(fastLanesText(status({ sessions: [without] })), '');
    const unknown = { ...session.fastLane.report, delayMs: -1, lost: -1, jitterMs: -1 };
    const onTrack = { ...session.fastLane, sounding: false, redundancy: false, report: unknown };
    const both = status({ sessions: [session, { ...session, fastLane: onTrack }, without] });
    assert.match(
      sessionsText(both),
      /HEARS +DELAY\n.* fast lane +46\.5 ms\n.* track +–\n.* track +–\n/,
    );
    assert.match(
      fastLanesText(both),
      /s1 +channel +6100 +5 +on +7\.5 ms +1\.3 ms +0\.8 ms +-1[23] ppm +3 +7 +2 +30\.0 ms +1\.5 ms\n/,
    );
    assert.match(fastLanesText(both), /\ns1 +channel +6100 +5 +off +7\.5 ms +– .* – +7 +2/);
  });

  it('shows what arrives of a microphone once one has sent', () => {
    const [session] = status().sessions;
    assert.ok(session);
    assert.doesNotMatch(sessionsText(status()), /MIC/);
    const speaks = { microphonePackets: 500, microphoneLost: 3, microphoneJitterMs: 4.25 };
    assert.match(
      sessionsText(status({ sessions: [{ ...session, ...speaks }, session] })),
      /MIC PACKETS +MIC LOST +MIC JITTER\n.* 500 +3 +4\.3 ms\n.* 0 +0 +0\.0 ms\n/,
    );
  });

  it('shows how long the host’s sound takes until it is sent', () => {
    assert.match(
      audioText(status(), io),
      /Delay +24\.5 ms until sent, 95 % within 26\.0 ms, encoding 95 µs, at most 310 µs\n/,
    );
    const { audio } = status();
    const quiet = status({ audio: { ...audio, latencyMeanMs: 0 } });
    assert.match(audioText(quiet, io), /Delay +nothing is sent at the moment\n/);
  });
});

describe('rates', () => {
  const before = status();
  const [session] = before.sessions;
  assert.ok(session);
  const after = status({
    uptimeMs: before.uptimeMs + 2_000,
    audio: { ...before.audio, xruns: before.audio.xruns + 3 },
    sessions: [
      { ...session, packetsSent: session.packetsSent + 100, bytesSent: session.bytesSent + 16_000 },
      { ...session, id: 'new' },
    ],
  });

  it('are by the device’s own clock, for the sessions that were there both times', () => {
    assert.deepEqual(
      [...sessionRates(before, after)],
      [['s1', { packetsPerS: 50, bitsPerS: 64_000 }]],
    );
    assert.deepEqual(faultRates(before, after), {
      xrunsPerS: 1.5,
      reopensPerS: 0,
      droppedFramesPerS: 0,
    });
    assert.match(sessionsText(after, sessionRates(before, after)), /50\/s, 64 kbps\n.*new .* –\n/);
  });

  it('are none when no time has passed, or the device started anew', () => {
    assert.equal(sessionRates(before, before).size, 0);
    assert.equal(sessionRates(after, before).size, 0);
    assert.equal(faultRates(after, before).xrunsPerS, 0);
  });
});
