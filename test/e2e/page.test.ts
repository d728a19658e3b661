import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { EarshotError } from '../../src/errors/earshot-error.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { launchChromium, type PageLab, type ViewerRecord } from './page-lab.ts';
import { type PageStage, startPageStage } from './page-stage.ts';
import { look, lowContrast, sent, strip } from './page-visit.ts';

/** The page in a real browser, against the real server, hearing a real peer connection. */

let stage: PageStage;
let lab: PageLab;

before(async () => {
  stage = await startPageStage();
  lab = stage.lab;
});

after(() => stage?.stop());

function answered(viewer: ViewerRecord | undefined): boolean {
  return viewer !== undefined && sent(viewer, 'webrtc_answer') !== undefined;
}

const radio = (page: Page, name: RegExp) =>
  page.getByRole('group', { name: 'Quality', exact: true }).getByRole('radio', { name });
const hostMeter = (page: Page) => page.getByRole('meter', { name: 'Level of the host’s sound' });

async function checked(page: Page, name: RegExp): Promise<void> {
  await waitFor(`${name} to be chosen`, () => radio(page, name).isChecked());
}

test('connects, plays in stereo, says so to the device, and measures', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    await strip(page).getByText('Connected', { exact: true }).waitFor();
    await waitFor('the report of sound', () => sent(viewer, 'client_media_ready'));
    assert.match(sent(viewer, 'webrtc_answer')?.sdp ?? '', /a=fmtp:111 .*stereo=1/);
    // The host's left channel is 12 dB above its right one: only a stereo decoder keeps that.
    const reading = await waitFor('a reading of the meter', async () => {
      const text = await hostMeter(page).getAttribute('aria-valuetext');
      const [, left, right] = /^left (-\d+) dB, right (-\d+) dB$/.exec(text ?? '') ?? [];
      return Number(left) > -15 && { left: Number(left), right: Number(right) };
    });
    assert.ok(reading.left - reading.right > 8 && reading.left - reading.right < 16);
    const bitrate = await waitFor('a measurement', async () => {
      const value = await look(page, 'measurement?.bitrateKbps');
      return typeof value === 'number' && value;
    });
    assert.ok(bitrate > 10 && bitrate < 300, `${bitrate} kbps`);
    assert.equal(await look(page, 'stream.getAudioTracks().length'), 1);
    await page
      .getByRole('img', { name: /^Jitter buffer, last 60 seconds: \d+ to \d+ ms$/ })
      .waitFor();
    await page.getByText('Figures as a table').click();
    await page.getByRole('row', { name: /^Bitrate kbps \d+ \d+ \d+ \d+$/ }).waitFor();
  });
});

test('shows each preset with the values the board runs it with', async () => {
  await stage.visit(async (page) => {
    await radio(page, /^Low 32 kbps Mono 40 ms frames Complexity 2$/).waitFor();
    await radio(page, /^Medium 64 kbps Stereo 20 ms frames Complexity 5$/).waitFor();
    await radio(page, /^High 128 kbps Stereo 10 ms frames Complexity 6$/).waitFor();
    await radio(page, /^Ultra 256 kbps Stereo 10 ms frames Complexity 8$/).waitFor();
  });
});

test('the quality is chosen by mouse and by arrow keys, and follows other viewers', async () => {
  await stage.visit(async (page) => {
    await radio(page, /^High/).check();
    await waitFor('the device to have it', () => lab.memory.audio.quality().quality === 'high');
    await radio(page, /^High/).focus();
    await page.keyboard.press('ArrowRight');
    await waitFor('the device to have it', () => lab.memory.audio.quality().quality === 'ultra');
    await checked(page, /^Ultra/);
    await lab.memory.audio.setQuality({ quality: 'medium' });
    await checked(page, /^Medium/);
  });
});

test('a choice shows before the device answers', async () => {
  await stage.visit(async (page) => {
    await checked(page, /^Medium/);
    const { promise, resolve } = Promise.withResolvers<void>();
    lab.memory.beforeChange = () => promise;
    await radio(page, /^Low/).click();
    await page.locator('.quality fieldset[aria-busy="true"]').waitFor();
    assert.equal(await radio(page, /^Low/).isChecked(), true);
    assert.equal(lab.memory.audio.quality().quality, 'medium');
    resolve();
    await page.locator('.quality fieldset[aria-busy="false"]').waitFor();
    assert.equal(lab.memory.audio.quality().quality, 'low');
    lab.memory.beforeChange = async () => undefined;
    await lab.memory.audio.setQuality({ quality: 'medium' });
  });
});

