import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { isEarshotError } from '../../../src/errors/earshot-error.ts';
import {
  agreeOnMicrophone,
  agreeOnSound,
  offerMicrophone,
  offerSound,
} from '../../../src/media/opus-sdp.ts';
import { type Answer, readAnswer } from '../../../src/media/sdp-answer.ts';
import { writeOffer } from '../../../src/media/sdp-offer.ts';

const fingerprint = Array.from({ length: 32 }, () => 'AB').join(':');

/** Chromium's answer to our offer, shortened to what matters. */
const answer = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=candidate:1 1 udp 2113937151 192.0.2.5 50000 typ host',
  'a=ice-ufrag:unKV',
  'a=ice-pwd:vQggJa0hpxIKfPfKZEbUu9rg',
  `a=fingerprint:sha-256 ${fingerprint}`,
  'a=setup:active',
  'a=mid:0',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=extmap:3/recvonly http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 stereo=1;minptime=10;useinbandfec=1;maxptime=60',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:1',
  'a=inactive',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

function refusal(sdp: string): string {
  try {
    const { sections, transport } = readAnswer(sdp);
    agreeOnSound(sections, '0');
    transport();
  } catch (error) {
    if (isEarshotError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return '';
}

describe('the offer', () => {
  const sdp = writeOffer({
    sessionId: 42n,
    transport: { usernameFragment: 'abcd', password: 'x'.repeat(24), fingerprint },
    sections: [
      offerSound({ mid: '0', ssrc: 7, cname: 'c', streamId: 'earshot-sound', trackId: 'host' }),
      offerMicrophone({ mid: '1', settings: microphonePresets.low }),
    ],
  });

  test('offers stereo Opus with in-band FEC, retransmission and capture times', () => {
    assert.match(sdp, /^v=0\r\n/);
    assert.match(sdp, /a=rtpmap:111 opus\/48000\/2\r\n/);
    assert.match(
      sdp,
      /a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxplaybackrate=48000\r\n/,
    );
    for (const line of ['rtcp-fb:111 nack', 'rtcp-fb:111 transport-cc', 'ssrc:7 cname:c']) {
      assert.ok(sdp.includes(`a=${line}\r\n`), line);
    }
    assert.match(sdp, /a=extmap:3 \S+abs-capture-time\r\n/);
  });

  test('the sound is sent and the microphone received, each in its own section of one bundle', () => {
    const [, sound = '', microphone = ''] = sdp.split('m=audio');
    assert.match(sound, /a=mid:0\r\na=sendonly/);
    assert.match(sound, /a=msid:earshot-sound host/);
    assert.match(microphone, /a=mid:1\r\na=recvonly/);
    assert.doesNotMatch(microphone, /msid/);
    assert.match(sdp, /a=group:BUNDLE 0 1\r\n/);
  });

  test('the microphone is asked for as its settings say', () => {
    const [, , low = ''] = sdp.split('m=audio');
    assert.match(
      low,
      /a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=16000\r\na=ptime:40\r\na=maxptime:120\r\n/,
    );
    const { attributes } = offerMicrophone({
      mid: '1',
      settings: { ...microphonePresets.ultra, fec: false, frameMs: 2.5 },
    });
    assert.deepEqual(attributes.slice(-3), [
      'fmtp:111 minptime=10;useinbandfec=0;usedtx=0;stereo=1;maxaveragebitrate=96000',
      'ptime:3',
      'maxptime:60',
    ]);
  });

  test('every line ends in CRLF and none has a stray one', () => {
    assert.ok(sdp.endsWith('\r\n'));
    for (const line of sdp.slice(0, -2).split('\r\n')) assert.match(line, /^[a-z]=[^\r\n]+$/);
  });
});

describe('an offer with data channels', () => {
  const sdp = writeOffer({
    sessionId: 42n,
    transport: { usernameFragment: 'abcd', password: 'p'.repeat(24), fingerprint },
    sections: [
      offerMicrophone({ mid: '1', settings: microphonePresets.medium }),
      { kind: 'application', mid: 'data' },
    ],
  });

  test('has them in the same bundle, as SCTP over DTLS (RFC 8841)', () => {
    assert.match(sdp, /^a=group:BUNDLE 1 data\r$/m);
    const [, , section = ''] = sdp.split(/^(?=m=)/m);
    assert.deepEqual(section.split('\r\n'), [
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'c=IN IP4 0.0.0.0',
      'a=ice-ufrag:abcd',
      `a=ice-pwd:${'p'.repeat(24)}`,
      'a=ice-options:trickle',
      `a=fingerprint:sha-256 ${fingerprint}`,
      'a=setup:actpass',
      'a=mid:data',
      'a=sctp-port:5000',
      'a=max-message-size:4096',
      '',
    ]);
  });

  test('may be answered without, or with them refused', () => {
    for (const port of [0, 9]) {
      const data = `m=application ${port} UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n`;
      const { sections, transport } = readAnswer(answer + data);
      assert.equal(sections[2]?.kind, 'application');
      assert.equal(sections[2]?.rejected, port === 0);
      assert.equal(transport().usernameFragment, 'unKV');
    }
  });
});

describe('the answer', () => {
  test('gives the transport, and what was agreed for the sound', () => {
    const { transport, sections }: Answer = readAnswer(answer);
    assert.deepEqual(transport(), {
      usernameFragment: 'unKV',
      password: 'vQggJa0hpxIKfPfKZEbUu9rg',
      fingerprints: [{ algorithm: 'sha-256', value: fingerprint }],
      candidates: ['candidate:1 1 udp 2113937151 192.0.2.5 50000 typ host'],
    });
    assert.deepEqual(agreeOnSound(sections, '0'), {
      payloadType: 111,
      extensions: { mid: 1, absCaptureTime: 3 },
      nack: false,
      stereo: true,
      maxPtimeMs: 60,
    });
  });

  test('says what comes as the microphone, or that nothing does', () => {
    const microphone = (section: string) =>
      agreeOnMicrophone(readAnswer(answer.replace('a=mid:1\r\na=inactive', section)).sections, '1');
    assert.equal(microphone('a=mid:1\r\na=inactive'), undefined);
    assert.equal(microphone('a=mid:1\r\na=recvonly'), undefined);
    assert.equal(microphone('a=mid:2\r\na=sendonly'), undefined);
    assert.deepEqual(microphone('a=mid:1\r\na=sendonly'), {
      payloadType: 111,
      ssrcs: [],
      midExtension: undefined,
    });
    const lines = [
      'a=mid:1',
      'a=sendonly',
      'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
      'a=ssrc:77 cname:x',
      'a=ssrc:77 msid:- y',
      'a=ssrc:4294967296 cname:x',
      'a=ssrc:nonsense',
      'a=ssrc:4294967295 cname:x',
    ];
    assert.deepEqual(microphone(lines.join('\r\n')), {
      payloadType: 111,
      ssrcs: [77, 4_294_967_295],
      midExtension: 4,
    });
    const many = Array.from({ length: 100 }, (_, index) => `a=ssrc:${index} cname:x`);
    assert.equal(microphone(`a=mid:1\r\n${many.join('\r\n')}`)?.ssrcs.length, 8);
    const rejected = answer.replace(
      'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1',
      'm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:1',
    );
    assert.equal(agreeOnMicrophone(readAnswer(rejected).sections, '1'), undefined);
  });

  test('another payload number and LF line ends do as well', () => {
    const other = answer.replaceAll('111', '109').replaceAll('\r\n', '\n');
    assert.equal(agreeOnSound(readAnswer(other).sections, '0').payloadType, 109);
  });

  test('garbage is refused, each time with what is wrong', () => {
    for (const [sdp, sentence] of [
      ['hello', /does not begin with "v=0"/],
      ['v=0\r\n', /no media section/],
      ['v=0\r\nnonsense\r\n', /not of the form/],
      ['v=0\r\nm=audio\r\n', /malformed media line/],
      [answer.replace('a=ice-ufrag:unKV', 'a=ice-ufrag:x'), /ice-ufrag/],
      [answer.replace('a=ice-pwd:vQggJa0hpxIKfPfKZEbUu9rg', ''), /ice-pwd/],
      [answer.replace('sha-256', 'sha-1'), /fingerprint/],
      [answer.replace('AB:AB', 'AB:XY'), /fingerprint/],
      [answer.replace('setup:active', 'setup:passive'), /setup:active/],
      [answer.replace('a=recvonly', 'a=inactive'), /must be "recvonly"/],
      [answer.replace('a=mid:0', 'a=mid:7'), /a=mid:0/],
      [`v=0\r\n${'a=x\r\n'.repeat(1_001)}`, /more than 1000 lines/],
      [`v=0\r\n${'m=audio 9 A/B 1\r\n'.repeat(17)}`, /more than 16 sections/],
    ] as const) {
      const text = refusal(sdp);
      assert.match(text, /^MEDIA_ANSWER_INVALID: /);
      assert.match(text, sentence);
    }
  });

  test('no Opus is said in a sentence', () => {
    const rejected = answer.replace(
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'm=audio 0 UDP/TLS/RTP/SAVPF 0',
    );
    const bare = 'v=0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n';
    for (const sdp of [bare, rejected, answer.replace('opus/48000/2', 'PCMU/8000')]) {
      assert.match(refusal(sdp), /^MEDIA_NO_OPUS: The viewer accepts no Opus/);
    }
  });

  test('any text, and any damage to a real answer, is read or refused by code', () => {
    const lines = answer.split('\r\n');
    const damaged = fc
      .array(fc.tuple(fc.nat({ max: lines.length - 1 }), fc.string()), { maxLength: 4 })
      .map((changes) => {
        const copy = [...lines];
        for (const [at, text] of changes) copy[at] = `${copy[at]?.slice(0, 4)}${text}`;
        return copy.join('\r\n');
      });
    fc.assert(
      fc.property(fc.oneof(fc.string(), damaged), (sdp) => {
        assert.match(refusal(sdp), /^$|^MEDIA_(ANSWER_INVALID|NO_OPUS): /);
      }),
      { numRuns: 1_000 },
    );
  });
});
