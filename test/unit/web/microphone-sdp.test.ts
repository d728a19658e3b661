import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { microphonePresets } from '../../../src/audio/presets.ts';
import { offerWithMicrophone } from '../../../src/web/microphone-sdp.ts';

const head = ['v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0'];
const sound = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=sendonly',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1',
];
const microphone = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:1',
  'a=recvonly',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
];

function offer(...lines: readonly string[]): string {
  return [...head, ...lines, ''].join('\r\n');
}

test('writes the settings into the section of the microphone and into no other', () => {
  const result = offerWithMicrophone(offer(...sound, ...microphone), microphonePresets.low);
  const [session = '', first = '', second = ''] = result.split(/(?=m=)/);
  assert.equal(first, `${sound.join('\r\n')}\r\n`);
  assert.match(
    second,
    /a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=16000\r\n/,
  );
  assert.match(second, /a=ptime:40\r\n/);
  assert.match(session, /^o=- 4611731400430051336 3 IN/m);
});

test('writes them where there were none', () => {
  const bare = microphone.filter((line) => !line.startsWith('a=fmtp'));
  const result = offerWithMicrophone(offer(...sound, ...bare), microphonePresets.ultra);
  assert.match(result, /a=fmtp:111 useinbandfec=1;usedtx=0;stereo=1;maxaveragebitrate=96000\r\n/);
});

test('is the same string, version and all, where nothing changes', () => {
  const once = offerWithMicrophone(offer(...sound, ...microphone), microphonePresets.high);
  assert.equal(offerWithMicrophone(once, microphonePresets.high), once);
  const other = offerWithMicrophone(once, microphonePresets.medium);
  assert.notEqual(other, once);
  assert.match(other, /^o=- 4611731400430051336 4 IN/m);
  assert.equal(other.match(/a=ptime/g)?.length, 1);
});

test('a shorter frame than Chromium sends is asked for as the shortest it does', () => {
  const settings = { ...microphonePresets.high, frameMs: 2.5 } as const;
  const result = offerWithMicrophone(offer(...sound, ...microphone), settings);
  assert.match(result, /a=ptime:10\r\n/);
});

test('an offer without a microphone, or no offer at all, stays as it is', () => {
  const text = offer(...sound);
  assert.equal(offerWithMicrophone(text, microphonePresets.high), text);
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...sound))), (lines) => {
      const garbage = lines.filter((line) => line !== 'a=mid:1').join('\r\n');
      assert.equal(offerWithMicrophone(garbage, microphonePresets.low), garbage);
    }),
  );
});
