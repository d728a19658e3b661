import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConnectionAttempt, describeTrouble } from '../../../src/media/connection-trouble.ts';

const nothing: ConnectionAttempt = {
  localTypes: ['host', 'host tcp'],
  remoteTypes: ['host', 'name', 'host'],
  checksReceived: { udp: 0, tcp: 0, relay: 0 },
  answersReceived: 0,
  pairFound: false,
  dtls: 'not begun',
  serverTroubles: [],
  udpPort: 41_234,
  tcpPort: 41_234,
};

describe('the reason why no connection was made', () => {
  const cases: readonly [string, Partial<ConnectionAttempt>, string][] = [
    [
      'nothing arrived',
      {},
      "None of the viewer's checks reached UDP port 41234 or TCP port 41234; a firewall may block both, or the two are in networks that do not reach each other (a TURN server in media.iceServers relays between such). The viewer offered 2 × host, name, the device host, host tcp.",
    ],
    [
      'nothing arrived, without TCP',
      { tcpPort: 0, localTypes: ['host'] },
      "None of the viewer's checks reached UDP port 41234; a firewall may block UDP, or the two are in networks that do not reach each other (a TURN server in media.iceServers relays between such). The viewer offered 2 × host, name, the device host.",
    ],
    [
      'nothing arrived through a relay either',
      { tcpPort: 0, localTypes: ['host', 'relay'], remoteTypes: ['relay'] },
      "None of the viewer's checks reached UDP port 41234 or the device's relay; a firewall may block UDP, and the relay does not reach the device. The viewer offered relay, the device host, relay.",
    ],
    [
      'the viewer has no network',
      { remoteTypes: [], tcpPort: 0, localTypes: ['host'] },
      "None of the viewer's checks reached UDP port 41234; the viewer found no address of its own to check from. The viewer offered no candidates, the device host.",
    ],
    [
      'the way back is closed',
      { checksReceived: { udp: 3, tcp: 0, relay: 0 } },
      "The viewer's checks reached the device, but no answer came to the device's own; a firewall or NAT may drop what the device sends.",
    ],
    [
      'no pair was nominated',
      { checksReceived: { udp: 3, tcp: 0, relay: 0 }, answersReceived: 2 },
      'Checks passed both ways between the viewer and the device, but no path was agreed on in time.',
    ],
    [
      'no DTLS',
      { pairFound: true },
      'A network path to the viewer was found, but it did not begin the secure connection (DTLS).',
    ],
    [
      'half a DTLS handshake',
      { pairFound: true, dtls: 'begun' },
      'A network path to the viewer was found, but the secure connection (DTLS) was not finished in time; packets may be lost on the way.',
    ],
    [
      'no address at all, and a server that refused',
      { localTypes: [], serverTroubles: ['The TURN server turn:a did not answer.'] },
      'The device has no address to offer the viewer: it has no network, or media.addresses names none of its own. The TURN server turn:a did not answer.',
    ],
  ];
  for (const [name, known, text] of cases) {
    test(name, () => assert.equal(describeTrouble({ ...nothing, ...known }), text));
  }
});
