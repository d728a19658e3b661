import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../../src/log/log.ts';
import { AvCoordinator } from '../../../src/media/av-coordinator.ts';
import type { EncodedAudioFrame, EncodedVideoFrame } from '../../../src/media/media-types.ts';
import type { DeviceMessage } from '../../../src/media/signaling-messages.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

interface Lab {
  readonly coordinator: AvCoordinator;
  readonly sounds: EncodedAudioFrame[];
  readonly pictures: EncodedVideoFrame[];
  readonly told: [string, DeviceMessage][];
  readonly delays: number[];
  readonly keyframes: () => number;
  readonly at: (ms: number) => void;
}

function lab(sessions: readonly string[] = ['s1']): Lab {
  const sounds: EncodedAudioFrame[] = [];
  const pictures: EncodedVideoFrame[] = [];
  const told: [string, DeviceMessage][] = [];
  const delays: number[] = [];
  let keyframes = 0;
  let nowMs = 0;
  const coordinator = new AvCoordinator({
    viewers: {
      publishAudio: (frame) => sounds.push(frame),
      publishVideo: (frame) => pictures.push(frame),
      requestKeyframe: () => {
        keyframes += 1;
      },
      sessionIds: () => sessions,
      videoRtpTime: (session, ns) => (session === 's1' ? Number(ns / 1_000_000n) * 90 : undefined),
      tell: (session, message) => told.push([session, message]),
    },
    encoders: {
      encodeSound: async (pcm) =>
        Array.from({ length: pcm.length / 1_920 }, () => ({
          payload: Buffer.from([0xfc, 1, 2]),
          samples: 960,
        })),
      encodePictures: async (raw) =>
        raw.map((_, n) => ({
          codec: 'vp8' as const,
          payload: Buffer.from([n]),
          keyframe: n === 0,
        })),
    },
    setAudioDelay: (ms) => delays.push(ms),
    log: silentLog,
    nowMs: () => nowMs,
    unixMs: () => 1_700_000_000_000,
  });
  return {
    coordinator,
    sounds,
    pictures,
    told,
    delays,
    keyframes: () => keyframes,
    at: (ms) => {
      nowMs = ms;
    },
  };
}

function picture(ms: number): EncodedVideoFrame {
  return {
    codec: 'vp8',
    payload: Buffer.from([9]),
    keyframe: false,
    captureTimeNs: BigInt(ms) * 1_000_000n,
    discontinuity: false,
  };
}

function soundAt(ms: number): EncodedAudioFrame {
  return {
    payload: Buffer.from([0xfc, 9, 9]),
    samples: 960,
    captureTimeNs: BigInt(ms) * 1_000_000n,
    discontinuity: false,
  };
}

const late = {
  type: 'av_sync_feedback',
  kind: 'video_late_audio_leads',
  epoch: 1,
  segment: 1,
  delta_ms: 300,
  excess_ms: 200,
  lane: 'track',
} as const;

