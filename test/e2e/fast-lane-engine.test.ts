import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { OpusSource } from '../fixtures/opus-source.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { EngineLab } from './engine-lab.ts';
import { launchChromium } from './page-lab.ts';

/** The fast lane's engine alone, in a real browser, with a WebSocket (or a data channel to itself) for a device. */

const stateSchema = v.looseObject({ kind: v.string(), reason: v.optional(v.string()) });
const lookSchema = v.object({
  states: v.array(stateSchema),
  numbers: v.optional(
    v.looseObject({
      received: v.number(),
      recovered: v.number(),
      lost: v.number(),
      malformed: v.number(),
      delayMs: v.number(),
      roundTripMs: v.number(),
      underrunMs: v.number(),
      redundancyKbps: v.number(),
      bitrateKbps: v.number(),
      decodeMs: v.number(),
      isSounding: v.boolean(),
      redundancy: v.boolean(),
    }),
  ),
  heard: v.object({ peak: v.number(), hz: v.number() }),
  contexts: v.number(),
});
type Look = v.InferOutput<typeof lookSchema>;

let browser: Browser;
let shyBrowser: Browser | undefined;
let isolated: EngineLab;
let plain: EngineLab;
let source: OpusSource;
let page: Page | undefined;

before(async () => {
  browser = await launchChromium({ autoplay: true });
  isolated = await EngineLab.start({ isolated: true });
  plain = await EngineLab.start({ isolated: false });
  source = new OpusSource({
    frameMs: 10,
    publish: (frame) => {
      isolated.publish(frame);
      plain.publish(frame);
    },
  });
  source.start();
});

after(async () => {
  source.stop();
  await Promise.all([isolated.stop(), plain.stop(), browser.close(), shyBrowser?.close()]);
});

afterEach(async () => {
  await page?.context().close();
  page = undefined;
  for (const lab of [isolated, plain]) lab.mangle = (bytes) => [bytes];
});

/** Opens the engine's page; with `listen`, it is started and audible. */
async function open(lab: EngineLab, query: string, { listen = true } = {}): Promise<Page> {
  page = await browser.newPage();
  await page.goto(`${lab.url}?${query}`);
  if (listen) await start(page);
  return page;
}

async function start(at: Page): Promise<void> {
  await at.evaluate('engine.lane.setAudible(true)');
  await at.evaluate('engine.lane.start()');
}

async function look(at: Page): Promise<Look> {
  const seen: unknown = await at.evaluate(
    '({ states: engine.states, numbers: engine.numbers.at(-1), heard: engine.heard(), contexts: engine.openContexts() })',
  );
  return v.parse(lookSchema, seen);
}

/** Waits until what is seen of the page is as told. */
async function see(at: Page, what: string, isSo: (seen: Look) => boolean): Promise<Look> {
  return await waitFor(what, async () => {
    const seen = await look(at);
    return isSo(seen) ? seen : undefined;
  });
}

/** The sine of the source: 440 Hz at a quarter of full scale. */
function isTone({ heard }: Look): boolean {
  return Math.abs(heard.hz - 440) < 15 && heard.peak > 0.2 && heard.peak < 0.3;
}

function last({ states }: Look): v.InferOutput<typeof stateSchema> | undefined {
  return states.at(-1);
}

for (const shares of [true, false]) {
  const how = shares ? 'over shared memory' : 'by messages where memory is not shared';
  test(`sound of the WebSocket is decoded and played, ${how}`, async () => {
    const at = await open(shares ? isolated : plain, 'session=1');
    const seen = await see(at, 'the tone', (now) => isTone(now) && now.numbers?.delayMs !== -1);
    assert.deepEqual(
      seen.states.map(({ kind }) => kind),
      ['starting', 'running'],
    );
    assert.deepEqual(last(seen), { kind: 'running', via: 'websocket', isolated: shares });
    const later = await see(
      at,
      'three seconds of sound',
      ({ numbers }) => (numbers?.received ?? 0) > 300 && numbers?.isSounding === true,
    );
    const { numbers } = later;
    assert.ok(numbers !== undefined);
    assert.equal(numbers.malformed, 0);
    assert.ok(numbers.delayMs > 10 && numbers.delayMs < 500, `delay ${numbers.delayMs} ms`);
    assert.ok(numbers.roundTripMs >= 0 && numbers.roundTripMs < 200, `${numbers.roundTripMs} ms`);
    assert.ok(numbers.bitrateKbps > 30 && numbers.bitrateKbps < 400, `${numbers.bitrateKbps} kbps`);
    assert.equal(numbers.redundancyKbps, 0);
  });
}

