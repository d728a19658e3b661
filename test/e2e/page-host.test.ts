import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { waitFor } from '../fixtures/wait-for.ts';
import { ControlLab } from './control-lab.ts';
import { launchChromium } from './page-lab.ts';
import { lowContrast, visit } from './page-visit.ts';

/** The host's picture with keyboard and mouse in it, its serial console and its power, in a real browser. */

let browser: Browser;
let lab: ControlLab;

before(async () => {
  browser = await launchChromium({ autoplay: true });
  lab = await ControlLab.start({ picture: true });
});

after(async () => {
  await lab?.stop();
  await browser?.close();
});

const power = (page: Page) => page.getByRole('region', { name: 'Power' });
const serial = (page: Page) => page.getByRole('region', { name: 'Serial console' });
const picture = (page: Page) => page.getByRole('region', { name: 'The host’s picture' });

/** What the terminal shows. */
const screen = (page: Page) => page.locator('.xterm-rows').innerText();

/** What the host's line was sent. */
async function typed(text: string): Promise<void> {
  let all = '';
  await waitFor(`the line to get ${JSON.stringify(text)}`, () => {
    all += lab.memory.serialLine.take().toString();
    return all.includes(text);
  });
}

async function openConsole(page: Page): Promise<void> {
  await serial(page).getByRole('button', { name: 'Open the console' }).click();
  await serial(page).getByText('What you type goes to the host').waitFor();
}

test('a click into the picture takes the keyboard, and the picture says so, in full screen too', async () => {
  await visit({ lab, browser }, async (page) => {
    const video = picture(page).locator('video');
    await page
      .getByRole('region', { name: 'Keyboard and mouse' })
      .getByText('Host ready')
      .waitFor();
    await waitFor('pictures', () =>
      video.evaluate((element: HTMLVideoElement) => element.videoWidth > 0),
    );
    assert.equal(await page.locator('.control-pad').count(), 0);
    const box = await video.boundingBox();
    assert.ok(box);
    lab.host.forget();
    // 16:9 in a frame of its width: the corner of the element is a corner of the host, or a bar beside it.
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await picture(page).getByText('Keyboard goes to the host').waitFor();
    await waitFor('the click', () => lab.host.of('absolute').some(([buttons]) => buttons === 1));
    const [, xLow = 0, xHigh = 0] = lab.host.of('absolute').at(-1) ?? [];
    assert.ok(Math.abs(xLow + xHigh * 256 - 16_384) < 64);
    await page.keyboard.press('x');
    await waitFor('the key', () => lab.host.keys.some((keys) => `${keys}` === `${[0x1b]}`));
    await page.keyboard.down('Control');
    await page.keyboard.down('Alt');
    await page.keyboard.up('Control');
    await page.keyboard.up('Alt');
    await picture(page).getByText('Keyboard goes to the host').waitFor({ state: 'detached' });
    await picture(page).getByRole('button', { name: 'Full screen' }).click();
    await picture(page).getByText('hold Escape to leave full screen').waitFor();
    lab.host.forget();
    await page.keyboard.press('F5');
    await waitFor('F5', () => lab.host.keys.some((keys) => `${keys}` === `${[0x3e]}`));
    await page.evaluate('document.exitFullscreen()');
    await page.getByRole('button', { name: 'Give the keyboard back' }).click();
    await page.getByRole('button', { name: 'Use keyboard and mouse' }).waitFor();
  });
});

test('a press of power is said to be confirmed, and lights are shown', async () => {
  await visit({ lab, browser }, async (page) => {
    await power(page).getByText('Power off').waitFor();
    await power(page).getByText('Disk busy 12 %').waitFor();
    await power(page).getByRole('button', { name: 'Press power' }).click();
    await power(page).getByText('The power LED showed it. The power LED is on.').waitFor();
    await power(page).getByText('Power on').waitFor();
    assert.deepEqual(lab.memory.powerBoard.held.at(-1)?.button, 'power');
  });
});

