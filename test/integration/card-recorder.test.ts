import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Card, measureCardDelay, playChirps } from '../lab/card-delay.ts';
import { CardRecorder } from '../lab/card-recorder.ts';
import { type SoundServer, startSoundServer } from '../lab/sound-server.ts';
import type { Playback } from '../lab/wav-player.ts';

describe('measuring from sound card to sound card', () => {
  let server: SoundServer;
  let chirps: Playback;

  before(async () => {
    server = await startSoundServer({
      sinks: [
        { name: 'hdmi', isMicrophone: true },
        { name: 'twin', alsoInto: 'hdmi' },
        { name: 'silent' },
      ],
    });
    chirps = await playChirps({ server, sink: 'twin' });
  });

  after(async () => {
    await chirps.stop();
    await server.stop();
  });

  async function assertZero(from: Card, to: Card): Promise<void> {
    const { delaysMs, missed } = await measureCardDelay({ from, to, ms: 4_000 });
    assert.ok(delaysMs.length >= 5, `${delaysMs.length} chirps`);
    assert.equal(missed, 0);
    for (const delay of delaysMs) assert.ok(Math.abs(delay) <= 1, `${delay} ms`);
  }

  it('finds no delay between a card and itself', () =>
    assertZero({ server, sink: 'hdmi' }, { server, sink: 'hdmi' }));

  it('finds no delay between two cards that play the same sound at the same time', () =>
    assertZero({ server, sink: 'twin' }, { server, sink: 'hdmi' }));

  it('finds no delay between a card and the microphone that it is', () =>
    assertZero({ server, sink: 'hdmi' }, { server, sink: 'hdmi', asMicrophone: true }));

  it('names no microphone for a card that is none', () => {
    assert.throws(() => server.microphoneName('silent'), /'silent' is no microphone/);
  });

  it('misses every chirp on a card that plays nothing', async () => {
    const from = { server, sink: 'hdmi' };
    const { delaysMs, missed } = await measureCardDelay({
      from,
      to: { server, sink: 'silent' },
      ms: 2_500,
    });
    assert.deepEqual(delaysMs, []);
    assert.ok(missed >= 2, `${missed} missed`);
  });

  it('says so when nothing was recorded', async () => {
    await assert.rejects(new CardRecorder(server, 'silent').stop(), /nothing was recorded/);
  });
});