test('a refusal goes back to what holds and shows the device’s words', async (t) => {
  const words = 'The settings could not be written: no space left on device.';
  const page = await stage.browser.newPage();
  t.after(() => page.close());
  await page.goto(lab.url);
  await checked(page, /^Medium/);
  lab.memory.beforeChange = async () => {
    throw new EarshotError('SETTINGS_WRITE_FAILED', words);
  };
  t.after(() => {
    lab.memory.beforeChange = async () => undefined;
  });
  // Not check(): it insists on the state that the refusal takes back.
  await radio(page, /^Ultra/).click();
  await page.getByRole('alert').getByText(words).waitFor();
  assert.equal(await radio(page, /^Medium/).isChecked(), true);
  assert.equal(await radio(page, /^Ultra/).isChecked(), false);
  await page.getByRole('switch', { name: 'Mute for everyone' }).click();
  await waitFor('both refusals', async () => (await page.getByRole('alert').count()) === 2);
  assert.equal(
    await page.getByRole('switch', { name: 'Mute for everyone' }).getAttribute('aria-checked'),
    'false',
  );
});

test('mute and volume are this browser’s own and remembered', async () => {
  await stage.visit(async (page) => {
    await stage.playing(page);
    await page.getByRole('slider', { name: 'Volume' }).fill('40');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('m');
    await page.getByRole('button', { name: 'Muted', pressed: true }).waitFor();
    assert.deepEqual(await look(page, 'output.muted'), true);
    assert.equal(lab.memory.audio.mute().muted, false);
    await page.reload();
    await stage.playing(page);
    assert.equal(await page.getByRole('slider', { name: 'Volume' }).inputValue(), '39');
    assert.ok(Math.abs(Number(await look(page, 'output.gain')) - 0.39 ** 2) < 1e-6);
    await page.getByRole('button', { name: 'Muted', pressed: true }).click();
    await page.getByRole('button', { name: 'Mute', exact: true, pressed: false }).waitFor();
    assert.equal(await look(page, 'output.muted'), false);
  });
});

test('the single-key shortcut can be turned off', async () => {
  await stage.visit(async (page) => {
    await page.getByRole('checkbox', { name: 'Single-key shortcuts' }).uncheck();
    await page.keyboard.press('m');
    await page.keyboard.press('Control+m');
    await page.getByRole('checkbox', { name: 'Single-key shortcuts' }).check();
    assert.equal(await look(page, 'output.muted'), false);
    await page.keyboard.press('Control+m');
    assert.equal(await look(page, 'output.muted'), false);
    await page.keyboard.press('m');
    assert.equal(await look(page, 'output.muted'), true);
  });
});

test('the device’s mute is set for everyone', async () => {
  await stage.visit(async (page) => {
    await stage.playing(page);
    const toggle = page.getByRole('switch', { name: 'Mute for everyone' });
    await toggle.click();
    await strip(page).getByText('Connected, muted at the device').waitFor();
    assert.equal(lab.memory.audio.mute().muted, true);
    assert.equal(await look(page, 'output.muted'), false);
    await lab.memory.audio.setMute({ muted: false });
    await strip(page).getByText('Connected', { exact: true }).waitFor();
    assert.equal(await toggle.getAttribute('aria-checked'), 'false');
  });
});

test('where the browser blocks sound a button says so, and pressing it plays', async (t) => {
  const strict = await launchChromium({ autoplay: false });
  t.after(() => strict.close());
  const last = lab.viewer;
  await stage.visit(
    async (page) => {
      // Looking into the page counts as a gesture to Chromium (the tool says so to it), so nothing
      // may look before the page has tried to play, which it does before it answers.
      await waitFor('an answer', () => lab.viewer !== last && answered(lab.viewer));
      const button = page.getByRole('button', { name: 'Play the host’s sound' });
      await button.waitFor();
      assert.equal(await look(page, 'playback'), 'blocked');
      await strip(page).getByText('Connected, waiting for you').waitFor();
      const viewer = lab.viewer;
      assert.ok(viewer);
      assert.equal(sent(viewer, 'client_media_ready'), undefined);
      await button.click();
      await stage.playing(page);
      await button.waitFor({ state: 'detached' });
      await waitFor('the report of sound', () => sent(viewer, 'client_media_ready'));
      // The meter's context was blocked as well and must run now.
      await waitFor('a reading of the meter', async () =>
        /^left -\d/.test((await hostMeter(page).getAttribute('aria-valuetext')) ?? ''),
      );
    },
    { browser: strict },
  );
});

