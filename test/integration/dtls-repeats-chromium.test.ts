import assert from 'node:assert/strict';
import { after, afterEach, before, describe, mock, test } from 'node:test';
import { UdpMux } from '../../src/media/udp-mux.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { type ConnectingDevice, startConnectingDevice } from '../fixtures/connecting-device.ts';

/** Handshakes as they arrive after waiting in a TCP connection or for a busy process: more than once, and out of order. */

type Datagram = Parameters<UdpMux['receive']>;
/** Delivers what came `now`; what came before is there too. */
type Delivery = (
  now: Datagram,
  before: readonly Datagram[],
  receive: (datagram: Datagram) => void,
) => void;

/** RFC 7983 §7. */
function isDtls([datagram]: Datagram): boolean {
  const first = datagram[0] ?? 0;
  return first >= 20 && first <= 63;
}

function rearrange(deliver: Delivery): void {
  const original = UdpMux.prototype.receive;
  const before: Datagram[] = [];
  mock.method(UdpMux.prototype, 'receive', function (this: UdpMux, ...now: Datagram) {
    if (!isDtls(now)) return original.apply(this, now);
    const [datagram, ...from] = now;
    const kept: Datagram = [Buffer.from(datagram), ...from];
    deliver(kept, before, ([bytes, ...source]) => {
      original.call(this, Buffer.from(bytes), ...source);
    });
    before.push(kept);
    return undefined;
  });
}

describe('a DTLS handshake of Chromium', () => {
  let device: ConnectingDevice;

  before(async () => {
    device = await startConnectingDevice({
      browser: await launchBrowser(),
      config: { addresses: ['127.0.0.1'], maxViewers: 4 },
    });
  });

  after(() => device.stop());

  afterEach(async () => {
    mock.restoreAll();
    for (const context of device.browser.contexts()) await context.close();
  });

  async function isHeard(): Promise<void> {
    const viewer = await device.open();
    await viewer.hears();
    await viewer.hearsFastLane(5);
    const states = (await viewer.messages()).flatMap(({ state }) => state ?? []);
    assert.deepEqual(states, ['connecting', 'connected']);
  }

  test('with every datagram twice in one turn', async () => {
    rearrange((now, _before, receive) => {
      receive(now);
      receive(now);
    });
    await isHeard();
  });

  test('with all that came so far again behind every datagram', async () => {
    rearrange((now, before, receive) => {
      receive(now);
      if (before.length < 20) for (const each of before) receive(each);
    });
    await isHeard();
  });

  test('with every flight backwards', async () => {
    const held: Datagram[] = [];
    rearrange((now, _before, receive) => {
      held.push(now);
      if (held.length > 1) return;
      setTimeout(() => {
        for (const each of held.splice(0).reverse()) receive(each);
      }, 20);
    });
    await isHeard();
  });
});
