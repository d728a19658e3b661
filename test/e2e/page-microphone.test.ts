import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import * as v from 'valibot';
import { devicesSchema, statusSchema } from '../../src/api/schema.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { namedHost, PageLab, type ViewerRecord } from './page-lab.ts';
import { type PageStage, startPageStage } from './page-stage.ts';
import { look, lowContrast, playing, sent } from './page-visit.ts';

/** The microphone of the page: a real browser with made-up microphones, heard by a real peer connection. */

let stage: PageStage;
let lab: PageLab;

before(async () => {
  stage = await startPageStage();
  lab = stage.lab;
});

after(() => stage?.stop());

/** Counts what the page asks the browser for. */
const countCaptures = `(() => {
  const devices = navigator.mediaDevices;
  if (devices === undefined) return;
  const open = devices.getUserMedia.bind(devices);
  window.captures = [];
  devices.getUserMedia = (constraints) => {
    window.captures.push(constraints.audio);
    return open(constraints);
  };
})()`;

/** Opens the page in a context of its own, which may use the microphone unless told otherwise. */
async function withSpeaker(
  use: (page: Page, viewer: ViewerRecord, context: BrowserContext) => Promise<void>,
  { mayCapture = true, viewport = { width: 1280, height: 1_400 } } = {},
): Promise<void> {
  const context = await stage.browser.newContext({ viewport });
  // What is not granted is denied.
  const permissions = mayCapture ? ['microphone'] : [];
  await context.grantPermissions(permissions, { origin: lab.url });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  await page.addInitScript(countCaptures);
  try {
    await page.goto(lab.url);
    await use(page, await stage.playing(page), context);
  } finally {
    await context.close();
    lab.memory.beforeChange = async () => undefined;
    await lab.memory.microphone.stop({});
  }
  assert.deepEqual(complaints, []);
}

const card = (page: Page) => page.getByRole('region', { name: 'Microphone', exact: true });
const status = (page: Page) => card(page).getByRole('status');

function button(page: Page, name: string) {
  return card(page).getByRole('button', { name, exact: true });
}

async function says(page: Page, words: RegExp): Promise<void> {
  await status(page).filter({ hasText: words }).waitFor();
}

async function turnOn(page: Page): Promise<void> {
  await button(page, 'Turn on').click();
  await button(page, 'Turn off').waitFor();
}

function holderOf(): string | undefined {
  return lab.memory.microphone.status().holder?.session;
}

const idOf = (viewer: ViewerRecord): string => String(lab.viewers.indexOf(viewer));

function answers(viewer: ViewerRecord): number {
  return viewer.received.filter(({ type }) => type === 'webrtc_answer').length;
}

/** The host hears more than it did: sound, not silence. */
async function isHeard(viewer: ViewerRecord): Promise<void> {
  const from = await lab.hears(viewer);
  await waitFor('the voice to be heard', async () => {
    return (await lab.hears(viewer)).energy > from.energy + 1e-5;
  });
}

/** No packet comes any more. */
async function isNotSent(viewer: ViewerRecord): Promise<void> {
  let last = -1;
  let since = performance.now();
  await waitFor('packets to stop', async () => {
    const { packets } = await lab.hears(viewer);
    if (packets !== last) {
      last = packets;
      since = performance.now();
    }
    return performance.now() - since > 400;
  });
}

/** Packets come, and carry nothing to be heard. */
async function isSilent(viewer: ViewerRecord): Promise<void> {
  let last = await lab.hears(viewer);
  await waitFor('packets of silence', async () => {
    const from = last;
    if ((await lab.hears(viewer)).packets < from.packets + 25) return false;
    last = await lab.hears(viewer);
    return last.energy - from.energy < 1e-6;
  });
}

const enabled = (page: Page) => look(page, 'microphone.track?.enabled');