test('the data channel is handed to the worker, unordered and never sent twice', async () => {
  const at = await open(isolated, '', { listen: false });
  await at.evaluate('engine.pairChannel()');
  await start(at);
  const seen = await see(at, 'the tone', isTone);
  assert.deepEqual(last(seen), { kind: 'running', via: 'channel', isolated: true });
  assert.deepEqual(await at.evaluate('engine.channel'), {
    label: 'earshot-fast-lane',
    protocol: 'earshot.fast-lane.1',
    ordered: false,
    maxRetransmits: 0,
  });
});

test('a browser that cannot hand it over relays its messages', async () => {
  const at = await open(isolated, 'relay', { listen: false });
  await at.evaluate('engine.pairChannel()');
  await start(at);
  const seen = await see(at, 'the tone', isTone);
  assert.deepEqual(last(seen), { kind: 'running', via: 'channel', isolated: true });
});

test('a lane over the WebSocket moves to the data channel when there is one, and back when it is gone', async () => {
  const at = await open(isolated, 'session=2');
  await see(at, 'sound over the WebSocket', isTone);
  await at.evaluate('engine.pairChannel()');
  const moved = await see(at, 'the channel', (now) => last(now)?.['via'] === 'channel');
  assert.ok(moved.states.every(({ kind }) => kind !== 'failed'));
  await see(at, 'sound over the channel', isTone);
  await at.evaluate('engine.near.close()');
  await at.evaluate('engine.lane.attach(undefined)');
  await see(at, 'the WebSocket again', (now) => last(now)?.['via'] === 'websocket');
  await see(at, 'sound over the WebSocket again', isTone);
});

test('what is not as it should be is counted, and the sound goes on', async () => {
  const junk = [
    new Uint8Array(),
    Uint8Array.of(1),
    Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    Uint8Array.of(2, 0, 0, 0),
    Uint8Array.of(3, 9, 9),
    Uint8Array.of(77, 1, 2, 3),
    new Uint8Array(5_000).fill(1),
    new Uint8Array(40).fill(255),
  ];
  isolated.mangle = (bytes, sequence) => {
    if (sequence % 20 !== 0) return [bytes];
    // An Opus packet of three frames that has one byte (RFC 6716 §3.4, R6).
    const broken = Uint8Array.of(...bytes.subarray(0, 16), 0xff, 3, 1);
    return [broken, ...junk, bytes.subarray(0, 12)];
  };
  const at = await open(isolated, 'session=3');
  const seen = await see(at, 'broken packets', ({ numbers }) => (numbers?.malformed ?? 0) > 50);
  assert.equal(last(seen)?.kind, 'running');
  await see(at, 'the tone', isTone);
});

test('packets of the past and of the far future do not stop it', async () => {
  isolated.mangle = (bytes, sequence) => {
    if (sequence % 50 !== 0) return [bytes];
    const past = bytes.slice();
    new DataView(past.buffer).setUint16(2, (sequence - 400) & 0xffff);
    new DataView(past.buffer).setUint32(4, new DataView(bytes.buffer).getUint32(4) - 400 * 480);
    const future = bytes.slice();
    new DataView(future.buffer).setUint16(2, (sequence + 20_000) & 0xffff);
    new DataView(future.buffer).setUint32(4, new DataView(bytes.buffer).getUint32(4) + 48_000_000);
    return [past, bytes, future];
  };
  const at = await open(isolated, 'session=4');
  const seen = await see(at, 'some seconds', ({ numbers }) => (numbers?.received ?? 0) > 400);
  assert.equal(last(seen)?.kind, 'running');
  isolated.mangle = (bytes) => [bytes];
  await see(at, 'the tone', isTone);
});

test('loss turns redundancy on, which then mends it', async () => {
  isolated.mangle = (bytes, sequence) => (sequence % 20 === 0 ? [] : [bytes]);
  const at = await open(isolated, 'session=5');
  const seen = await see(at, 'packets recovered', ({ numbers }) => (numbers?.recovered ?? 0) > 20);
  const { numbers } = seen;
  assert.ok(numbers?.redundancy);
  assert.ok(numbers.redundancyKbps > 0 && numbers.redundancyKbps < numbers.bitrateKbps);
  const later = await see(
    at,
    'more packets recovered',
    (now) => (now.numbers?.recovered ?? 0) > numbers.recovered + 20,
  );
  assert.equal(later.numbers?.lost, numbers.lost);
});

