import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { HidControl } from '../../src/control/hid/hid-control.ts';
import {
  encodeViewerMessage,
  maxMessageBytes,
  messageBytes,
} from '../../src/control/hid/hid-messages.ts';
import {
  hidProtocol as controlProtocol,
  keysChannelLabel,
  maxNoticeBytes,
  pointerChannelLabel,
} from '../../src/control/hid/limits.ts';
import { silentLog } from '../../src/log/log.ts';
import {
  type HidWay,
  hidProtocol,
  keysLabel,
  maxHidMessageBytes,
  pointerLabel,
} from '../../src/media/hid-channels.ts';
import type { MediaHub } from '../../src/media/media-hub.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { InMemoryHidHost } from '../fixtures/in-memory-hid-host.ts';
import { startMediaHub } from '../fixtures/media-hub.ts';
import { MediaServer } from '../fixtures/media-server.ts';
import { viewerPage } from '../fixtures/viewer-page.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Opens both channels on the connection of the moment. */
const openChannels = `
viewer.hid = {};
for (const [name, label, options] of [
  ['keys', ${JSON.stringify(keysLabel)}, {}],
  ['pointer', ${JSON.stringify(pointerLabel)}, { ordered: false, maxRetransmits: 0 }],
]) {
  const channel = viewer.peer.createDataChannel(label, { protocol: ${JSON.stringify(hidProtocol)}, ...options });
  channel.binaryType = 'arraybuffer';
  viewer.hid[name] = channel;
  viewer.told = [];
  channel.onmessage = ({ data }) => viewer.told.push([...new Uint8Array(data)]);
}
`;

let browser: Browser;
let hub: MediaHub;
let server: MediaServer;

async function startHub(hid: Parameters<typeof startMediaHub>[0]): Promise<void> {
  hub = await startMediaHub(hid);
  server = new MediaServer({ hub, page: viewerPage });
  await server.start();
}

/** A connected page with both channels open. */
async function openPage(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(server.url);
  await waitFor('the connection', () => hub.sessions().some(({ state }) => state === 'connected'));
  await open(page);
  return page;
}

async function open(page: Page): Promise<void> {
  await page.evaluate(openChannels);
  await waitFor('the channels', async () =>
    v.parse(
      v.boolean(),
      await page.evaluate(
        `viewer.hid.keys.readyState === 'open' && viewer.hid.pointer.readyState === 'open'`,
      ),
    ),
  );
}

async function send(page: Page, channel: 'keys' | 'pointer', bytes: Uint8Array): Promise<void> {
  await page.evaluate(`viewer.hid.${channel}.send(Uint8Array.of(${[...bytes].join(', ')}))`);
}

before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server.stop();
  await hub.stop();
});

describe('the media path of keyboard and pointer', () => {
  let viewers: { messages: [HidWay, number][]; closes: number }[];
  beforeEach(async () => {
    viewers = [];
    await startHub({
      hid: {
        open: (_session, link) => {
          const viewer = { messages: [] as [HidWay, number][], closes: 0 };
          viewers.push(viewer);
          link.send(Uint8Array.of(131, 0, 0, 0, viewers.length));
          return {
            receive: (message, way) => viewer.messages.push([way, message[0] ?? -1]),
            close: () => {
              viewer.closes += 1;
            },
          };
        },
      },
    });
  });

  const closed = (index: number) =>
    waitFor(`viewer ${index} to be let go of`, () => viewers[index]?.closes === 1);

  test('speaks the protocol’s own names and lengths', () => {
    assert.deepEqual(
      [keysLabel, pointerLabel, hidProtocol],
      [keysChannelLabel, pointerChannelLabel, controlProtocol],
    );
    assert.ok(maxMessageBytes <= maxHidMessageBytes.maxSendBytes);
    const { notice, ...others } = messageBytes;
    assert.ok(Math.max(...Object.values(others)) <= maxHidMessageBytes.maxMessageBytes);
    assert.equal(maxMessageBytes, notice + maxNoticeBytes);
  });

  test('lets go when a channel closes, at a media reset, and when the page is gone', async () => {
    const page = await openPage();
    await send(page, 'keys', Uint8Array.of(1));
    await send(page, 'pointer', Uint8Array.of(3));
    await waitFor('both messages', () => viewers[0]?.messages.length === 2);
    await waitFor('the device’s word', async () => {
      const told = v.parse(v.array(v.array(v.number())), await page.evaluate('viewer.told'));
      return told.length === 1 && told[0]?.at(-1) === 1;
    });

    await page.evaluate('viewer.hid.pointer.close()');
    await closed(0);
    await send(page, 'keys', Uint8Array.of(2));
    await waitFor('the keys to go on', () => viewers[1]?.messages.length === 1);
    await page.evaluate('viewer.hid.keys.close()');
    await closed(1);

    await open(page);
    await waitFor('a viewer', () => viewers.length === 3);
    await page.evaluate(
      `viewer.socket.send(JSON.stringify({ type: 'direct_media_reset_request' }))`,
    );
    await closed(2);
    await waitFor('the new connection', () => hub.sessions()[0]?.state === 'connected');
    await open(page);
    await waitFor('a viewer', () => viewers.length === 4);
    await page.close();
    await closed(3);
    await waitFor('the session to end', () => hub.sessions().length === 0);
    assert.deepEqual(
      viewers.map(({ closes }) => closes),
      [1, 1, 1, 1],
    );
    const { received, sent } = hub.stats().hid;
    assert.deepEqual({ received, sent }, { received: { keys: 2, pointer: 1, socket: 0 }, sent: 4 });
  });
});

describe('keyboard and mouse behind the media path', () => {
  let host: InMemoryHidHost;
  let control: HidControl;
  beforeEach(async () => {
    host = new InMemoryHidHost();
    control = new HidControl({
      config: { wakeOnInput: true, layout: 'us' },
      host,
      settings: {
        current: () => ({ jiggler: { enabled: false, seconds: 60 }, macros: [] }),
        replace: async () => undefined,
      },
      log: silentLog,
    });
    await control.start();
    host.become('attached');
    await startHub({ hid: { open: (id, link) => control.openViewer(id, link) } });
  });
  afterEach(() => control.stop());

  test('a browser’s keys are the host’s reports, in order', async () => {
    const page = await openPage();
    await waitFor('the viewer', () => control.status().viewers === 1);
    const usages = Array.from({ length: 26 }, (_, index) => 4 + index);
    const strokes = usages.flatMap((usage) => [
      { usage, down: true },
      { usage, down: false },
    ]);
    const messages = strokes.map(({ usage, down }, sequence) => {
      const stamp = { sequence, timestampMs: Date.now() };
      return [...encodeViewerMessage({ type: 'key', page: 'keyboard', usage, down, ...stamp })];
    });
    await page.evaluate(
      `for (const bytes of ${JSON.stringify(messages)}) viewer.hid.keys.send(Uint8Array.from(bytes))`,
    );
    await waitFor('every report', () => host.reports('keyboard').length >= strokes.length);
    assert.deepEqual(
      host.reports('keyboard').slice(0, strokes.length),
      strokes.map(({ usage, down }) => [0, 0, down ? usage : 0, 0, 0, 0, 0, 0]),
    );
    assert.equal(control.status().counts.malformed, 0);
    await page.evaluate('viewer.peer.close()');
    await waitFor('the viewer to be gone', () => control.status().viewers === 0);
  });
});