describe('on and off', () => {
  test('nothing is captured before the button is pressed, and nothing is sent', async () => {
    await withSpeaker(async (page, viewer) => {
      await says(page, /Off.*Nothing is captured until you turn it on/);
      assert.deepEqual(await page.evaluate('window.captures'), []);
      assert.equal((await lab.hears(viewer)).packets, 0);
      assert.equal(holderOf(), undefined);
      // Agreed in the first answer all the same.
      assert.match(sent(viewer, 'webrtc_answer')?.sdp ?? '', /a=mid:1\r\n(?:a=.*\r\n)*?a=sendonly/);
    });
  });

  test('pressed: the host hears, the device knows who, card and tab show it; pressed again: none of it', async () => {
    await withSpeaker(async (page, viewer) => {
      await turnOn(page);
      await says(page, /Live.*The host hears you/);
      await isHeard(viewer);
      assert.equal(holderOf(), idOf(viewer));
      assert.match(await page.title(), /Live/);
      assert.equal(
        await page.locator('link[rel="icon"]').getAttribute('href'),
        '/favicon-live.svg',
      );
      await waitFor('a reading of the meter', async () => {
        const meter = card(page).getByRole('meter', { name: 'Level of your microphone' });
        return /^left -\d|^left 0/.test((await meter.getAttribute('aria-valuetext')) ?? '');
      });
      await waitFor('the bitrate', async () =>
        /Sent\s*[1-9]\d* kbps/.test((await page.locator('.mic-figures').textContent()) ?? ''),
      );
      await button(page, 'Turn off').click();
      await says(page, /Off/);
      await isNotSent(viewer);
      await waitFor('the floor to be free', () => holderOf() === undefined);
      assert.equal(await look(page, 'microphone.track'), undefined);
      assert.equal(await page.title(), 'Earshot');
    });
  });

  test('it negotiates nothing, and the host’s sound goes on meanwhile', async () => {
    await withSpeaker(async (page, viewer) => {
      await page.evaluate('window.first = window.earshot.connection');
      await page.evaluate(watchReceived);
      for (let round = 0; round < 3; round += 1) {
        await turnOn(page);
        await isHeard(viewer);
        await button(page, 'Turn off').click();
        await isNotSent(viewer);
      }
      assert.equal(answers(viewer), 1);
      assert.equal(sent(viewer, 'direct_media_reset_request'), undefined);
      assert.equal(await page.evaluate('window.earshot.connection === window.first'), true);
      const watched = await page.evaluate<{ stalls: number; emitted: number; concealed: number }>(
        'window.watched',
      );
      assert.ok(watched.emitted > 48_000, JSON.stringify(watched));
      assert.equal(watched.stalls, 0, JSON.stringify(watched));
      assert.ok(watched.concealed < watched.emitted / 4, JSON.stringify(watched));
    });
  });

  test('the badge says so while the card is scrolled away, and turns it off', async () => {
    await withSpeaker(
      async (page) => {
        await turnOn(page);
        const badge = page.getByRole('region', { name: 'Microphone state' });
        await page.getByText('Single-key shortcuts').scrollIntoViewIfNeeded();
        await badge.getByText('Microphone live').waitFor();
        await badge.getByRole('button', { name: 'Mute' }).click();
        await badge.getByText('Microphone muted').waitFor();
        await badge.getByRole('button', { name: 'Turn off' }).click();
        await badge.waitFor({ state: 'detached' });
        await waitFor('the floor to be free', () => holderOf() === undefined);
      },
      { viewport: { width: 390, height: 700 } },
    );
  });

  test('leaving the page frees the microphone', async () => {
    await withSpeaker(async (page) => {
      await turnOn(page);
      await page.goto('about:blank');
      await waitFor('the floor to be free', () => holderOf() === undefined);
    });
  });
});

/** Looks at the received sound five times a second: a second without a sample is a stall. */
const watchReceived = `(() => {
  const watched = { emitted: 0, concealed: 0, stalls: 0 };
  window.watched = watched;
  let first;
  let last;
  let lastMs;
  setInterval(async () => {
    const report = await window.earshot.getStats();
    report?.forEach((entry) => {
      if (entry.type !== 'inbound-rtp') return;
      const emitted = entry.jitterBufferEmittedCount;
      first ??= { emitted, concealed: entry.concealedSamples - entry.silentConcealedSamples };
      if (emitted !== last) lastMs = performance.now();
      if (performance.now() - lastMs > 1000) watched.stalls += 1;
      last = emitted;
      watched.emitted = emitted - first.emitted;
      watched.concealed = entry.concealedSamples - entry.silentConcealedSamples - first.concealed;
    });
  }, 200);
})()`;