test('the device that closes the WebSocket is asked again', async () => {
  const at = await open(isolated, 'session=6');
  await see(at, 'the tone', isTone);
  const { opened } = isolated;
  isolated.cut();
  await waitFor('another socket', () => isolated.opened > opened);
  await see(at, 'the tone again', (now) => last(now)?.kind === 'running' && isTone(now));
});

test('only an audible lane is heard; volume and mute act, and the meter is before them', async () => {
  const at = await open(isolated, 'session=7');
  await see(at, 'the tone', isTone);
  await at.evaluate('engine.lane.setVolume({ gain: 0.5, muted: false })');
  await see(at, 'half of it', ({ heard }) => heard.peak > 0.1 && heard.peak < 0.15);
  await at.evaluate('engine.lane.setVolume({ gain: 0.5, muted: true })');
  await see(at, 'silence', ({ heard }) => heard.peak === 0);
  await at.evaluate('engine.lane.setVolume({ gain: 1, muted: false })');
  await at.evaluate('engine.lane.setAudible(false)');
  const quiet = await see(at, 'silence', (now) => now.heard.peak === 0 && !sounds(now));
  assert.equal(last(quiet)?.kind, 'running');
  assert.ok(Number(await at.evaluate('engine.lane.peaks().left')) > 0.2);
});

function sounds({ numbers }: Look): boolean {
  return numbers?.isSounding === true;
}

test('stopped, it says so to the device and leaves nothing', async () => {
  const at = await open(isolated, 'session=8');
  await see(at, 'the tone', isTone);
  assert.equal(at.workers().length, 1);
  const { closed } = isolated;
  await at.evaluate('engine.lane.stop()');
  await waitFor('its last word', () => isolated.pings.at(-1)?.wantsSound === false);
  await see(at, 'no context', ({ contexts }) => contexts === 0);
  await waitFor('the socket closed', () => isolated.closed > closed);
  await waitFor('no worker', () => at.workers().length === 0);
  const seen = await look(at);
  assert.equal(last(seen)?.kind, 'off');
  await start(at);
  await see(at, 'the tone again', isTone);
});

test('a decoder that breaks again and again ends it at once', async () => {
  isolated.scripts.set(
    '/assets/broken-decoder.js',
    `const Real = self.AudioDecoder;
     let decoded = 0;
     const faults = new BroadcastChannel('faults');
     self.AudioDecoder = class {
       state = 'configured';
       #error;
       #real;
       constructor({ output, error }) {
         this.#error = error;
         this.#real = new Real({ output, error });
       }
       configure(config) { this.#real.configure(config); }
       decode(chunk) {
         decoded += 1;
         if (decoded < 200) this.#real.decode(chunk);
         else queueMicrotask(() => {
           faults.postMessage(performance.timeOrigin + performance.now());
           this.#error(new DOMException('broken', 'EncodingError'));
         });
       }
       close() { this.#real.close(); this.state = 'closed'; }
     };
     importScripts('/assets/fast-lane-worker.js');`,
  );
  const at = await open(isolated, 'session=9&worker=/assets/broken-decoder.js');
  await see(at, 'the tone', isTone);
  const seen = await see(at, 'the failure', (now) => last(now)?.kind === 'failed');
  assert.match(last(seen)?.reason ?? '', /could not be decoded: broken/);
  const lateMs = Number(await at.evaluate('engine.failedMs - engine.faultMs'));
  assert.ok(lateMs >= 0 && lateMs < 200, `${lateMs} ms from the first fault`);
  await see(at, 'no context', ({ contexts }) => contexts === 0);
  // It is tried again by itself.
  await see(at, 'sound again', (now) => last(now)?.kind === 'running' && isTone(now));
});

test('a decoder that refuses one packet is replaced, and the sound goes on', async () => {
  isolated.scripts.set(
    '/assets/picky-decoder.js',
    `const Real = self.AudioDecoder;
     let decoded = 0;
     self.AudioDecoder = class extends Real {
       #error;
       constructor(init) { super(init); this.#error = init.error; }
       decode(chunk) {
         decoded += 1;
         if (decoded % 150 !== 0) super.decode(chunk);
         else queueMicrotask(() => this.#error(new DOMException('picky', 'EncodingError')));
       }
     };
     importScripts('/assets/fast-lane-worker.js');`,
  );
  const at = await open(isolated, 'session=10&worker=/assets/picky-decoder.js');
  const seen = await see(at, 'refusals', ({ numbers }) => (numbers?.malformed ?? 0) >= 3);
  assert.equal(last(seen)?.kind, 'running');
  await see(at, 'the tone', isTone);
});

