import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as v from 'valibot';
import { serialStatusSchema } from '../../src/api/schema.ts';
import { defaultSerialSocketLimits } from '../../src/api/serial-sockets.ts';
import { openNativeSerialPort } from '../../src/control/serial/native-serial-port.ts';
import { type SerialSettings, serialSchema } from '../../src/control/serial/serial-config.ts';
import { SerialConsole } from '../../src/control/serial/serial-console.ts';
import { silentLog } from '../../src/log/log.ts';
import { ask, send, startApi } from '../fixtures/api-server.ts';
import { ConsoleClient } from '../fixtures/console-client.ts';
import { InMemoryServices } from '../fixtures/in-memory-services.ts';
import { PtyHost } from '../fixtures/pty-host.ts';
import { everyByte } from '../fixtures/serial-port-contract.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { plugPtyPair } from '../lab/pty-pair.ts';

/** The real server in front of the real console, on one end of a line; at the other stands the host. */
async function start(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'earshot-console-'));
  const line = { pair: await plugPtyPair(directory), host: new PtyHost() };
  line.host = await PtyHost.open(line.pair.host);
  let settings: SerialSettings = {};
  const serial = new SerialConsole({
    config: v.parse(serialSchema, { port: line.pair.device }),
    settings: {
      current: () => settings,
      replace: async (next) => {
        settings = next;
      },
    },
    open: openNativeSerialPort,
    log: silentLog,
  });
  const services = Object.assign(new InMemoryServices(), { serial });
  serial.on('state', (status) => services.emit('serial-state-changed', status));
  const api = await startApi({ services });
  serial.start();
  t.after(async () => {
    await api.stop();
    await serial.stop();
    await line.host.close();
    await line.pair.unplug();
    await rm(directory, { recursive: true, force: true });
  });
  await waitFor('the port is open', () => serial.status().state === 'open');
  const open = () => ConsoleClient.open(api.server.address().port);
  return { api, serial, line, directory, open };
}