test('reset media builds the connection anew within the session', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    const sessions = lab.viewers.length;
    const first = await page.evaluate('window.before = window.earshot.stream; window.before.id');
    await page.getByRole('button', { name: 'Reset media' }).click();
    await waitFor('a new stream', async () => {
      const id = await look(page, 'stream?.id');
      return id !== undefined && id !== first && (await look(page, 'playback')) === 'playing';
    });
    await strip(page).getByText('Connected', { exact: true }).waitFor();
    assert.ok(sent(viewer, 'direct_media_reset_request'));
    assert.equal(lab.viewers.length, sessions);
    assert.equal(await page.evaluate('window.before.getAudioTracks()[0].readyState'), 'ended');
  });
});

test('a lost signaling connection is named, and comes back by itself', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    viewer.viewer.end('the device is stopping');
    await strip(page).getByText('the device is stopping.').waitFor();
    await waitFor('a new session', () => lab.viewer !== viewer);
    await stage.playing(page);
    await strip(page).getByText('Connected', { exact: true }).waitFor();
    assert.equal(viewer.closed, true);
  });
});

test('a connection cut in the middle of its negotiation does not hold up the next', async () => {
  const sessions = lab.viewers.length;
  lab.cuts = 3;
  await stage.visit(async (page) => {
    await waitFor('the sessions after the cuts', () => lab.viewers.length >= sessions + 4);
    await stage.playing(page);
    assert.equal(lab.viewers.length, sessions + 4);
  });
});

test('a media failure that the device reports is shown, and media is asked for anew', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    const reason = 'No candidate pair answered within 15 s';
    viewer.viewer.send({ type: 'session_state', state: 'failed', reason });
    await strip(page).getByText('Connection failed').waitFor();
    await strip(page).getByText(`${reason}.`).waitFor();
    await page.getByRole('button', { name: 'Try now' }).click();
    await waitFor('a reset request', () => sent(viewer, 'direct_media_reset_request'));
    await stage.playing(page);
    await strip(page).getByText('Connected', { exact: true }).waitFor();
    assert.equal(lab.viewer, viewer);
  });
});

test('an offer that is garbage is a failure in words, not the end of the page', async () => {
  await stage.visit(async (page) => {
    const viewer = await stage.playing(page);
    viewer.viewer.send({ type: 'webrtc_offer', sdp: 'v=0 nonsense' });
    await strip(page).getByText('Connection failed').waitFor();
    await stage.playing(page);
  });
});

test('no sound device on the host side is named with its reason', async () => {
  await stage.visit(async (page) => {
    await stage.playing(page);
    const error = 'hw:CARD=UAC1Gadget: Device or resource busy';
    lab.memory.emit('audio-device-changed', {
      device: 'hw:CARD=UAC1Gadget',
      state: 'opening',
      error,
    });
    await strip(page).getByText('No sound device on the host side').waitFor();
    await strip(page).getByText(error).waitFor();
    lab.memory.emit('audio-device-changed', {
      device: 'hw:CARD=UAC1Gadget',
      state: 'open',
      error: '',
    });
    await strip(page).getByText('Connected', { exact: true }).waitFor();
    const [child] = lab.memory.children.statuses();
    assert.ok(child);
    lab.memory.emit('audio-process-metrics', { ...child, state: 'failed' });
    await strip(page).getByText('Sound capture has failed').waitFor();
  });
});

test('the device to capture from is chosen, and kept at the device', async () => {
  await stage.visit(async (page) => {
    const choice = page.getByRole('combobox', { name: 'Host’s sound from' });
    await waitFor('the choice', async () => (await choice.inputValue()) === 'hw:CARD=UAC1Gadget');
    await choice.selectOption('HDMI sound of the host');
    await waitFor('the device to have it', async () => {
      const { current } = await lab.memory.audio.devices();
      return current === 'hw:CARD=HDMI';
    });
    await choice.selectOption('USB sound of the host');
    await waitFor('the choice', async () => (await choice.inputValue()) === 'hw:CARD=UAC1Gadget');
  });
});

test('device facts come from its events', async () => {
  await stage.visit(async (page) => {
    await page.getByRole('combobox', { name: 'Host’s sound from' }).waitFor();
    lab.memory.emit('audio-metrics-update', { ...lab.memory.audio.status(), xruns: 12_345 });
    await page.getByText('12\u202f345').waitFor();
  });
});