test('what may cost data is asked about first, and can be left', async () => {
  await visit({ lab, browser }, async (page) => {
    const { held } = lab.memory.powerBoard;
    const before = held.length;
    await power(page).getByRole('button', { name: 'Hold power…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Hold the power button?' });
    await dialog.getByText('What was not saved is lost.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const hold = power(page).getByRole('button', { name: 'Hold power…' });
    assert.ok(await hold.evaluate((element) => element === document.activeElement));
    assert.equal(held.length, before);
    await hold.click();
    await dialog.getByRole('button', { name: 'Force off' }).click();
    await power(page).getByText('The power button was held.').waitFor();
    assert.ok((held.at(-1)?.ms ?? 0) > 1_000);
    await power(page).getByRole('button', { name: 'Reset…' }).click();
    const reset = page.getByRole('dialog', { name: 'Press the reset button?' });
    await reset.getByRole('button', { name: 'Reset' }).click();
    await power(page).getByText('No LED shows a reset.').waitFor();
    assert.equal(held.at(-1)?.button, 'reset');
  });
});

test('a machine is woken over the network', async () => {
  await visit({ lab, browser }, async (page) => {
    await power(page).getByRole('button', { name: 'Wake host' }).click();
    await power(page).getByText('Wake-on-LAN was sent to host.').waitFor();
    assert.ok(lab.memory.wakePackets.length > 0);
  });
});

test('the console shows what the host said before and says now, in colours, and sends what is typed', async () => {
  lab.memory.serialLine.send('Linux version 6.12\r\n\x1b[38;2;255;120;0mhost login:\x1b[0m ');
  await visit({ lab, browser }, async (page) => {
    await openConsole(page);
    await waitFor('the past', async () => (await screen(page)).includes('Linux version 6.12'));
    const low: { readonly text: string }[] = await page.evaluate(lowContrast);
    // The terminal measures its characters by rows of each, which nobody sees.
    assert.deepEqual(
      low.filter(({ text }) => !/^(.)\1*$/u.test(text)),
      [],
    );
    await page.keyboard.type('root');
    await page.keyboard.press('Enter');
    await typed('root\r');
    lab.memory.serialLine.send('Grüße 漢\r\n');
    await waitFor('the answer', async () => (await screen(page)).includes('Grüße 漢'));
    const colour = await page
      .locator('.xterm-rows span', { hasText: 'host login' })
      .evaluate((element) => getComputedStyle(element).color);
    assert.equal(colour, 'rgb(255, 120, 0)', 'the policy lets the terminal have its colours');
    const row = await page.locator('.xterm-rows > div').first().boundingBox();
    assert.ok(row !== null && row.height > 10 && row.height < 30);
    await page.keyboard.down('Control');
    await page.keyboard.down('Alt');
    await page.keyboard.up('Alt');
    await page.keyboard.up('Control');
    const after = serial(page).getByRole('button', { name: 'Only read' });
    assert.ok(await after.evaluate((element) => element === document.activeElement));
    await serial(page).getByRole('button', { name: 'Close', exact: true }).click();
    await serial(page).locator('.xterm').waitFor({ state: 'detached' });
    assert.equal(lab.memory.serial.status().consoles, 0);
    assert.equal(await page.evaluate('document.adoptedStyleSheets.length'), 0);
  });
});

test('one console writes: another reads, and takes over', async () => {
  await visit({ lab, browser }, async (first) => {
    await openConsole(first);
    await visit({ lab, browser }, async (second) => {
      await serial(second).getByRole('button', { name: 'Open the console' }).click();
      await serial(second)
        .getByText(/You only read: the console \S+ writes/)
        .waitFor();
      await serial(second).getByRole('button', { name: 'Take over' }).click();
      await serial(second).getByText('What you type goes to the host').waitFor();
      await serial(first)
        .getByText(/took the writer/)
        .waitFor();
      await second.keyboard.type('whoami');
      await typed('whoami');
      await serial(second).getByRole('button', { name: 'Send a break' }).click();
      await waitFor('the break', () => lab.memory.serial.status().breaks > 0);
    });
  });
});

test('the line is set for everybody, and a fault is said in words', async () => {
  lab.memory.serialLine.refusedRates.add(1_234_567);
  const expects = /status of (4|5)\d\d/;
  await visit({ lab, browser, expects }, async (page) => {
    await serial(page).getByRole('button', { name: 'Line: 115200 8N1…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Serial line' });
    await dialog.getByLabel('Bits per second').fill('1234567');
    await dialog.getByRole('button', { name: 'Set' }).click();
    await dialog.getByRole('alert').getByText('does not take 1234567').waitFor();
    await dialog.getByLabel('Bits per second').fill('9600');
    await dialog.getByRole('combobox', { name: 'Parity' }).selectOption('even');
    await dialog.getByRole('button', { name: 'Set' }).click();
    await serial(page).getByRole('button', { name: 'Line: 9600 8E1…' }).waitFor();
    assert.equal(lab.memory.serial.status().line.baudRate, 9_600);
  });
});

test('an adapter that is pulled out is said, and the console goes on when it is back', async () => {
  await visit({ lab, browser }, async (page) => {
    await openConsole(page);
    lab.memory.serialLine.unplug();
    await serial(page).getByText('Waiting for /dev/ttyTEST').waitFor();
    lab.memory.serialLine.isPlugged = true;
    await serial(page).getByText('Open on /dev/ttyTEST').waitFor();
    lab.memory.serialLine.send('back again\r\n');
    await waitFor('the words', async () => (await screen(page)).includes('back again'));
  });
});