describe('the WebSocket of the serial console', () => {
  it('carries every byte both ways, to every reader and from one writer', async (t) => {
    const { line, open } = await start(t);
    const [writer, reader] = [await open(), await open()];
    line.host.send(everyByte);
    for (const client of [writer, reader]) {
      await waitFor('the bytes', () => client.bytes.length === 256);
      assert.deepEqual(client.bytes, Buffer.from(everyByte));
    }
    reader.socket.send(everyByte);
    await waitFor('it is refused', () => reader.last('error')?.code === 'SERIAL_NOT_WRITER');
    writer.ask({ type: 'writer', wanted: true });
    await waitFor('the place', () => writer.last('writer')?.held);
    writer.socket.send(everyByte);
    let arrived = Buffer.alloc(0);
    await waitFor('the bytes at the host', () => {
      arrived = Buffer.concat([arrived, line.host.take()]);
      return arrived.length === 256;
    });
    assert.deepEqual(arrived, Buffer.from(everyByte));
    await waitFor('it was told', () => writer.last('taken')?.bytes === 256);
    reader.ask({ type: 'writer', wanted: true });
    await waitFor('an answer', () => reader.last('writer')?.held === false);
    reader.ask({ type: 'writer', wanted: true, takeover: true });
    await waitFor('the place', () => reader.last('writer')?.held);
    await waitFor('it was told', () => writer.last('writer')?.held === false);
    await reader.close();
    await waitFor('the place is free', () => writer.last('state')?.status.writer === null);
  });

  it('gives who comes later the past, over the API too', async (t) => {
    const { api, line, open } = await start(t);
    line.host.send('Debian GNU/Linux\r\nlogin: ');
    const before = await open();
    await waitFor('the bytes', () => before.bytes.length === 25);
    const later = await open();
    await waitFor('the past', () => later.bytes.length === 25);
    const hello = later.told[0];
    assert.ok(hello?.type === 'hello');
    assert.equal(hello.scrollbackBytes, 25);
    const answer = await ask(api, '/api/v1/serial/scrollback');
    assert.equal(answer.text, 'Debian GNU/Linux\r\nlogin: ');
    assert.equal(answer.headers['content-type'], 'application/octet-stream');
  });

  it('holds a writer back whose host does not read, and loses nothing of one who listens', async (t) => {
    const { serial, line, open } = await start(t);
    const client = await open();
    client.ask({ type: 'writer', wanted: true });
    await waitFor('the place', () => client.last('writer')?.held);
    const text = Buffer.alloc(300_000, 'All work and no play makes Jack a dull boy.\r\n');
    let sent = 0;
    const push = (): void => {
      const taken = client.last('taken')?.bytes ?? 0;
      while (sent < text.length && sent - taken + 8_192 <= 64 * 1024) {
        client.socket.send(text.subarray(sent, sent + 8_192));
        sent = Math.min(text.length, sent + 8_192);
      }
    };
    client.socket.on('message', push);
    push();
    let arrived = Buffer.alloc(0);
    // Stuck, with the window used up, the console still hears the host.
    line.host.send('slow down');
    await waitFor('the host is heard', () => client.bytes.toString() === 'slow down');
    await waitFor('every byte', () => {
      arrived = Buffer.concat([arrived, line.host.take()]);
      return arrived.length === text.length;
    });
    assert.ok(arrived.equals(text));
    await waitFor('it was told', () => client.last('taken')?.bytes === text.length);
    assert.equal(serial.status().refusedBytes, 0);
  });

  it('loses nothing of a host that sends as fast as it can', async (t) => {
    const { serial, line, open } = await start(t);
    const client = await open();
    const sent = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 31) % 251));
    let at = 0;
    await waitFor('every byte is sent', () => {
      at += line.host.trySend(sent.subarray(at, at + 4_096));
      return at === sent.length;
    });
    await waitFor('every byte', () => client.bytes.length === sent.length);
    assert.ok(client.bytes.equals(sent));
    assert.equal(serial.status().missedBytes, 0);
    // What is kept of it is its end.
    const later = await open();
    const kept = await waitFor('a greeting', () => later.last('hello')?.scrollbackBytes);
    assert.ok(kept > 255 * 1024 && kept <= 256 * 1024, `${kept}`);
    await waitFor('the past', () => later.bytes.length === kept);
    assert.ok(later.bytes.equals(sent.subarray(-kept)));
  });

  it('goes on when the adapter is unplugged and comes back', async (t) => {
    const { serial, line, directory, open } = await start(t);
    const client = await open();
    await line.host.close();
    await line.pair.unplug();
    await waitFor('it is told', () => client.last('state')?.status.state === 'opening');
    line.pair = await plugPtyPair(directory);
    line.host = await PtyHost.open(line.pair.host);
    await waitFor('it is back', () => client.last('state')?.status.state === 'open');
    line.host.send('back');
    await waitFor('the host is heard', () => client.bytes.toString() === 'back');
    assert.equal(serial.status().reopens, 1);
  });

  it('answers what is no message of it, and goes on', async (t) => {
    const { line, open } = await start(t);
    const client = await open();
    const wrong: [text: string, message: RegExp][] = [
      ['{', /^The message is not JSON/],
      ['1', /^type: "" is not allowed; expected one of writer, break, signals$/],
      ['{"type":"jump"}', /^type: jump is not allowed/],
      ['{"type":"constructor"}', /^type: constructor is not allowed/],
      ['{"type":"break","ms":0}', /^ms: 0 is not allowed; expected a whole number from 1 to 2000$/],
      ['{"type":"writer"}', /^wanted: is missing; expected true or false$/],
      ['{"type":"writer","wanted":true,"force":1}', /^force: unknown key/],
    ];
    for (const [index, [text, message]] of wrong.entries()) {
      client.socket.send(text);
      await waitFor('an answer', () => client.told.length === index + 2 && client.last('error'));
      assert.equal(client.last('error')?.code, 'SERIAL_MESSAGE_INVALID', text);
      assert.match(client.last('error')?.message ?? '', message);
    }
    client.ask({ type: 'writer', wanted: true });
    await waitFor('the place', () => client.last('writer')?.held);
    client.ask({ type: 'break' });
    await waitFor(
      'no break here',
      () => client.last('error')?.code === 'SERIAL_SIGNALS_UNSUPPORTED',
    );
    line.host.send('still here');
    await waitFor('the host is heard', () => client.bytes.toString() === 'still here');
    client.socket.send(Buffer.alloc(defaultSerialSocketLimits.maxMessageBytes + 1));
    assert.equal((await client.closed).code, 1009);
  });

  it('refuses another subprotocol, a query, and a device without a console', async (t) => {
    const { api } = await start(t);
    const { port } = api.server.address();
    const refusal = async (at: string): Promise<number> => {
      const { socket } = new ConsoleClient(`ws://127.0.0.1:${at}`);
      const [, answer] = await once(socket, 'unexpected-response', {
        signal: AbortSignal.timeout(10_000),
      });
      socket.terminate();
      return answer.statusCode;
    };
    assert.equal(await refusal(`${port}/api/v1/serial/console?a=b`), 400);
    const other = new ConsoleClient(`ws://127.0.0.1:${port}/api/v1/serial/console`, []);
    assert.equal((await other.closed).code, 1002);
    const without = new SerialConsole({
      config: v.parse(serialSchema, {}),
      settings: { current: () => ({}), replace: async () => undefined },
      open: openNativeSerialPort,
      log: silentLog,
    });
    const bare = await startApi({
      services: Object.assign(new InMemoryServices(), { serial: without }),
    });
    t.after(bare.stop);
    assert.equal(await refusal(`${bare.server.address().port}/api/v1/serial/console`), 409);
    const { status, json } = await ask(bare, '/api/v1/serial');
    assert.equal(status, 200);
    assert.equal(v.parse(serialStatusSchema, json).state, 'none');
    assert.equal((await ask(bare, '/api/v1/serial/scrollback')).status, 409);
  });
});

describe('the routes of the serial console', () => {
  it('set the line, on the real port, and keep it', async (t) => {
    const { api, line, open } = await start(t);
    const changes = [
      { baudRate: 31_250 },
      { parity: 'even', dataBits: 7 },
      { flowControl: 'xonxoff' },
    ];
    for (const change of changes) {
      const answer = await send(api, '/api/v1/serial/line', change);
      assert.equal(answer.status, 200, answer.text);
    }
    const { line: now, state } = v.parse(
      serialStatusSchema,
      (await ask(api, '/api/v1/serial')).json,
    );
    assert.deepEqual(now, {
      baudRate: 31_250,
      dataBits: 7,
      parity: 'even',
      stopBits: 1,
      flowControl: 'xonxoff',
    });
    assert.equal(state, 'open');
    const client = await open();
    line.host.send('hello');
    await waitFor('the host is heard', () => client.bytes.toString() === 'hello');
    for (const wrong of [{ baudRate: 1 }, { dataBits: 9 }, { parity: 'mark' }, { speed: 1 }]) {
      assert.equal((await send(api, '/api/v1/serial/line', wrong)).status, 400);
    }
  });

  it('send a break, where the port has one', async (t) => {
    const { api } = await start(t);
    const answer = await send(api, '/api/v1/serial/break', { ms: 10 });
    assert.equal(answer.status, 409);
    assert.match(answer.text, /SERIAL_SIGNALS_UNSUPPORTED/);
    assert.equal((await send(api, '/api/v1/serial/break', { ms: 5_000 })).status, 400);
  });
});