test('an answer that events have overtaken changes nothing that they said', async () => {
  await stage.visit(async (page) => {
    const overtaken = Promise.withResolvers<void>();
    const late: string[] = [];
    // Answered by the device at once, and read by the page only after the events.
    for (const path of ['status', 'audio/devices']) {
      await page.route(`**/api/v1/${path}`, async (route) => {
        const response = await route.fetch();
        await overtaken.promise;
        await route.fulfill({ response });
        late.push(path);
      });
    }
    await page.reload();
    await checked(page, /^Medium/);
    const status = lab.memory.audio.status();
    await lab.memory.audio.setDevice('hw:CARD=HDMI');
    lab.memory.emit('audio-metrics-update', {
      ...status,
      device: 'hw:CARD=HDMI',
      xruns: 12_345,
    });
    await waitFor('the event', async () => (await page.getByText('12\u202f345').count()) === 1);
    overtaken.resolve();
    await waitFor('the answers', () => new Set(late).size === 2);
    const choice = page.getByRole('combobox', { name: 'Host’s sound from' });
    await waitFor('the choice', async () => (await choice.inputValue()) === 'hw:CARD=HDMI');
    await page.getByText('Earshot 0.0.0-lab').waitFor();
    assert.equal(await page.getByText('12\u202f345').count(), 1);
    await page.unrouteAll({ behavior: 'wait' });
    await lab.memory.audio.setDevice('hw:CARD=UAC1Gadget');
  });
});

for (const width of [320, 414, 700, 1_024]) {
  test(`nothing scrolls sideways at ${width} px`, async () => {
    await stage.visit(
      async (page) => {
        await stage.playing(page);
        await page.getByText('Figures as a table').click();
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
      },
      { context: { viewport: { width, height: 700 } } },
    );
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`is readable in a ${colorScheme} scheme`, async () => {
    await stage.visit(
      async (page) => {
        await stage.playing(page);
        const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        const [red = 0] = String(ground).match(/\d+/g)?.map(Number) ?? [];
        assert.equal(red < 64 ? 'dark' : red > 192 ? 'light' : 'neither', colorScheme);
        assert.deepEqual(await page.evaluate(lowContrast), []);
      },
      { context: { colorScheme } },
    );
  });
}

test('less motion is respected', async () => {
  await stage.visit(
    async (page) => {
      await page.locator('.state-lamp').first().waitFor();
      const running = await page.evaluate('document.getAnimations().length');
      assert.equal(running, 0);
    },
    { context: { reducedMotion: 'reduce' } },
  );
});

test('every control has a name, is reached by Tab and shows its focus', async () => {
  await stage.visit(async (page) => {
    await stage.playing(page);
    await strip(page).getByText('Connected', { exact: true }).waitFor();
    await page.getByRole('region', { name: 'Serial console' }).waitFor();
    const client = await page.context().newCDPSession(page);
    const { nodes } = await client.send('Accessibility.getFullAXTree');
    const roles = new Set([
      'button',
      'radio',
      'slider',
      'switch',
      'checkbox',
      'meter',
      'image',
      'table',
      'combobox',
    ]);
    const named = nodes.filter(({ ignored, role }) => !ignored && roles.has(String(role?.value)));
    assert.ok(named.length >= 13, `${named.length} controls`);
    const nameless = named.filter(({ name }) => String(name?.value ?? '').trim() === '');
    assert.deepEqual(nameless, []);
    const reached: string[] = [];
    for (let step = 0; step < 32; step += 1) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(`(() => {
        const e = document.activeElement;
        const ring = e.closest('.tile') ?? e;
        const { outlineStyle, outlineWidth } = getComputedStyle(ring);
        return e === document.body ? 'end' : [e.type || e.localName, outlineStyle !== 'none' && outlineWidth !== '0px'].join(' ');
      })()`);
      if (focus === 'end') break;
      reached.push(String(focus));
    }
    // Power: press, hold, reset, wake; the console: open, line, save.
    const host = [...Array(6).fill('button'), 'a'];
    const listening = ['button', 'range', 'button', 'radio', 'radio'];
    // What is disabled while the microphone is off is not reached.
    const microphone = ['button', 'checkbox', 'radio', 'select-one', ...Array(4).fill('checkbox')];
    const watching = ['summary', 'select-one', 'select-one', 'checkbox'];
    assert.deepEqual(
      reached,
      ['button', ...host, ...listening, ...microphone, ...watching].map((type) => `${type} true`),
    );
    assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  });
});
