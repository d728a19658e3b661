import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { plaintextAlert, rtpWithHugeExtension } from '../fixtures/dtls-datagrams.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Whether a STUN request to that port is answered within a moment. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const answered = new Promise<boolean>((resolve) => {
    socket.once('message', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.connect(port, '127.0.0.1', () => {
    socket.send(Buffer.from('000100002112a442000102030405060708090a0b', 'hex'));
  });
  const result = await Promise.race([answered, sleep(100, false)]);
  socket.close();
  return result;
}

/** A TURN server of its own, that relays to this machine. */
describe('a device that is reached through a relay only', () => {
  let directory: string;
  let server: ChildProcess;
  let port: number;
  let hub: MediaHub | undefined;
  let source: OpusSource | undefined;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'earshot-turn-'));
    port = await freePort();
    server = spawn(
      'turnserver',
      [
        ...[
          '-n',
          '-a',
          '-u',
          'viewer:secret',
          '-r',
          'earshot',
          '-L',
          '127.0.0.1',
          '-E',
          '127.0.0.1',
        ],
        ...['-p', String(port), '--no-tls', '--no-dtls', '--no-cli', '--allow-loopback-peers'],
        ...['--userdb', join(directory, 'db'), '--pidfile', join(directory, 'pid')],
        ...['--log-file', 'stdout', '--simple-log'],
      ],
      { stdio: 'ignore' },
    );
    await waitFor('the TURN server to answer', () => answers(port));
    hub = new MediaHub({
      config: {
        iceServers: [
          { urls: [`turn:127.0.0.1:${port}`], username: 'viewer', credential: 'secret' },
        ],
        udpPortMin: 0,
        udpPortMax: 0,
        // Not of this machine: no host candidate is left, only the relay's.
        addresses: ['203.0.113.77'],
        maxViewers: 2,
      },
      log: silentLog,
    });
    await hub.start();
    const started = hub;
    source = new OpusSource({ publish: (frame) => started.publishAudio(frame), frameMs: 20 });
    source.start();
  });

  after(async () => {
    const exit = once(server, 'exit');
    server.kill();
    await exit;
    source?.stop();
    await hub?.stop();
    await rm(directory, { recursive: true });
  });

  test('sound passes, and attacks through the relay are refused like any other', async () => {
    assert.ok(hub);
    const sessions = () => hub?.sessions() ?? [];
    const viewer = new WeriftViewer();
    viewer.watch(hub);
    await waitFor('packets', () => viewer.packets.length > 20);
    const config = viewer.messages.find(({ type }) => type === 'webrtc_config');
    assert.ok(config?.type === 'webrtc_config');
    assert.deepEqual(config.ice_servers, [
      { urls: [`turn:127.0.0.1:${port}`], username: 'viewer', credential: 'secret' },
    ]);
    const candidates = viewer.messages.flatMap((message) =>
      message.type === 'ice_candidate' ? [message.candidate] : [],
    );
    assert.equal(candidates.length, 1);
    assert.match(candidates[0] ?? '', / typ relay /);
    for (const killer of [plaintextAlert, rtpWithHugeExtension()]) await viewer.sendRaw(killer);
    await waitFor('the refusals', () => (sessions()[0]?.datagramsRefused ?? 0) >= 2);
    const before = viewer.packets.length;
    await waitFor('media to go on', () => viewer.packets.length > before + 20);
    assert.equal(viewer.state, 'connected');
    await viewer.close();
  });
});
