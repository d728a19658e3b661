import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { VideoCodec } from '../../../src/ipc/video-codec.ts';
import { readAnswer } from '../../../src/media/sdp-answer.ts';
import { agreeOnVideo, offerVideo } from '../../../src/media/video-sdp.ts';
import { goodAnswer, videoAnswer } from '../../fixtures/fake-transport.ts';

function agree(section: string, codec: VideoCodec = 'vp8') {
  return agreeOnVideo(readAnswer(goodAnswer + section).sections, { mid: 'video', codec });
}

function offer(codec: VideoCodec): readonly string[] {
  const identity = { mid: 'video', ssrc: 7, rtxSsrc: 8, cname: 'c', streamId: 's', trackId: 't' };
  const { attributes, payloadTypes } = offerVideo({ ...identity, codec });
  return [payloadTypes.join(' '), ...attributes];
}

describe('the picture in the offer', () => {
  test('VP8 and its repeats, keyframes on request and feedback', () => {
    assert.deepEqual(offer('vp8').slice(0, 1), ['96 97']);
    for (const line of [
      'rtpmap:96 VP8/90000',
      'rtcp-fb:96 nack',
      'rtcp-fb:96 nack pli',
      'rtcp-fb:96 ccm fir',
      'rtcp-fb:96 transport-cc',
      'rtpmap:97 rtx/90000',
      'fmtp:97 apt=96',
      'ssrc-group:FID 7 8',
      'ssrc:7 cname:c',
      'ssrc:8 cname:c',
      'msid:s t',
      'extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    ]) {
      assert.ok(offer('vp8').includes(line), line);
    }
    assert.ok(!offer('vp8').some((line) => line.startsWith('fmtp:96')));
  });

  test('H.264 is constrained baseline in fragments', () => {
    assert.equal(offer('h264')[0], '98 99');
    assert.ok(offer('h264').includes('rtpmap:98 H264/90000'));
    assert.ok(offer('h264').includes('fmtp:99 apt=98'));
    const format = offer('h264').find((line) => line.startsWith('fmtp:98 ')) ?? '';
    assert.match(format, /packetization-mode=1;profile-level-id=42e01f/);
  });
});

describe('the picture in the answer', () => {
  test('is agreed on with its repeats and extensions', () => {
    assert.deepEqual(agree(videoAnswer('vp8')), {
      codec: 'vp8',
      payloadType: 96,
      rtxPayloadType: 97,
      extensions: { mid: 1, transportSequence: 2, absCaptureTime: 3 },
    });
    const h264 = agree(videoAnswer('h264'), 'h264');
    assert.ok(typeof h264 === 'object');
    assert.deepEqual([h264.payloadType, h264.rtxPayloadType], [98, 99]);
  });

  test('repeats of another payload type are none of ours', () => {
    for (const section of [
      videoAnswer('vp8').replace('apt=96', 'apt=100'),
      videoAnswer('vp8').replace('rtx/90000', 'red/90000'),
    ]) {
      const agreement = agree(section);
      assert.ok(typeof agreement === 'object');
      assert.equal(agreement.rtxPayloadType, undefined);
    }
  });

  test('a browser that cannot decode it, or refuses it, is a reason and no error', () => {
    const refused = 'm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:video\r\na=inactive\r\n';
    const reasons: readonly (readonly [string, VideoCodec, RegExp])[] = [
      [refused, 'vp8', /^The browser cannot decode VP8, .*the sound goes on\.$/],
      [refused, 'h264', /^The browser cannot decode H\.264, /],
      [videoAnswer('vp8'), 'h264', /^The browser cannot decode H\.264, /],
      [
        videoAnswer('h264').replace('packetization-mode=1', 'packetization-mode=0'),
        'h264',
        /^The browser cannot decode H\.264, /,
      ],
      [videoAnswer('vp8').replace('recvonly', 'inactive'), 'vp8', /"inactive"; it must be/],
      ['', 'vp8', /answered nothing about the picture/],
      [videoAnswer('vp8').replace('m=video', 'm=audio'), 'vp8', /answered nothing/],
    ];
    for (const [section, codec, expected] of reasons) {
      const reason = agree(section, codec);
      assert.ok(typeof reason === 'string');
      assert.match(reason, expected);
    }
  });

  test('any damage to an answer is an agreement or a reason', () => {
    const lines = videoAnswer('vp8').split('\r\n');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: lines.length - 1 }), fc.stringMatching(/^[ -~]*$/)), {
          maxLength: 4,
        }),
        (changes) => {
          const copy = [...lines];
          for (const [at, text] of changes) copy[at] = `a=${copy[at]?.slice(2, 8)}${text}`;
          const result = agree(copy.join('\r\n'));
          assert.ok(typeof result === 'string' ? result.length > 0 : result.payloadType < 128);
        },
      ),
      { numRuns: 500 },
    );
  });
});
