import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RTCSctpTransport } from 'werift';
import { sctpAssociationOf, sctpEstablished } from '../../src/media/werift-internals.ts';
import { idleDtls, SctpPair } from '../fixtures/sctp-pair.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const data = 0;
const forwardTsn = 192;

function chunkType(packet: Buffer): number {
  return packet.readUInt8(12);
}

/** TSN of a DATA or FORWARD-TSN chunk. */
function tsnOf(packet: Buffer): number {
  return packet.readUInt32BE(16);
}

describe('the SCTP association', () => {
  let pair: SctpPair;
  let messages: { readonly streamId: number; readonly protocol: number; readonly data: Buffer }[];

  beforeEach(async () => {
    messages = [];
    pair = new SctpPair({
      onMessage: (streamId, protocol, bytes) => {
        messages.push({ streamId, protocol, data: Buffer.from(bytes) });
      },
    });
    await pair.viewer.start(5_000);
    await waitFor('the association', () => pair.viewer.associationState === sctpEstablished);
  });

  afterEach(async () => {
    await pair.stop();
  });

  async function sendMany(count: number, bytes = 180): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      const message = Buffer.alloc(bytes, 1);
      message.writeUInt32BE(number);
      pair.device.sendOnce(2, 53, message);
      await turn();
    }
  }

  test('the installed werift has the shape this program needs; another has not', () => {
    const transport = new RTCSctpTransport();
    transport.setDtlsTransport(idleDtls());
    assert.ok(sctpAssociationOf(transport.sctp));
    assert.throws(() => sctpAssociationOf({}), { code: 'INTERNAL' });
    assert.throws(() => sctpAssociationOf(new RTCSctpTransport()), { code: 'INTERNAL' });
  });

  test('a lost message is never sent again, and the viewer is told to go on', async () => {
    pair.loses = (packet, index) => chunkType(packet) === data && index % 5 === 0;
    await sendMany(200);
    await waitFor('the viewer to be past the losses', () => pair.device.queuedBytes === 0);
    const sent = pair.sent.filter((packet) => chunkType(packet) === data).map(tsnOf);
    assert.equal(sent.length, 200);
    assert.equal(new Set(sent).size, 200, 'a TSN was sent twice');
    assert.ok(pair.received.length > 150 && pair.received.length < 200);
    assert.ok(pair.sent.some((packet) => chunkType(packet) === forwardTsn));
  });

  test('a FORWARD-TSN that is lost is repeated', async () => {
    let lostForwards = 0;
    pair.loses = (packet, index) => {
      if (chunkType(packet) !== forwardTsn) return chunkType(packet) === data && index % 7 === 0;
      lostForwards += 1;
      return true;
    };
    await sendMany(100);
    await waitFor('one to be lost', () => lostForwards > 0);
    const last = tsnOf(
      pair.sent.findLast((packet) => chunkType(packet) === data) ?? Buffer.alloc(20),
    );
    pair.loses = () => false;
    await waitFor('the viewer to have no gap', () => pair.viewer.lastReceivedTsn === last);
  });

  test('everything lost for a while leaves nothing in the way', async () => {
    pair.loses = (packet) => chunkType(packet) === data;
    await sendMany(300);
    assert.equal(pair.device.queuedBytes, 0, 'something waits');
    pair.loses = () => false;
    const before = pair.received.length;
    await sendMany(10);
    assert.equal(pair.received.length, before + 10);
  });

  test('of a long message any lost part loses the whole, and only it', async () => {
    let parts = 0;
    pair.loses = (packet) => {
      if (chunkType(packet) !== data) return false;
      parts += 1;
      return parts === 6;
    };
    for (let number = 0; number < 20; number += 1) {
      pair.device.sendOnce(2, 53, Buffer.alloc(4_000, number));
      await turn();
    }
    await waitFor('the others', () => pair.received.length >= 19);
    assert.ok(pair.received.every(({ data: { length } }) => length === 4_000));
    assert.ok(pair.received.every(({ data: [first] }) => first !== 1));
  });

  test('what is sent reliably comes though its first packet is lost', async () => {
    let lost = 0;
    pair.loses = (packet) => chunkType(packet) === data && lost++ === 0;
    pair.device.sendReliably(2, 50, Buffer.from([2]));
    await waitFor('it to come again', () => pair.received.length === 1);
    assert.equal(lost, 2);
  });

  test('fragments that never end, end the association', async () => {
    for (let part = 0; part < 100; part += 1) {
      await pair.viewer.send(0, 53, Buffer.alloc(1_160 * 4), { ordered: true });
    }
    await waitFor('all of them', () => messages.length === 100);
    // A message of 100 fragments keeps 99 of them waiting.
    pair.viewer.send(0, 53, Buffer.alloc(1_160 * 100), { ordered: true }).catch(() => undefined);
    await waitFor('the end', () => chunkType(pair.sent.at(-1) ?? Buffer.alloc(13)) === 6);
    assert.ok(pair.refused >= 1);
  });

  /** Sends numbered messages in order on a stream, others on another between them. */
  async function viewerSends(count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      const message = Buffer.alloc(24);
      message.writeUInt32BE(number);
      pair.viewer.send(4, 53, message, { ordered: true }).catch(() => undefined);
      const motion = { ordered: false, maxRetransmits: 0 };
      pair.viewer.send(6, 53, Buffer.alloc(20), motion).catch(() => undefined);
      if (number % 8 === 0) await turn();
    }
  }

  const numbersOn = (streamId: number): number[] =>
    messages.filter((each) => each.streamId === streamId).map((each) => each.data.readUInt32BE(0));

  test('reliable messages of the viewer come all and in order though packets are swapped', async () => {
    let held: (() => void) | undefined;
    pair.carriesToDevice = (_packet, deliver) => {
      // Every packet is overtaken by the one after it.
      if (held === undefined) held = deliver;
      else {
        deliver();
        held();
        held = undefined;
      }
    };
    await viewerSends(200);
    pair.carriesToDevice = (_packet, deliver) => deliver();
    held?.();
    await waitFor('all of them', () => numbersOn(4).length === 200);
    assert.deepEqual(
      numbersOn(4),
      Array.from({ length: 200 }, (_, number) => number),
    );
    assert.equal(pair.refused, 0);
  });

  test('what lies behind a gap comes as soon as the gap is filled, without anything more', async () => {
    const first = pair.viewer.localTsn;
    let late: (() => void) | undefined;
    pair.carriesToDevice = (packet, deliver) => {
      // Repeated ones are held back too.
      if (chunkType(packet) === data && tsnOf(packet) === first) late = deliver;
      else deliver();
    };
    await viewerSends(5);
    await waitFor('the others', () => messages.length === 5);
    assert.deepEqual(numbersOn(4), []);
    late?.();
    await waitFor('all', () => numbersOn(4).length === 5);
    assert.deepEqual(numbersOn(4), [0, 1, 2, 3, 4]);
  });

  test('acknowledgements go on where a number gets a digit more, and over the wrap', async () => {
    for (const start of [999_999_998, 0xffff_fffe]) {
      const other = new SctpPair({ onMessage: () => undefined });
      Reflect.set(other.viewer, 'localTsn', start);
      Reflect.set(other.viewer, 'lastSackedTsn', start - 1);
      Reflect.set(other.viewer, 'advancedPeerAckTsn', start - 1);
      await other.viewer.start(5_000);
      await waitFor('the association', () => other.viewer.associationState === sctpEstablished);
      let first: (() => void) | undefined;
      let index = 0;
      other.carriesToDevice = (_packet, deliver) => {
        index += 1;
        if (index === 1) first = deliver;
        else deliver();
      };
      for (let number = 0; number < 4; number += 1) {
        other.viewer.send(4, 53, Buffer.alloc(4), { ordered: true }).catch(() => undefined);
      }
      await waitFor('the others to be sent', () => index >= 4);
      first?.();
      await waitFor('all to be acknowledged', () => other.viewer.sentQueue.length === 0);
      assert.equal(other.viewer.lastSackedTsn, (start + 3) >>> 0);
      await other.stop();
    }
  });

  test('a viewer that acknowledges nothing of a reliable message ends the association, bounded', async () => {
    pair.loses = () => true;
    pair.device.sendReliably(2, 50, Buffer.from([2]));
    await waitFor('its end', async () => {
      for (let sent = 0; sent < 500; sent += 1) pair.device.sendOnce(2, 53, Buffer.alloc(8));
      await turn();
      return chunkType(pair.sent.at(-1) ?? Buffer.alloc(13)) === 6;
    });
    assert.ok(pair.refused >= 1);
  });

  test('bytes that are not acknowledged are known, stream by stream', async () => {
    pair.loses = () => true;
    pair.device.sendReliably(2, 53, Buffer.alloc(100));
    pair.device.sendReliably(8, 53, Buffer.alloc(30));
    assert.deepEqual([pair.device.unackedBytes(2), pair.device.unackedBytes(8)], [100, 30]);
    pair.loses = () => false;
    await waitFor('both to come', () => pair.received.length === 2);
    await waitFor('both to be acknowledged', () => pair.device.unackedBytes(2) === 0);
    assert.equal(pair.device.unackedBytes(8), 0);
  });

  test('its end leaves no timer', async () => {
    const count = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    await pair.stop();
    const before = count();
    for (let cycle = 0; cycle < 20; cycle += 1) {
      const other = new SctpPair();
      await other.viewer.start(5_000);
      other.loses = (_packet, index) => index % 3 === 2;
      await waitFor('the association', () => other.viewer.associationState === sctpEstablished);
      for (let sent = 0; sent < 20; sent += 1) other.device.sendOnce(0, 53, Buffer.alloc(180));
      await turn();
      await other.stop();
    }
    await turn();
    assert.ok(count() <= before, `${count()} timers, ${before} before`);
  });
});