describe('mute', () => {
  test('mutes at once, unmutes once the device agrees; others can mute and cannot open', async () => {
    await withSpeaker(async (page, viewer) => {
      const { microphone } = lab.memory;
      await turnOn(page);
      const { promise, resolve } = Promise.withResolvers<void>();
      lab.memory.beforeChange = () => promise;
      await button(page, 'Mute microphone').click();
      await waitFor('the track to close', async () => (await enabled(page)) === false);
      assert.equal(microphone.status().muted, false, 'the device has not answered yet');
      resolve();
      await waitFor('the device to show it', () => microphone.status().muted);
      await says(page, /Muted/);
      await isSilent(viewer);
      await microphone.setMute({ muted: false });
      await says(page, /Muted/);
      assert.equal(await enabled(page), false);
      await button(page, 'Unmute microphone').click();
      await says(page, /Live/);
      await isHeard(viewer);
      await microphone.setMute({ muted: true });
      await says(page, /Muted/);
      assert.equal(await enabled(page), false);
      assert.equal(answers(viewer), 1);
    });
  });
});

describe('push-to-talk', () => {
  test('open while the key is held, and never for longer', async () => {
    await withSpeaker(async (page, viewer) => {
      await card(page).getByRole('checkbox', { name: 'Push to talk' }).check();
      await turnOn(page);
      await says(page, /Ready.*Hold T or the button/);
      await isSilent(viewer);
      await page.keyboard.down('t');
      assert.equal(await enabled(page), true, 'without a round trip');
      await isHeard(viewer);
      await page.keyboard.up('t');
      assert.equal(await enabled(page), false);
      await page.keyboard.down('t');
      await page.evaluate('window.dispatchEvent(new Event("blur"))');
      assert.equal(await enabled(page), false, 'another window took the keyboard');
      await page.keyboard.up('t');
      // Typed into a list, the key is the list's.
      await card(page).getByRole('combobox', { name: 'Key' }).focus();
      await page.keyboard.down('t');
      assert.equal(await enabled(page), false);
      await page.keyboard.up('t');
    });
  });

  test('Space can be the key, and still presses what has the focus', async () => {
    await withSpeaker(async (page) => {
      await card(page).getByRole('checkbox', { name: 'Push to talk' }).check();
      await card(page).getByRole('combobox', { name: 'Key' }).selectOption('Space');
      await turnOn(page);
      await button(page, 'Turn off').focus();
      await page.keyboard.press('Space');
      await button(page, 'Turn on').waitFor();
      await turnOn(page);
      await page.evaluate('document.activeElement.blur()');
      const top = await page.evaluate('window.scrollY');
      await page.keyboard.down('Space');
      assert.equal(await enabled(page), true);
      await page.keyboard.up('Space');
      assert.equal(await enabled(page), false);
      assert.equal(await page.evaluate('window.scrollY'), top);
    });
  });

  test('the button is held with a pointer, and with the keyboard', async () => {
    await withSpeaker(async (page) => {
      await card(page).getByRole('checkbox', { name: 'Push to talk' }).check();
      await turnOn(page);
      const hold = button(page, 'Hold to talk');
      await hold.hover();
      await page.mouse.down();
      assert.equal(await enabled(page), true);
      await page.mouse.move(5, 5);
      assert.equal(await enabled(page), true, 'the finger may slide away');
      await page.mouse.up();
      assert.equal(await enabled(page), false);
      await hold.focus();
      await page.keyboard.down('Enter');
      assert.equal(await enabled(page), true);
      await page.keyboard.press('Tab');
      assert.equal(await enabled(page), false, 'focus left the button');
      await page.keyboard.up('Enter');
    });
  });
});

describe('the floor', () => {
  test('refused with who holds it; taken over; the other sees it at once', async () => {
    await withSpeaker(async (first, firstViewer) => {
      await turnOn(first);
      await withSpeaker(async (second, secondViewer) => {
        await says(second, /Another viewer is using the microphone/);
        await button(second, 'Turn on').click();
        const id = idOf(firstViewer);
        await says(
          second,
          new RegExp(`In use.*Viewer ${id} has held it for less than a minute\\.`),
        );
        assert.equal(await look(second, 'microphone.track'), undefined);
        assert.equal(holderOf(), id);
        await button(second, 'Take over').click();
        await isHeard(secondViewer);
        assert.equal(holderOf(), idOf(secondViewer));
        await says(first, /Off.*Another viewer has taken the microphone over/);
        assert.equal(await look(first, 'microphone.track'), undefined);
        await isNotSent(firstViewer);
        assert.equal(holderOf(), idOf(secondViewer), 'the first one frees nothing');
      });
    });
  });

  test('turned off at the device, the page lets go', async () => {
    await withSpeaker(async (page, viewer) => {
      await turnOn(page);
      await lab.memory.microphone.stop({});
      await says(page, /Off.*turned off at the device/);
      await isNotSent(viewer);
      await turnOn(page);
      await isHeard(viewer);
    });
  });
});

