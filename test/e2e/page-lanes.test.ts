import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { preferencesKey } from '../../src/web/preferences.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { namedHost, type PageLab } from './page-lab.ts';
import { type PageStage, startPageStage } from './page-stage.ts';
import { look } from './page-visit.ts';

/**
 * What the page says and remembers of the lanes and the outputs, in a real browser whose device offers
 * the track only. (The fast lane itself is tested with the whole program: fast-lane*.test.ts.)
 */

let stage: PageStage;
let lab: PageLab;

before(async () => {
  stage = await startPageStage();
  lab = stage.lab;
});

after(() => stage?.stop());

const latency = (page: Page, name: RegExp) =>
  page.getByRole('group', { name: 'Latency' }).getByRole('radio', { name });
const playOn = (page: Page) => page.getByRole('combobox', { name: 'Play on' });

/** A script: notes where elements are asked to play, and answers for devices that a test made up. */
const notedSinks = `
  window.sinks = [];
  window.outputs = ['default', 'speakers', 'headphones'];
  HTMLMediaElement.prototype.setSinkId = async (id) => {
    if (id !== '' && !window.outputs.includes(id)) throw new DOMException('gone', 'NotFoundError');
    window.sinks.push(id);
  };
  navigator.mediaDevices.enumerateDevices = async () =>
    window.outputs.map((id) => ({ kind: 'audiooutput', deviceId: id, label: id, groupId: '' }));
`;

test('a device that offers the track only is played by it, and the page says why', async () => {
  await stage.visit(async (page) => {
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await stage.playing(page);
    await page.getByText('This device does not offer the fast lane.').waitFor();
    assert.equal(await look(page, 'lane'), 'track');
    assert.equal(await look(page, 'laneReason'), 'This device does not offer the fast lane.');
    assert.equal(await look(page, 'fastLane.state.kind'), 'off');
    assert.deepEqual(await look(page, 'output'), { gain: 1, muted: false });
    await page
      .getByText(/^≈?\d+ ms$/)
      .first()
      .waitFor();
    await page.getByText('on the track', { exact: true }).waitFor();
    assert.equal(await look(page, 'measurement.lane'), 'track');
    assert.deepEqual(
      sockets.filter((url) => url.includes('fast-lane')),
      [],
    );
  });
});

test('the latency is chosen by mouse and by arrow keys, and remembered', async () => {
  await stage.visit(async (page) => {
    await stage.playing(page);
    assert.equal(await latency(page, /^Auto/).isChecked(), true);
    await latency(page, /^Lowest/).check();
    await page.keyboard.press('ArrowRight');
    await page.getByText('Steady keeps to the track.').waitFor();
    await page.reload();
    await stage.playing(page);
    assert.equal(await latency(page, /^Steady/).isChecked(), true);
    assert.equal(await look(page, 'laneReason'), 'Steady keeps to the track.');
  });
});

test('what an older page stored keeps its values, and auto is what it did not know', async () => {
  await stage.visit(async (page) => {
    const stored = JSON.stringify({ volumePercent: 40, muted: true, shortcuts: true });
    await page.evaluate(`localStorage.setItem('${preferencesKey}', ${JSON.stringify(stored)})`);
    await page.reload();
    await stage.playing(page);
    assert.equal(await page.getByRole('slider', { name: 'Volume' }).inputValue(), '40');
    assert.equal(await latency(page, /^Auto/).isChecked(), true);
  });
});

test('a page without HTTPS says that this is what it lacks', async () => {
  const page = await stage.browser.newPage();
  try {
    const url = new URL(lab.url);
    url.hostname = namedHost;
    await page.goto(url.href);
    await stage.playing(page);
    await page.getByText(/not opened over HTTPS/).waitFor();
    assert.equal(await look(page, 'lane'), 'track');
    assert.equal(await playOn(page).count(), 0);
  } finally {
    await page.close();
  }
});

test('the output is chosen, remembered, and the default’s turn while it is away', async () => {
  await stage.visit(async (page) => {
    await page.addInitScript(notedSinks);
    await page.reload();
    await stage.playing(page);
    await playOn(page).selectOption('headphones');
    await waitFor(
      'the element to play there',
      async () => (await sinks(page)).at(-1) === 'headphones',
    );
    await page.reload();
    await stage.playing(page);
    await waitFor(
      'the element to play there',
      async () => (await sinks(page)).at(-1) === 'headphones',
    );
    assert.equal(await playOn(page).inputValue(), 'headphones');
    await comeAndGo(page, ['default', 'speakers']);
    await page.getByText('The chosen output is not there; the default one plays.').waitFor();
    assert.equal((await sinks(page)).at(-1), '');
    await comeAndGo(page, ['default', 'speakers', 'headphones']);
    await waitFor(
      'the element to play there',
      async () => (await sinks(page)).at(-1) === 'headphones',
    );
    await waitFor(
      'the word to go',
      async () => (await page.getByText('The chosen output is not there').count()) === 0,
    );
  });
});

test('with one output there is nothing to choose', async () => {
  await stage.visit(async (page) => {
    await page.addInitScript(notedSinks);
    await page.addInitScript("window.outputs = ['default', 'speakers']");
    await page.reload();
    await stage.playing(page);
    await page.getByText('This device does not offer the fast lane.').waitFor();
    assert.equal(await playOn(page).count(), 0);
  });
});

async function sinks(page: Page): Promise<unknown[]> {
  const noted: unknown = await page.evaluate('window.sinks');
  return Array.isArray(noted) ? noted : [];
}

/** From now on these are the outputs there are, and the browser says that something changed. */
async function comeAndGo(page: Page, outputs: readonly string[]): Promise<void> {
  await page.evaluate(`window.outputs = ${JSON.stringify(outputs)}`);
  await page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))");
}
