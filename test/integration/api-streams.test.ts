import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import type { TextStreamLimits } from '../../src/api/text-stream.ts';
import { ask, startApi, type TestApi } from '../fixtures/api-server.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const limits: TextStreamLimits = { maxStreams: 3, maxQueuedBytes: 64 * 1024, keepAliveMs: 60_000 };

/** A stream that is being read. */
class Reader {
  text = '';
  ended = false;
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
    });
    incoming.on('close', () => {
      this.ended = true;
    });
    incoming.on('error', () => undefined);
  }

  get headers() {
    return this.#incoming.headers;
  }

  /** The data of every event of that name so far. */
  events(name: string): unknown[] {
    return [...this.text.matchAll(new RegExp(`event: ${name}\ndata: (.*)\n\n`, 'g'))].map((match) =>
      JSON.parse(match[1] ?? ''),
    );
  }

  leave(): void {
    this.#incoming.destroy();
  }
}

async function open(api: TestApi, path: string, control = false): Promise<Reader> {
  const { address, port } = api.server.address();
  const where = control ? { socketPath: api.socket } : { host: address, port };
  const outgoing = request({ ...where, path, agent: false });
  outgoing.end();
  const [incoming] = await once(outgoing, 'response', { signal: AbortSignal.timeout(10_000) });
  assert.equal(incoming.statusCode, 200);
  return new Reader(incoming);
}

describe('the event stream', () => {
  it('begins with the state as it is', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const reader = await open(api, '/api/v1/events');
    assert.equal(reader.headers['content-type'], 'text/event-stream; charset=utf-8');
    await waitFor(
      'the snapshot is there',
      () => reader.events('microphone-process-metrics').length === 1,
    );
    assert.match(reader.text, /^retry: 1000\n\n/);
    assert.deepEqual(reader.events('audio-mute-changed'), [{ muted: false }]);
    assert.deepEqual(reader.events('audio-quality-changed'), [api.services.audio.quality()]);
    assert.deepEqual(reader.events('audio-metrics-update'), [api.services.audio.status()]);
    assert.deepEqual(reader.events('audio-device-changed'), [
      { device: 'hw:CARD=UAC1Gadget', state: 'open', error: '' },
    ]);
    const { microphone, video, children } = api.services;
    assert.deepEqual(reader.events('microphone-state-changed'), [microphone.status()]);
    assert.deepEqual(reader.events('microphone-quality-changed'), [microphone.quality()]);
    assert.deepEqual(reader.events('microphone-metrics-update'), [microphone.metrics()]);
    assert.deepEqual(reader.events('video-state-changed'), [video.status()]);
    const [output, input] = children.statuses();
    assert.deepEqual(reader.events('audio-process-metrics'), [output]);
    assert.deepEqual(reader.events('microphone-process-metrics'), [input]);
  });

  it('carries who holds the microphone', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const reader = await open(api, '/api/v1/events');
    await api.services.microphone.start({ session: 's1', takeover: false });
    await waitFor('the change', () => reader.events('microphone-state-changed').length === 2);
    assert.match(
      JSON.stringify(reader.events('microphone-state-changed').at(-1)),
      /"session":"s1"/,
    );
    await api.stop();
  });

  it('carries each change to every reader', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const readers = [await open(api, '/api/v1/events'), await open(api, '/api/v1/events')];
    await api.services.audio.setMute({ muted: true });
    for (const reader of readers) {
      await waitFor('the change arrived', () => reader.events('audio-mute-changed').length === 2);
      assert.deepEqual(reader.events('audio-mute-changed').at(-1), { muted: true });
    }
    await api.stop();
    for (const reader of readers) await waitFor('the stream ended', () => reader.ended);
    assert.equal(api.services.subscribers, 0);
  });

  it('keeps text with line ends in one event', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const reader = await open(api, '/api/v1/events');
    const error = 'a\nevent: fake\ndata: {}\n\n';
    api.services.emit('audio-device-changed', { device: 'd', state: 'opening', error });
    await waitFor('the event arrived', () => reader.events('audio-device-changed').length === 2);
    assert.deepEqual(reader.events('audio-device-changed').at(-1), {
      device: 'd',
      state: 'opening',
      error,
    });
    assert.deepEqual(reader.events('fake'), []);
    await api.stop();
  });

  it('shows that it is there when nothing happens', async (t) => {
    const api = await startApi({ limits: { streams: { ...limits, keepAliveMs: 20 } } });
    t.after(api.stop);
    const reader = await open(api, '/api/v1/events');
    await waitFor('three comments arrived', () => reader.text.split(': here\n\n').length > 3);
  });

  it('drops a reader that does not read, and only that one', async (t) => {
    const api = await startApi({ limits: { streams: limits } });
    t.after(api.stop);
    const good = await open(api, '/api/v1/events');
    const { address, port } = api.server.address();
    const slow = connect(port, address);
    slow.on('error', () => undefined);
    slow.write('GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
    slow.pause();
    await waitFor('both are open', () => api.server.stats().streamsOpen === 2);
    // The kernel takes some megabytes for a reader that does not read; then the bound holds.
    const error = 'x'.repeat(16 * 1024);
    let sent = 0;
    await waitFor('the slow reader was dropped', () => {
      api.services.emit('audio-device-changed', { device: 'd', state: 'opening', error });
      sent += 1;
      return api.server.stats().streamsDropped === 1;
    });
    await waitFor('its stream to be closed', () => api.server.stats().streamsOpen === 1);
    await waitFor(
      'the other has all',
      () => good.events('audio-device-changed').length === sent + 1,
    );
    slow.destroy();
    await api.stop();
  });

  it('refuses more readers than it allows, and takes the next when one has left', async (t) => {
    const api = await startApi({ limits: { streams: limits } });
    t.after(api.stop);
    const readers = [];
    for (let i = 0; i < limits.maxStreams; i += 1) readers.push(await open(api, '/api/v1/events'));
    const refused = await ask(api, '/api/v1/events');
    assert.equal(refused.status, 503);
    assert.match(refused.text, /API_TOO_MANY_STREAMS/);
    readers[0]?.leave();
    await waitFor('one has left', () => api.server.stats().streamsOpen === limits.maxStreams - 1);
    await open(api, '/api/v1/events');
    await api.stop();
    assert.equal(api.server.stats().streamsOpen, 0);
  });
});