describe('the connection', () => {
  test('a media reset puts the microphone on the new connection, without asking again', async () => {
    await withSpeaker(async (page, viewer) => {
      await turnOn(page);
      await isHeard(viewer);
      const before = (await lab.hears(viewer)).ssrc;
      await page.getByRole('button', { name: 'Reset media' }).click();
      await waitFor('the second answer', () => answers(viewer) === 2);
      await waitFor('another stream', async () => {
        const { ssrc, energy } = await lab.hears(viewer);
        return ssrc !== 0 && ssrc !== before && energy > 0;
      });
      await says(page, /Live/);
      assert.equal(await page.evaluate('window.captures.length'), 1);
      assert.equal(holderOf(), idOf(viewer));
    });
  });

  test('a lost session that returns has the microphone again', async () => {
    await withSpeaker(async (page, viewer) => {
      await turnOn(page);
      viewer.viewer.end('the device is stopping');
      await waitFor('another session', () => lab.viewer !== viewer);
      const next = lab.viewer;
      assert.ok(next);
      await waitFor('the floor', () => holderOf() === idOf(next));
      await isHeard(next);
      await says(page, /Live/);
      assert.equal(await page.evaluate('window.captures.length'), 1);
    });
  });
});

describe('the browser says no', () => {
  test('denied: said in words, and gone when it is allowed', async () => {
    await withSpeaker(
      async (page, _viewer, context) => {
        await button(page, 'Turn on').click();
        await says(page, /Off.*This browser blocks the microphone for this page/);
        await waitFor('the floor to be free', () => holderOf() === undefined);
        await context.grantPermissions(['microphone'], { origin: lab.url });
        await says(page, /Nothing is captured until you turn it on/);
        await turnOn(page);
      },
      { mayCapture: false },
    );
  });

  for (const [name, words] of [
    ['NotFoundError', /No microphone was found/],
    ['NotReadableError', /another program may be using it/],
  ] as const) {
    test(`${name} is said in words, and gone when devices change`, async () => {
      await withSpeaker(async (page) => {
        await page.evaluate(`navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException('no', '${name}'))`);
        await button(page, 'Turn on').click();
        await says(page, words);
        await page.evaluate('navigator.mediaDevices.dispatchEvent(new Event("devicechange"))');
        await says(page, /Nothing is captured/);
      });
    });
  }
});

