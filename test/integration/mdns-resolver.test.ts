import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { silentLog } from '../../src/log/log.ts';
import { MdnsResolver } from '../../src/media/mdns-resolver.ts';
import { freePort } from '../fixtures/turn-server.ts';

const group = '224.0.0.251';
const network = Object.values(networkInterfaces())
  .flatMap((infos) => infos ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal);
const nameOf = (index: number) =>
  `${index.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000.local`;

/** The answer to a question for one name: its address is 192.0.2.9. */
function answerTo(query: Buffer): Buffer {
  const nameEnd = 12 + nameOf(0).length + 2;
  const header = Buffer.from('000084000000000100000000', 'hex');
  const tail = Buffer.from('00018001000000780004c0000209', 'hex');
  return Buffer.concat([header, query.subarray(12, nameEnd), tail]);
}

describe('asking the local network for a name', {
  skip: network === undefined && 'this machine has no network but loopback',
}, () => {
  let port: number;
  let responder: Socket;
  let questions: string[];
  /** How many questions are left unanswered before the first that is answered. */
  let deafTo = 0;
  let resolver: MdnsResolver;

  before(async () => {
    port = await freePort();
    responder = createSocket({ type: 'udp4', reuseAddr: true });
    await new Promise<void>((resolve) => responder.bind({ port, address: '0.0.0.0' }, resolve));
    responder.addMembership(group, network?.address ?? '');
    responder.setMulticastInterface(network?.address ?? '');
    responder.on('message', (packet) => {
      if ((packet[2] ?? 0) & 0x80) return;
      questions.push(packet.toString('latin1', 13, 21));
      deafTo -= 1;
      if (deafTo < 0) responder.send(answerTo(packet), port, group);
    });
  });

  after(async () => {
    responder.close();
    await resolver.stop();
  });

  beforeEach(async () => {
    await resolver?.stop();
    questions = [];
    deafTo = 0;
    resolver = new MdnsResolver({
      interfaces: () => [{ address: network?.address ?? '' }],
      log: silentLog,
      port,
    });
  });

  test('is answered once, and remembered', async () => {
    const asked = [resolver.resolve(nameOf(1)), resolver.resolve(nameOf(1))];
    assert.deepEqual(await Promise.all(asked), ['192.0.2.9', '192.0.2.9']);
    assert.equal(await resolver.resolve(nameOf(1)), '192.0.2.9');
    assert.deepEqual(questions, ['00000001']);
  });

  test('RFC 6762 §5.2: asks again a second later', async () => {
    deafTo = 1;
    assert.equal(await resolver.resolve(nameOf(2)), '192.0.2.9');
    assert.equal(questions.length, 2);
  });

  test('gives up after two seconds, and does not ask for the same again at once', async () => {
    deafTo = Number.POSITIVE_INFINITY;
    assert.equal(await resolver.resolve(nameOf(3)), undefined);
    assert.equal(await resolver.resolve(nameOf(3)), undefined);
    assert.equal(questions.length, 2);
  });

  test('asks for sixteen names at once at most', async () => {
    deafTo = Number.POSITIVE_INFINITY;
    const asked = Array.from({ length: 40 }, (_, index) => resolver.resolve(nameOf(100 + index)));
    assert.equal(await asked[39], undefined, 'refused at once');
    await resolver.stop();
    assert.ok((await Promise.all(asked)).every((address) => address === undefined));
    assert.ok(questions.length <= 16, `${questions.length} questions`);
  });

  test('a name asked for after the end is unknown', async () => {
    await resolver.stop();
    assert.equal(await resolver.resolve(nameOf(5)), undefined);
  });
});