describe('the log stream', () => {
  it('ends after the lines asked for', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    for (let i = 0; i < 150; i += 1) api.services.log.write(`{"n":${i}}\n`);
    const all = await ask(api, '/api/v1/logs', { control: true });
    assert.equal(all.headers['content-type'], 'application/x-ndjson');
    assert.equal(all.text.trim().split('\n').length, 100);
    const two = await ask(api, '/api/v1/logs?lines=2', { control: true });
    assert.equal(two.text, '{"n":148}\n{"n":149}\n');
  });

  it('goes on with new lines, and lets go of the log when the reader leaves', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    api.services.log.write('{"n":1}\n');
    const reader = await open(api, '/api/v1/logs?lines=5&follow=1', true);
    await waitFor('the old line arrived', () => reader.text === '{"n":1}\n');
    api.services.log.write('{"n":2}\n');
    await waitFor('the new line arrived', () => reader.text === '{"n":1}\n{"n":2}\n');
    reader.leave();
    await waitFor('the stream is closed', () => api.server.stats().streamsOpen === 0);
    assert.equal(api.services.log.followers, 0);
  });

  for (const query of [
    'lines=0',
    'lines=2001',
    'lines=-1',
    'lines=1.5',
    'lines=',
    'lines=1e3',
    'follow=yes',
  ]) {
    it(`refuses ${query}`, async (t) => {
      const api = await startApi();
      t.after(api.stop);
      const answer = await ask(api, `/api/v1/logs?${query}`, { control: true });
      assert.equal(answer.status, 400);
      assert.match(answer.text, /API_QUERY_INVALID.*(1 to 2000|one of)/);
    });
  }
});

describe('the trace stream', () => {
  function packet(api: TestApi, captureTimeNs: bigint): void {
    const { traced } = api.services;
    traced.received({ captureTimeNs, samples: 480 }, captureTimeNs + 12_000_000n);
    traced.written('s1', captureTimeNs + 12_500_000n);
    traced.told(captureTimeNs, {
      encodedNs: captureTimeNs + 10_500_000n,
      sentNs: captureTimeNs + 11_000_000n,
    });
  }

  it('follows packets while somebody reads, and no longer', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const { traced } = api.services;
    assert.equal(traced.isOn, false);
    const reader = await open(api, '/api/v1/trace?seconds=60', true);
    await waitFor('the trace is on', () => traced.isOn);
    packet(api, 1_000_000n);
    await waitFor('the packet arrived', () => reader.text !== '');
    assert.deepEqual(JSON.parse(reader.text), {
      capturedUs: 1_000,
      completeMs: 10,
      encodedMs: 10.5,
      sentMs: 11,
      receivedMs: 12,
      written: [{ session: 's1', ms: 12.5 }],
    });
    reader.leave();
    await waitFor('the trace is off', () => !traced.isOn);
  });

  it('ends by itself', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    const answer = await ask(api, '/api/v1/trace?seconds=1', { control: true });
    assert.equal(answer.status, 200);
    await waitFor('the trace is off', () => !api.services.traced.isOn);
  });

  for (const query of ['seconds=0', 'seconds=61', 'seconds=', 'seconds=5.5', 'seconds=-1']) {
    it(`refuses ${query}`, async (t) => {
      const api = await startApi();
      t.after(api.stop);
      const answer = await ask(api, `/api/v1/trace?${query}`, { control: true });
      assert.equal(answer.status, 400);
      assert.match(answer.text, /1 to 60/);
    });
  }

  it('is for programs on the device only', async (t) => {
    const api = await startApi();
    t.after(api.stop);
    assert.equal((await ask(api, '/api/v1/trace')).status, 403);
  });
});
