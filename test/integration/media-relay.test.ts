import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { silentLog } from '../../src/log/log.ts';
import { MediaHub } from '../../src/media/media-hub.ts';
import { plaintextAlert, rtpWithHugeExtension } from '../fixtures/dtls-datagrams.ts';
import { OpusSource } from '../fixtures/opus-source.ts';
import { TurnServer } from '../fixtures/turn-server.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { WeriftViewer } from '../fixtures/werift-viewer.ts';

/** A TURN server of its own, that relays to this machine. */
describe('a device that is reached through a relay only', () => {
  let turn: TurnServer;
  let hub: MediaHub | undefined;
  let source: OpusSource | undefined;

  before(async () => {
    turn = await TurnServer.start();
    hub = new MediaHub({
      config: {
        iceServers: [{ urls: [turn.url('udp')], username: 'viewer', credential: 'secret' }],
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
    source?.stop();
    await hub?.stop();
    await turn.stop();
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
      { urls: [turn.url('udp')], username: 'viewer', credential: 'secret' },
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