test('a decoder that says nothing at all ends it within two seconds', async () => {
  isolated.scripts.set(
    '/assets/mute-decoder.js',
    `self.AudioDecoder.prototype.decode = () => undefined;
     importScripts('/assets/fast-lane-worker.js');`,
  );
  const at = await open(isolated, 'session=13&worker=/assets/mute-decoder.js');
  const seen = await see(at, 'the failure', (now) => last(now)?.kind === 'failed');
  assert.match(last(seen)?.reason ?? '', /does not decode/);
});

test('a worklet that breaks down ends it', async () => {
  isolated.scripts.set(
    '/assets/broken-worklet.js',
    `registerProcessor('earshot-fast-lane', class extends AudioWorkletProcessor {
       process() { throw new Error('broken'); }
     });`,
  );
  const at = await open(isolated, 'session=14&worklet=/assets/broken-worklet.js');
  const seen = await see(at, 'the failure', (now) => last(now)?.kind === 'failed');
  assert.match(last(seen)?.reason ?? '', /broke down/);
  await see(at, 'no context', ({ contexts }) => contexts === 0);
});

test('an output that stands still ends it', async () => {
  isolated.scripts.set(
    '/assets/still-worklet.js',
    `registerProcessor('earshot-fast-lane', class extends AudioWorkletProcessor {
       constructor() {
         super();
         this.port.onmessage = ({ data: { port } }) => {
           const numbers = { playing: false, targetMs: 20, late: 0, concealedSamples: 0, underrunSamples: 0, frame: 128 };
           if (port) port.onmessage = () => port.postMessage({ numbers, taken: 0 });
         };
       }
       process() { return true; }
     });`,
  );
  const at = await open(isolated, 'session=16&worklet=/assets/still-worklet.js');
  const seen = await see(at, 'the failure', (now) => last(now)?.kind === 'failed');
  assert.match(last(seen)?.reason ?? '', /stands still/);
});

test('a WebSocket whose other end is gone without a word is given up and opened anew', async () => {
  const at = await open(isolated, 'session=15');
  await see(at, 'the tone', isTone);
  const { opened } = isolated;
  isolated.isDeaf = true;
  await waitFor('another socket', () => isolated.opened > opened);
  isolated.isDeaf = false;
  await see(at, 'the tone again', (now) => last(now)?.kind === 'running' && isTone(now));
});

for (const part of ['worklet', 'worker']) {
  test(`a ${part} that does not load ends it`, async () => {
    const at = await open(isolated, `session=11&${part}=/assets/nowhere.js`);
    const seen = await see(at, 'the failure', (now) => last(now)?.kind === 'failed');
    assert.match(last(seen)?.reason ?? '', /fast lane (did not load|broke down)/);
    await see(at, 'no context', ({ contexts }) => contexts === 0);
    await waitFor('no worker', () => at.workers().length === 0);
  });
}

test('without leave to play, it waits for a gesture and asks for no sound meanwhile', async () => {
  shyBrowser = await launchChromium({ autoplay: false });
  page = await shyBrowser.newPage();
  const { opened } = isolated;
  // Looking into a page counts as a gesture, so it begins by itself, and nothing looks before it has.
  await page.goto(`${isolated.url}?session=12&start`);
  await waitFor('its socket', () => isolated.opened > opened);
  await see(page, 'the block', (now) => last(now)?.kind === 'blocked');
  await waitFor('a ping', () => isolated.pings.length > 2);
  assert.equal(isolated.isWanted, false);
  await page.mouse.click(10, 10);
  await see(page, 'the tone', (now) => last(now)?.kind === 'running' && isTone(now));
});

test('a page that is no secure context says so', async () => {
  page = await browser.newPage();
  await page.goto(isolated.url.replace('127.0.0.1', 'earshot.test'));
  await start(page);
  const seen = await see(page, 'the obstacle', (now) => last(now)?.kind === 'failed');
  assert.match(last(seen)?.reason ?? '', /HTTPS/);
  assert.equal(seen.contexts, 0);
});
