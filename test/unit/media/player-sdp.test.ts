import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { agreeOnSound } from '../../../src/media/opus-sdp.ts';
import { offerSections } from '../../../src/media/peer-offer.ts';
import { answerOfPage, answerToPlayer } from '../../../src/media/player-sdp.ts';
import { readAnswer } from '../../../src/media/sdp-answer.ts';
import { writeOffer } from '../../../src/media/sdp-offer.ts';
import { agreeOnVideo } from '../../../src/media/video-sdp.ts';

const fingerprint = Array.from({ length: 32 }, () => 'AB').join(':');

const transport = [
  'a=ice-ufrag:play',
  'a=ice-pwd:playerplayerplayerplayer',
  `a=fingerprint:sha-256 ${fingerprint}`,
  'a=setup:actpass',
];

const audio = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 109 8',
  'c=IN IP4 0.0.0.0',
  ...transport,
  'a=mid:a0',
  'a=recvonly',
  'a=rtcp-mux',
  'a=extmap:7 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=extmap:9 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'a=extmap:11 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=rtpmap:109 opus/48000/2',
  'a=fmtp:109 stereo=1;minptime=10',
  'a=rtpmap:8 PCMA/8000',
  'a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host',
];

const video = [
  'm=video 9 UDP/TLS/RTP/SAVPF 120 121',
  'c=IN IP4 0.0.0.0',
  ...transport,
  'a=mid:v0',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:120 VP8/90000',
  'a=rtcp-fb:120 nack pli',
  'a=rtpmap:121 rtx/90000',
  'a=fmtp:121 apt=120',
];

const session = ['v=0', 'o=- 5 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE a0 v0'];
const sdp = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`;

const deviceOffer = writeOffer({
  sessionId: 77n,
  transport: { usernameFragment: 'device', password: 'devicedevicedevicedevice', fingerprint },
  sections: offerSections({
    cname: 'c',
    soundSsrc: 1_001,
    microphone: microphonePresets.medium,
    video: { codec: 'vp8', ssrc: 2_001, rtxSsrc: 2_002 },
    sync: false,
  }),
});

describe("a player's offer as the answer of a page", () => {
  it('is agreed upon with the player’s payload types and extension ids', () => {
    const answer = readAnswer(answerOfPage(sdp(...session, ...audio, ...video)));
    const sound = agreeOnSound(answer.sections, '0');
    assert.equal(sound.payloadType, 109);
    assert.equal(sound.stereo, true);
    assert.deepEqual(sound.extensions, { transportSequence: 9 }, 'no mid: the names differ');
    const picture = agreeOnVideo(answer.sections, { mid: 'video', codec: 'vp8' });
    assert.ok(typeof picture === 'object');
    assert.equal(picture.payloadType, 120);
    assert.equal(picture.rtxPayloadType, 121);
    const remote = answer.transport();
    assert.equal(remote.usernameFragment, 'play');
    assert.deepEqual(remote.candidates, ['candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host']);
  });

  it('refuses microphone and data, and the picture where the player wants none', () => {
    const { sections } = readAnswer(answerOfPage(sdp(...session, ...audio)));
    assert.deepEqual(
      sections.map(({ mid, rejected }) => [mid, rejected]),
      [
        ['0', false],
        ['1', true],
        ['video', true],
        ['data', true],
      ],
    );
  });

  it('finds the transport in the session part too', () => {
    const bare = audio.filter((line) => !transport.includes(line));
    const answer = readAnswer(answerOfPage(sdp(...session, ...transport, ...bare)));
    assert.equal(answer.transport().usernameFragment, 'play');
  });

  for (const [what, offer, words] of [
    ['garbage', 'garbage', /begin with "v=0"/],
    ['nothing', '', /begin with "v=0"/],
    ['no section', sdp(...session), /no audio section/],
    ['a picture alone', sdp(...session, ...video), /no audio section/],
    [
      'a player that only sends',
      sdp(...session, ...audio.map((line) => line.replace('recvonly', 'sendonly'))),
      /no audio section/,
    ],
    ['a malformed media line', sdp(...session, 'm=audio'), /malformed/],
    ['a line that is none', sdp(...session, 'nonsense', ...audio), /of the form/],
    ['many sections', sdp(...session, ...Array.from({ length: 17 }, () => audio).flat()), /16/],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => answerOfPage(offer), { code: 'MEDIA_OFFER_INVALID', message: words });
    });
  }
});

describe("the device's offer as an answer to a player", () => {
  const candidates = ['candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host'];
  const answer = (offer: string): string[] =>
    answerToPlayer({ offer, deviceOffer, candidates }).split('\r\n');

  it('has the player’s sections in the player’s order, under its names', () => {
    const lines = answer(sdp(...session, ...video, ...audio));
    assert.deepEqual(
      lines.filter((line) => /^(m=|a=mid:|a=group:)/.test(line)),
      [
        'a=group:BUNDLE v0 a0',
        'm=video 9 UDP/TLS/RTP/SAVPF 120 121',
        'a=mid:v0',
        'm=audio 9 UDP/TLS/RTP/SAVPF 109 8',
        'a=mid:a0',
      ],
    );
  });

  it('is the passive end, sends only, and has the device’s credentials, sources and candidates', () => {
    const lines = answer(sdp(...session, ...audio, ...video));
    const count = (wanted: string): number => lines.filter((line) => line === wanted).length;
    assert.equal(count('a=setup:passive'), 2);
    assert.equal(count('a=sendonly'), 2);
    assert.equal(count('a=ice-ufrag:device'), 2);
    assert.equal(count('a=end-of-candidates'), 1);
    assert.equal(count(`a=${candidates[0]}`), 1);
    assert.ok(lines.some((line) => line.startsWith('a=ssrc:1001 cname:')));
    assert.ok(lines.includes('a=ssrc-group:FID 2001 2002'));
    assert.ok(!lines.some((line) => line.includes('ssrc-audio-level')), 'not written, not agreed');
    assert.ok(!lines.some((line) => line.startsWith('a=ice-ufrag:play')));
  });

  it('refuses further sections by their port', () => {
    const second = video.map((line) => line.replace('a=mid:v0', 'a=mid:v1'));
    const data = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:d', ...transport];
    const lines = answer(sdp(...session, ...audio, ...video, ...second, ...data));
    assert.deepEqual(
      lines.filter((line) => line.startsWith('m=')).map((line) => line.split(' ').slice(0, 2)),
      [
        ['m=audio', '9'],
        ['m=video', '9'],
        ['m=video', '0'],
        ['m=application', '0'],
      ],
    );
    assert.ok(lines.includes('a=group:BUNDLE a0 v0'));
  });

  it('puts nothing of a strange name into its own lines', () => {
    const strange = audio.map((line) => line.replace('a=mid:a0', 'a=mid:a b<script>'));
    assert.ok(answer(sdp(...session, ...strange)).includes('a=mid:0'));
  });
});
