import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fragmentOf, mdnsNameOf, readCandidate } from '../../../src/media/ice-candidate.ts';

describe('readCandidate', () => {
  test('reads candidates as browsers write them', () => {
    assert.deepEqual(
      readCandidate(
        'candidate:842163049 1 udp 1677729535 192.0.2.5 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag unKV network-cost 999',
      ),
      {
        foundation: '842163049',
        priority: 1_677_729_535,
        address: '192.0.2.5',
        port: 46_154,
        type: 'srflx',
      },
    );
    assert.equal(readCandidate('candidate:0 1 UDP 2122252543 fd00::9 5 typ host')?.type, 'host');
  });

  test('leaves what cannot be tried', () => {
    for (const line of [
      '',
      'candidate:1 1 udp 1 9b8a1b0e-0000-4000-8000-000000000000.local 5 typ host',
      'candidate:1 1 udp 1 internal.example 5 typ host',
      'candidate:1 1 udp 1 fe80::1 5 typ host',
      'candidate:1 1 tcp 1 192.0.2.5 9 typ host tcptype active',
      'candidate:1 2 udp 1 192.0.2.5 5 typ host',
      'candidate:1 1 udp 1 192.0.2.5 0 typ host',
      'candidate:1 1 udp 1 192.0.2.5 70000 typ host',
      'candidate:1 1 udp 9999999999 192.0.2.5 5 typ host',
      'candidate:1 1 udp 1 0.0.0.0 5 typ host',
      'candidate:1 1 udp 1 255.255.255.255 5 typ host',
      'candidate:1 1 udp 1 224.0.0.251 5 typ host',
      'candidate:1 1 udp 1 ff02::fb 5 typ host',
      'candidate:1 1 udp 1 192.0.2.5 5 typ prflx',
      'candidate:1 1 udp 1 192.0.2.5 5',
    ]) {
      assert.equal(readCandidate(line), undefined, line);
    }
  });

  test('a name of mDNS is read with the address that was found for it, any other name never', () => {
    const name = '9b8a1b0e-0000-4000-8000-000000000000.local';
    const line = `candidate:1 1 udp 1 ${name} 5 typ host generation 0 ufrag unKV`;
    assert.equal(mdnsNameOf(line), name);
    assert.equal(fragmentOf(line), 'unKV');
    assert.equal(readCandidate(line, '192.0.2.9')?.address, '192.0.2.9');
    assert.equal(readCandidate(line, '224.0.0.1'), undefined);
    for (const other of ['router.local', 'internal.example', '192.0.2.1']) {
      assert.equal(mdnsNameOf(line.replace(name, other)), undefined);
    }
    assert.equal(readCandidate(line.replace(name, 'router.local'), '192.0.2.9'), undefined);
  });
});
