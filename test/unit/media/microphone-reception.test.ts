import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { MicrophoneReception } from '../../../src/media/microphone-reception.ts';
import type { MicrophoneAgreement } from '../../../src/media/opus-sdp.ts';
import { allDrops, noCounts, type PeerCounts } from '../../../src/media/peer-counts.ts';
import { writeRtpHeader } from '../../../src/media/rtp-packet.ts';

const named: MicrophoneAgreement = { payloadType: 111, ssrcs: [7], midExtension: 4 };
const unnamed: MicrophoneAgreement = { ...named, ssrcs: [] };
const msNs = 1_000_000n;

let nowNs: bigint;
let counts: PeerCounts;
let reception: MicrophoneReception;

interface Sent {
  readonly sequence: number;
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly mid?: string;
  readonly payload?: Buffer;
}

function receive({ sequence, ssrc = 7, payloadType = 111, mid, payload }: Sent) {
  const header = writeRtpHeader(
    {
      payloadType,
      marker: false,
      sequence,
      timestamp: sequence * 960,
      ssrc,
      extensions: mid === undefined ? {} : { mid },
    },
    { mid: 4 },
  );
  nowNs += 20n * msNs;
  return reception.receive(header, payload ?? Buffer.from('opus'), nowNs);
}

beforeEach(() => {
  nowNs = 1_000n * msNs;
  counts = noCounts();
  reception = new MicrophoneReception({ mid: '1', counts, nowNs });
  reception.agree(named);
});

describe('MicrophoneReception', () => {
  test('hands on what was agreed, with the time it arrived', () => {
    assert.deepEqual(receive({ sequence: 5 }), {
      payloadType: 111,
      marker: false,
      sequence: 5,
      timestamp: 4_800,
      ssrc: 7,
      payload: Buffer.from('opus'),
      arrivalNs: nowNs,
    });
    assert.equal(counts.microphonePackets, 1);
    assert.equal(counts.microphoneBytes, 4);
  });

  test('refuses everything else, and says what for', () => {
    assert.equal(receive({ sequence: 1, payloadType: 0 }), undefined);
    assert.equal(receive({ sequence: 2, ssrc: 8, mid: '1' }), undefined);
    assert.equal(receive({ sequence: 3, payload: Buffer.alloc(1_501) }), undefined);
    assert.equal(reception.receive(Buffer.alloc(1), Buffer.alloc(1), nowNs), undefined);
    reception.agree(undefined);
    assert.equal(receive({ sequence: 4 }), undefined);
    const { floor, rate, ...others } = counts.microphoneDrops;
    assert.deepEqual(others, {
      'not-agreed': 1,
      malformed: 1,
      'payload-type': 1,
      source: 1,
      oversize: 1,
    });
    assert.equal(floor + rate, 0);
    assert.equal(allDrops(counts.microphoneDrops), 5);
    assert.equal(counts.microphonePackets, 0);
    assert.deepEqual(reception.reportBlocks(nowNs), []);
  });

  test('a source that the answer did not name is known by the mid in its packets', () => {
    reception.agree(unnamed);
    assert.equal(receive({ sequence: 1, ssrc: 20 }), undefined);
    assert.equal(receive({ sequence: 1, ssrc: 20, mid: '0' }), undefined);
    assert.ok(receive({ sequence: 2, ssrc: 20, mid: '1' }));
    assert.ok(receive({ sequence: 3, ssrc: 20 }));
    assert.equal(receive({ sequence: 1, ssrc: 21 }), undefined);
    assert.ok(receive({ sequence: 900, ssrc: 21, mid: '1' }));
    assert.equal(receive({ sequence: 4, ssrc: 20 }), undefined);
    assert.equal(counts.microphoneDrops.source, 4);
    reception.agree({ ...unnamed, midExtension: undefined });
    assert.equal(receive({ sequence: 1, ssrc: 22, mid: '1' }), undefined);
  });

  test('ten thousand packets a second are cut down to what a microphone could send', () => {
    let accepted = 0;
    for (let count = 0; count < 20_000; count += 1) {
      nowNs -= 20n * msNs - msNs / 10n;
      if (receive({ sequence: count & 0xffff }) !== undefined) accepted += 1;
    }
    assert.ok(accepted >= 800 && accepted <= 900, `${accepted}`);
    assert.equal(counts.microphoneDrops.rate, 20_000 - accepted);
  });

  test('padding alone is no frame, but counts as received', () => {
    receive({ sequence: 1 });
    assert.equal(receive({ sequence: 2, payload: Buffer.alloc(0) }), undefined);
    receive({ sequence: 3 });
    assert.equal(counts.microphonePackets, 3);
    assert.equal(allDrops(counts.microphoneDrops), 0);
    assert.equal(reception.reportBlocks(nowNs)[0]?.packetsLost, 0);
  });

  test('reports loss, and how long ago the sender reported', () => {
    receive({ sequence: 65_534 });
    receive({ sequence: 2 });
    reception.noteSenderReport({ ssrc: 8, ntp: 1n << 32n }, nowNs);
    const [early] = reception.reportBlocks(nowNs);
    assert.deepEqual([early?.lastSenderReport, early?.delaySinceLast], [0, 0]);
    receive({ sequence: 3 });
    reception.noteSenderReport({ ssrc: 7, ntp: 0x0102_0304_0506_0708n }, nowNs);
    nowNs += 500n * msNs;
    assert.deepEqual(reception.reportBlocks(nowNs), [
      {
        ssrc: 7,
        fractionLost: 0,
        packetsLost: 3,
        highestSequence: 65_536 + 3,
        jitter: early?.jitter ?? 0,
        lastSenderReport: 0x0304_0506,
        delaySinceLast: 32_768,
      },
    ]);
    assert.equal(counts.microphoneLost, 3);
    assert.deepEqual(reception.reportBlocks(nowNs), []);
  });

  test('loss adds up over sources', () => {
    reception.agree({ ...named, ssrcs: [7, 8] });
    receive({ sequence: 1 });
    receive({ sequence: 4 });
    receive({ sequence: 100, ssrc: 8 });
    receive({ sequence: 102, ssrc: 8 });
    assert.equal(counts.microphoneLost, 3);
    assert.equal(reception.reportBlocks(nowNs)[0]?.packetsLost, 1);
  });
});
