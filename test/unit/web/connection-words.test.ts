import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesOf, describeUnreachable } from '../../../src/web/connection-words.ts';

const host = 'candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host generation 0';
const mdns = 'candidate:1 1 udp 2113937151 5f1c8a2e.local 50000 typ host';
const tcp = 'candidate:2 1 TCP 1518280447 192.0.2.9 9 typ host tcptype passive';
const srflx = 'candidate:3 1 udp 1677729535 203.0.113.5 61000 typ srflx raddr 0.0.0.0 rport 0';
const relay = 'candidate:4 1 udp 33562367 203.0.113.9 62000 typ relay raddr 0.0.0.0 rport 0';

test('what was tried on both sides is said, and that UDP is blocked with no relay configured', () => {
  assert.equal(
    describeUnreachable({ own: [mdns, srflx], theirs: [host], isRelayConfigured: false }),
    'No network path to the device was found. Tried: this browser by its own address (UDP) and its public address (UDP), the device by its own address (UDP). UDP is blocked between here and there. No relay is configured on the device.',
  );
});

test('where TCP was tried too, both are named', () => {
  const words = describeUnreachable({ own: [host], theirs: [host, tcp], isRelayConfigured: false });
  assert.match(words, /the device by its own address \(UDP, TCP\)\. Neither UDP nor TCP passes/);
});

test('a relay that did not answer is told from one that did not help', () => {
  const words = (own: readonly string[]) =>
    describeUnreachable({ own, theirs: [host], isRelayConfigured: true });
  assert.match(words([host]), /The relay did not answer\.$/);
  assert.match(words([host, relay]), /and a relay \(UDP\).* The relay did not help\.$/);
});

test('a side without any address is named; garbage is no address', () => {
  const words = (own: readonly string[], theirs: readonly string[]) =>
    describeUnreachable({ own, theirs, isRelayConfigured: false });
  assert.match(words([host], []), /The device offered no address/);
  assert.match(words([], [host]), /This browser offered no address of its own/);
  assert.match(words([host], ['', 'candidate:', 'typ host', `x${host}`]), /The device offered no/);
});

test('candidates of a description are found in it', () => {
  const sdp = `v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=${host}\r\na=mid:0\r\na=${tcp}\r\n`;
  assert.deepEqual(candidatesOf(sdp), [host, tcp]);
  assert.deepEqual(candidatesOf('v=0\r\n'), []);
});