describe('sound and picture together', () => {
  it('sends the live streams on, and tells each viewer of every segment as it sees it', () => {
    const { coordinator, sounds, pictures, told } = lab(['s1', 's2']);
    for (let ms = 0; ms < 4_100; ms += 100) {
      coordinator.livePicture(picture(ms));
      coordinator.liveSound(soundAt(ms));
    }
    assert.equal(pictures.length, 41);
    assert.equal(sounds.length, 41);
    const diagnostics = told.map(([session, message]) => {
      assert.ok(message.type === 'av_segment_diagnostic');
      return [session, message.segment, message.video_rtp];
    });
    assert.deepEqual(diagnostics, [
      ['s1', 1, 0],
      ['s2', 1, -1],
      ['s1', 2, 180_000],
      ['s2', 2, -1],
      ['s1', 3, 360_000],
      ['s2', 3, -1],
    ]);
  });

  it('REFERENCE 1b: moves the sound 160 ms a segment towards what the viewer asks for', () => {
    const { coordinator, delays, at } = lab();
    coordinator.livePicture(picture(0));
    coordinator.receive('s1', late);
    for (const ms of [2_000, 4_000]) {
      at(ms - 1);
      coordinator.livePicture(picture(ms));
    }
    assert.deepEqual(delays, [160, 300]);
    assert.equal(coordinator.status().audioDelayMs, 300);
  });

  it('REFERENCE 1b: takes feedback once a second at most', () => {
    const { coordinator, at } = lab();
    coordinator.livePicture(picture(0));
    coordinator.receive('s1', late);
    at(500);
    coordinator.receive('s1', { ...late, delta_ms: 700 });
    assert.equal(coordinator.status().targetMs, 300);
    at(1_000);
    coordinator.receive('s1', { ...late, delta_ms: 700 });
    assert.equal(coordinator.status().targetMs, 700);
  });

  it('REFERENCE 1b: another epoch sets the delay back, and old feedback is ignored', () => {
    const { coordinator, delays, told, at } = lab();
    coordinator.livePicture(picture(0));
    coordinator.receive('s1', late);
    coordinator.livePicture(picture(2_000));
    assert.deepEqual(delays, [160]);
    coordinator.changeEpoch();
    coordinator.livePicture(picture(2_040));
    assert.deepEqual(delays, [160, 0]);
    at(5_000);
    coordinator.receive('s1', late);
    assert.equal(coordinator.status().targetMs, 0);
    const last = told.at(-1)?.[1];
    assert.ok(last?.type === 'av_segment_diagnostic');
    assert.deepEqual([last.epoch, last.segment, last.audio_delay_ms], [2, 1, 0]);
  });

  it('calibrates on demand: clips take the place of the live streams, who asked is told of each marker', async () => {
    const { coordinator, told, pictures, keyframes } = lab(['s1', 's2']);
    coordinator.receive('s1', { type: 'av_calibration_config', enabled: true });
    const markers = () => told.filter(([, { type }]) => type === 'av_calibration_marker');
    await waitFor('a marker', () => markers().length > 0);
    assert.deepEqual(markers()[0], ['s1', { type: 'av_calibration_marker', marker: 1 }]);
    const before = pictures.length;
    coordinator.livePicture(picture(1));
    coordinator.liveSound(soundAt(1));
    assert.equal(pictures.length, before, 'the live picture gave way');
    assert.equal(coordinator.status().displaced, 2);
    assert.equal(coordinator.status().calibrating, true);
    const result = { type: 'av_calibration_result', offset_ms: 12.5, lane: 'fast' } as const;
    coordinator.receive('s1', { ...result, marker: 1 });
    coordinator.receive('s1', { ...result, marker: 7_000 });
    assert.deepEqual(coordinator.status().viewers, [
      {
        session: 's1',
        results: [{ marker: 1, offsetMs: 12.5, lane: 'fast', unixMs: 1_700_000_000_000 }],
      },
    ]);
    coordinator.receive('s1', { type: 'av_calibration_config', enabled: false });
    await waitFor('its end', () => !coordinator.status().calibrating);
    await waitFor('the live streams', () => keyframes() > 0);
    await coordinator.stop();
    coordinator.livePicture({ ...picture(0), captureTimeNs: process.hrtime.bigint() });
    assert.equal(pictures.at(-1)?.payload[0], 9, 'the live picture is back');
  });

  it('sends nothing live that was captured before the clip ended: time does not go back', async () => {
    const { coordinator, sounds, pictures, keyframes } = lab();
    coordinator.receive('s1', { type: 'av_calibration_config', enabled: true });
    await waitFor('a clip', () => pictures.length > 0);
    coordinator.receive('s1', { type: 'av_calibration_config', enabled: false });
    await waitFor('the live streams', () => keyframes() > 0 && !coordinator.status().calibrating);
    const sound = sounds.at(-1);
    const shown = pictures.at(-1);
    assert.ok(sound !== undefined && shown !== undefined);
    const endNs = sound.captureTimeNs + 20_000_000n;
    const before = [sounds.length, pictures.length];
    coordinator.liveSound({ ...soundAt(0), captureTimeNs: endNs - 1n });
    coordinator.livePicture({ ...picture(0), captureTimeNs: shown.captureTimeNs });
    assert.deepEqual([sounds.length, pictures.length], before);
    coordinator.liveSound({ ...soundAt(0), captureTimeNs: endNs });
    coordinator.livePicture({ ...picture(0), captureTimeNs: shown.captureTimeNs + 1n });
    assert.deepEqual(
      [sounds.length, pictures.length],
      before.map((count) => count + 1),
    );
    await coordinator.stop();
  });

  it('dates clips back by what the live streams take, and lets the chirp follow as the sound does', async () => {
    const { coordinator, sounds, pictures } = lab();
    const [soundLagNs, pictureLagNs] = [300_000_000n, 100_000_000n];
    for (let n = 0; n < 5; n += 1) {
      const nowNs = process.hrtime.bigint();
      coordinator.liveSound({ ...soundAt(0), captureTimeNs: nowNs - soundLagNs });
      coordinator.livePicture({ ...picture(0), captureTimeNs: nowNs - pictureLagNs });
    }
    const [live, shown] = [sounds.length, pictures.length];
    coordinator.receive('s1', { type: 'av_calibration_config', enabled: true });
    await waitFor('a clip', () => sounds.length > live && pictures.length > shown);
    const lateNs = (frame: { captureTimeNs: bigint } | undefined): bigint =>
      process.hrtime.bigint() - (frame?.captureTimeNs ?? 0n);
    assert.ok(lateNs(sounds.at(-1)) >= soundLagNs);
    assert.ok(lateNs(pictures.at(-1)) >= pictureLagNs);
    const difference = lateNs(sounds[live]) - lateNs(pictures[shown]);
    assert.ok(difference > 190_000_000n && difference < 210_000_000n, `${difference}`);
    coordinator.receive('s1', { type: 'av_calibration_config', enabled: false });
    await coordinator.stop();
  });

  it('forgets a viewer that left', () => {
    const { coordinator } = lab();
    coordinator.livePicture(picture(0));
    coordinator.receive('s1', late);
    coordinator.sessionClosed('s1');
    assert.equal(coordinator.status().targetMs, 0);
  });
});