describe('while speaking', () => {
  test('quality changes at once, whoever chooses it, and negotiates nothing', async () => {
    await withSpeaker(async (page, viewer) => {
      const bitrate = () => look(page, 'microphone.parameters.encodings[0].maxBitrate');
      await turnOn(page);
      await isHeard(viewer);
      const { ssrc } = await lab.hears(viewer);
      const voice = card(page).getByRole('group', { name: 'Voice quality' });
      await voice.getByRole('radio', { name: /^Low 16 kbps Mono 40 ms frames$/ }).check();
      await waitFor('the bitrate of Low', async () => (await bitrate()) === 16_000);
      await waitFor('longer packets', async () => {
        const format = await look(page, 'microphone.parameters.codecs[0].sdpFmtpLine');
        return /(?=.*ptime=40)(?=.*usedtx=1)/.test(String(format));
      });
      await lab.memory.microphone.setQuality({ quality: 'ultra' });
      await waitFor('the bitrate of Ultra', async () => (await bitrate()) === 96_000);
      await waitFor('stereo', async () => {
        const format = await look(page, 'microphone.parameters.codecs[0].sdpFmtpLine');
        return /(?=.*stereo=1)(?=.*ptime=10)(?=.*maxaveragebitrate=96000)/.test(String(format));
      });
      await isHeard(viewer);
      assert.equal((await lab.hears(viewer)).ssrc, ssrc);
      assert.equal(answers(viewer), 1);
      assert.equal(await look(page, 'playback'), 'playing');
      await lab.memory.microphone.setQuality({ quality: 'medium' });
    });
  });

  test('another device takes over, and is remembered with the rest', async () => {
    await withSpeaker(async (page, viewer) => {
      await turnOn(page);
      const device = card(page).getByRole('combobox', { name: 'Device' });
      const first = await look(page, 'microphone.settings.deviceId');
      await device.selectOption({ label: 'Fake Audio Input 1' });
      await waitFor('the other device', async () => {
        const id = await look(page, 'microphone.settings?.deviceId');
        return id !== undefined && id !== first;
      });
      const chosen = await look(page, 'microphone.settings.deviceId');
      await isHeard(viewer);
      await card(page).getByRole('checkbox', { name: 'Noise suppression' }).uncheck();
      await card(page).getByRole('checkbox', { name: 'Push to talk' }).check();
      await page.reload();
      const next = await stage.playing(page);
      await says(page, /Off/);
      assert.deepEqual(await page.evaluate('window.captures'), [], 'off after a reload');
      assert.equal(await device.inputValue(), chosen);
      await turnOn(page);
      assert.equal(await look(page, 'microphone.settings.deviceId'), chosen);
      assert.equal(await look(page, 'microphone.settings.noiseSuppression'), false);
      assert.equal(await look(page, 'microphone.settings.echoCancellation'), true);
      await says(page, /Ready/);
      await page.keyboard.down('t');
      await isHeard(next);
    });
  });

  test('a remembered device that is gone gives way to the default', async () => {
    await withSpeaker(async (page, viewer) => {
      await page.evaluate(`(() => {
        const stored = JSON.parse(localStorage.getItem('earshot.preferences') ?? 'null') ?? {
          volumePercent: 100, muted: false, shortcuts: true };
        localStorage.setItem('earshot.preferences', JSON.stringify({ ...stored, microphone: {
          deviceId: 'gone', echoCancellation: true, noiseSuppression: true, autoGainControl: true,
          raw: false, pushToTalk: false, talkKey: 't' } }));
      })()`);
      await page.reload();
      const next = await stage.playing(page);
      assert.notEqual(next, viewer);
      await card(page)
        .getByText('The one chosen before (not there now)')
        .waitFor({ state: 'attached' });
      await turnOn(page);
      await isHeard(next);
    });
  });

  test('a device that is pulled out gives way to another, and the host goes on hearing', async () => {
    await withSpeaker(async (page, viewer) => {
      await turnOn(page);
      await page.evaluate('window.pulled = window.earshot.microphone.track');
      await page.evaluate('window.pulled.dispatchEvent(new Event("ended"))');
      await waitFor('another track', () =>
        page.evaluate('window.earshot.microphone.track !== window.pulled'),
      );
      await isHeard(viewer);
      await says(page, /Live/);
    });
  });

  test('a microphone that gives nothing but silence is remarked upon', async () => {
    await withSpeaker(async (page) => {
      await page.evaluate(`navigator.mediaDevices.getUserMedia = async () =>
        new MediaStreamAudioDestinationNode(new AudioContext()).stream`);
      await turnOn(page);
      await says(page, /Live.*The host hears you/);
      await status(page)
        .filter({ hasText: /is it muted in hardware\?/ })
        .waitFor({ timeout: 60_000 });
      await button(page, 'Mute microphone').click();
      await says(page, /Muted.*The host hears nothing of you/);
    });
  });

  test('the device that plays to the host is chosen at the device', async () => {
    await withSpeaker(async (page) => {
      const choice = page.getByRole('combobox', { name: 'Microphone to the host by' });
      await waitFor('the choice', async () => (await choice.inputValue()) === 'hw:CARD=UAC1Gadget');
      // The device's answers come later than its event of another viewer's change after them.
      const overtaken = Promise.withResolvers<void>();
      await page.route('**/microphone/device*', async (route) => {
        const response = await route.fetch();
        const answer = {
          ...v.parse(devicesSchema, await response.json()),
          current: 'hw:CARD=Loopback',
        };
        await overtaken.promise;
        await route.fulfill({ response, json: answer });
      });
      await choice.selectOption('Loopback');
      await waitFor('the device to have it', async () => {
        return (await lab.memory.microphone.devices()).current === 'hw:CARD=Loopback';
      });
      const answered = page.waitForResponse('**/microphone/device');
      await lab.memory.microphone.setDevice('hw:CARD=UAC1Gadget');
      await lab.memory.microphone.setQuality({ quality: 'low' });
      const low = page
        .getByRole('group', { name: 'Voice quality' })
        .getByRole('radio', { name: 'low' });
      await waitFor('the events', () => low.isChecked());
      overtaken.resolve();
      await answered;
      await waitFor('the choice', async () => (await choice.inputValue()) === 'hw:CARD=UAC1Gadget');
    });
  });

  test('raw sound turns off everything the browser does to it', async () => {
    await withSpeaker(async (page, viewer) => {
      await turnOn(page);
      assert.equal(await look(page, 'microphone.settings.echoCancellation'), true);
      await card(page).getByRole('checkbox', { name: 'Raw sound' }).check();
      await waitFor(
        'nothing to be processed',
        async () => (await look(page, 'microphone.settings?.echoCancellation')) === false,
      );
      assert.equal(await look(page, 'microphone.settings.autoGainControl'), false);
      assert.equal(await look(page, 'microphone.settings.noiseSuppression'), false);
      assert.equal(
        await card(page).getByRole('checkbox', { name: 'Echo cancellation' }).isDisabled(),
        true,
      );
      await isHeard(viewer);
      await lab.memory.microphone.setQuality({ quality: 'ultra' });
      await waitFor(
        'both channels of it',
        async () => (await look(page, 'microphone.settings?.channelCount')) === 2,
      );
      await lab.memory.microphone.setQuality({ quality: 'medium' });
    });
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every state is readable in a ${colorScheme} scheme, fits a phone, and respects less motion`, async () => {
    await withSpeaker(
      async (page) => {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const check = async (state: string): Promise<void> => {
          assert.deepEqual(await page.evaluate(lowContrast), [], state);
          assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, state);
          assert.equal(await page.evaluate('document.getAnimations().length'), 0, state);
        };
        await turnOn(page);
        await check('live');
        await page.getByText('Single-key shortcuts').scrollIntoViewIfNeeded();
        await page.getByRole('region', { name: 'Microphone state' }).waitFor();
        await check('badge');
        await card(page).getByRole('checkbox', { name: 'Push to talk' }).check();
        await page.keyboard.down('t');
        await check('talking');
        await page.keyboard.up('t');
        await button(page, 'Mute microphone').click();
        await says(page, /Muted/);
        await check('muted');
        await button(page, 'Turn off').click();
        await says(page, /Off/);
        await page.evaluate(`navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException('no', 'NotReadableError'))`);
        await button(page, 'Turn on').click();
        await says(page, /another program/);
        await check('trouble');
      },
      { viewport: { width: 320, height: 700 } },
    );
  });
}

test('turning on and off, muting and talking move nothing else on a desktop', async () => {
  await withSpeaker(async (page) => {
    await card(page).getByRole('checkbox', { name: 'Push to talk' }).check();
    const place = async (): Promise<string> => JSON.stringify(await card(page).boundingBox());
    const before = await place();
    await turnOn(page);
    assert.equal(await place(), before);
    await page.keyboard.down('t');
    await says(page, /Live/);
    assert.equal(await place(), before);
    await page.keyboard.up('t');
    await button(page, 'Mute microphone').click();
    await says(page, /Muted/);
    assert.equal(await place(), before);
    await lab.memory.microphone.stop({});
    await says(page, /turned off at the device/);
    assert.equal(await place(), before);
    await page.evaluate(`navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException('no', 'NotAllowedError'))`);
    await button(page, 'Turn on').click();
    await says(page, /This browser blocks/);
    assert.equal(await place(), before);
  });
});

test('a page over plain HTTP hears the host, and says why there is no microphone and where there is', async () => {
  const open = await PageLab.start(stage.browser);
  const page = await stage.browser.newPage();
  try {
    await page.goto(`http://${namedHost}:${new URL(open.url).port}/`);
    await playing(open, page);
    assert.equal(await page.evaluate('window.isSecureContext'), false);
    await says(page, /Not available here.*only to pages opened over HTTPS/);
    const { https } = v.parse(
      statusSchema,
      await (await fetch(new URL('api/v1/status', open.url))).json(),
    );
    const address = `https://${namedHost}:${https?.port}/`;
    const link = card(page).getByRole('link', { name: address });
    assert.equal(await link.getAttribute('href'), address);
    assert.equal(await button(page, 'Turn on').isDisabled(), true);
  } finally {
    await page.close();
    await open.stop();
  }
});
