import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerSdpError, soundAnswer } from '../../../src/web/answer-sdp.ts';

function answer(...audio: readonly string[]): string {
  return ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', ...audio, ''].join('\r\n');
}

const section = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=recvonly',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
];

const nack = 'a=rtcp-fb:111 nack';

test('adds stereo to the Opus parameters, asks for lost packets, and nothing else', () => {
  const before = answer(...section);
  const expected = before
    .replace('useinbandfec=1', 'useinbandfec=1;stereo=1')
    .replace('opus/48000/2', `opus/48000/2\r\n${nack}`);
  assert.equal(soundAnswer(before), expected);
});

test('asks for lost packets once, where the browser does already', () => {
  const result = soundAnswer(answer(...section, nack));
  assert.equal(result.split(nack).length, 2);
});

test('writes the parameters where there are none', () => {
  const bare = section.filter((line) => !line.startsWith('a=fmtp:111'));
  assert.match(
    soundAnswer(answer(...bare)),
    /a=rtpmap:111 opus\/48000\/2\r\na=rtcp-fb:111 nack\r\na=fmtp:111 stereo=1\r\n/,
  );
});

test('replaces stereo=0 and changes nothing the second time', () => {
  const mono = section.map((line) => line.replace('useinbandfec=1', 'stereo=0; useinbandfec=1'));
  const once = soundAnswer(answer(...mono));
  assert.match(once, /a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n/);
  assert.equal(soundAnswer(once), once);
});

test('leaves a section alone that receives nothing, such as the unused microphone', () => {
  const microphone = section.map((line) => line.replace('recvonly', 'inactive'));
  const result = soundAnswer(answer(...section, ...microphone));
  assert.equal(result.match(/stereo=1/g)?.length, 1);
  assert.throws(() => soundAnswer(answer(...microphone)), AnswerSdpError);
});

test('says so when Opus was not accepted', () => {
  const pcmu = ['m=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=recvonly', 'a=rtpmap:0 PCMU/8000'];
  assert.throws(() => soundAnswer(answer(...pcmu)), /cannot receive Opus/);
});

test('refuses what is no SDP, and never anything but with its own error', () => {
  assert.throws(() => soundAnswer(''), /not SDP/);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom(...section)), { maxLength: 20 }),
      (lines) => {
        const text = answer(...lines);
        try {
          assert.match(soundAnswer(text), /stereo=1/);
        } catch (error) {
          if (!(error instanceof AnswerSdpError)) throw error;
        }
      },
    ),
  );
});

const video = [
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'c=IN IP4 0.0.0.0',
  'a=mid:video',
  'a=recvonly',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack',
  'a=rtcp-fb:96 nack pli',
  'a=rtcp-fb:96 ccm fir',
  'a=rtcp-fb:96 transport-cc',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
];

test('a section of the picture is passed as the browser wrote it, wherever it stands', () => {
  for (const sections of [
    [section, video],
    [video, section],
  ]) {
    const before = answer(...sections.flat());
    const after = soundAnswer(before);
    assert.ok(after.includes(video.join('\r\n')), after);
    assert.equal(after.split('\r\n').length, before.split('\r\n').length + 1);
    assert.match(after, /useinbandfec=1;stereo=1/);
  }
  assert.throws(() => soundAnswer(answer(...video)), AnswerSdpError);
});
