import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attributeValues, hasAttribute, readSections } from '../../../src/media/sdp-sections.ts';

const head = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=group:BUNDLE 0\r\n';

describe('the sections of a description', () => {
  it('are its media lines with the attributes after each, and the session before', () => {
    const sdp = `${head}m=audio 9 UDP/TLS/RTP/SAVPF 111 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\nm=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=inactive\r\n`;
    assert.deepEqual(readSections(sdp, 'offer'), {
      session: ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 'a=group:BUNDLE 0'],
      sections: [
        { kind: 'audio', port: 9, formats: ['111', '8'], attributes: ['a=mid:0'] },
        {
          kind: 'application',
          port: 0,
          formats: ['webrtc-datachannel'],
          attributes: ['a=inactive'],
        },
      ],
    });
    assert.deepEqual(
      readSections(sdp.replaceAll('\r\n', '\n'), 'answer'),
      readSections(sdp, 'answer'),
    );
  });

  for (const [what, sdp, words] of [
    ['another beginning', 'hello', 'does not begin with "v=0".'],
    ['more than 1,000 lines', `v=0\n${'a=x\n'.repeat(1_000)}`, 'has more than 1000 lines.'],
    ['a line that is none', 'v=0\nnonsense', 'has a line that is not of the form "x=…".'],
    ['a long line', `v=0\na=${'x'.repeat(4_095)}`, 'has a line that is not of the form "x=…".'],
    ['a port of letters', 'v=0\nm=audio x A/B', 'has a malformed media line: "m=audio x A/B".'],
    ['no port', 'v=0\nm=audio', 'has a malformed media line: "m=audio".'],
    ['no protocol', 'v=0\nm=audio 9', 'has a media line that names no protocol: "m=audio 9".'],
    [
      'more than 16 sections',
      `v=0\n${'m=audio 9 A/B 1\n'.repeat(17)}`,
      'has more than 16 sections.',
    ],
  ] as const) {
    it(`are refused for ${what}, as the offer or the answer that it is`, () => {
      for (const [kind, code] of [
        ['offer', 'MEDIA_OFFER_INVALID'],
        ['answer', 'MEDIA_ANSWER_INVALID'],
      ] as const) {
        assert.throws(() => readSections(sdp, kind), {
          code,
          message: `The SDP ${kind} ${words}`,
        });
      }
    });
  }

  it('may be as many and as long as that', () => {
    const sdp = `v=0\n${'m=audio 9 A/B 1\n'.repeat(16)}a=${'x'.repeat(4_094)}\n${'a=x\n'.repeat(982)}`;
    assert.equal(readSections(sdp, 'answer').sections.length, 16);
  });
});

describe('attributes', () => {
  const lines = ['a=mid:0', 'a=midnight:1', 'a=rtcp-mux', 'a=ssrc:1 a ', 'a=ssrc:2 b', 'b=ssrc:3'];

  it('are found by their whole name, each time they stand there', () => {
    assert.deepEqual(attributeValues(lines, 'mid'), ['0']);
    assert.deepEqual(attributeValues(lines, 'ssrc'), ['1 a', '2 b']);
    assert.deepEqual(attributeValues(lines, 'rtcp-mux'), ['']);
    assert.deepEqual(attributeValues(lines, 'rtcp'), []);
  });

  it('are there or not', () => {
    assert.ok(hasAttribute(lines, 'rtcp-mux'));
    assert.ok(hasAttribute(lines, 'mid'));
    assert.ok(!hasAttribute(lines, 'sendonly'));
  });
});
