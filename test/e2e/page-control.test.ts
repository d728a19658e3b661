import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { waitFor } from '../fixtures/wait-for.ts';
import { ControlLab } from './control-lab.ts';
import { launchChromium } from './page-lab.ts';
import { lowContrast, visit } from './page-visit.ts';

/** Keyboard and mouse of a host, from a real browser by the real device to the reports that the host takes. */

let browser: Browser;
let lab: ControlLab;

before(async () => {
  browser = await launchChromium({ autoplay: true });
  lab = await ControlLab.start();
});

after(async () => {
  await lab?.stop();
  await browser?.close();
});

const pad = (page: Page) => page.getByRole('region', { name: 'In place of the host’s picture' });
const card = (page: Page) => page.getByRole('region', { name: 'Keyboard and mouse', exact: true });
const enter = (page: Page) => page.getByRole('button', { name: 'Use keyboard and mouse' });

/** Opens the page, waits for a way to the host, and begins with nothing pressed. */
async function control(
  use: (page: Page) => Promise<void>,
  { context = {}, expects = /^$/ } = {},
): Promise<void> {
  lab.host.become('attached');
  await visit({ lab, browser, context, expects }, async (page) => {
    await card(page).getByText('Host ready').waitFor();
    lab.host.forget();
    try {
      await use(page);
    } finally {
      await page.evaluate('document.activeElement?.blur()');
      await waitFor('nothing to be held', () => lab.hid.status().heldKeys === 0);
    }
  });
}

/** The device refuses something, and the browser's console says so too. */
const refusing = { expects: /status of 4\d\d/ };

/** The keys of the report that came last. */
const held = () => lab.host.keys.at(-1);

test('keys go to the host by their place, with modifiers, and in order', async () => {
  await control(async (page) => {
    await pad(page).click();
    await card(page).getByText('Keyboard goes to the host').waitFor();
    lab.host.forget();
    await page.keyboard.press('a');
    await page.keyboard.down('Shift');
    await page.keyboard.press('1');
    await page.keyboard.up('Shift');
    await page.keyboard.press('Tab');
    await waitFor('the last key', () => lab.host.keys.length >= 8);
    assert.deepEqual(lab.host.keys, [[4], [], [0xe1], [0xe1, 0x1e], [0xe1], [], [0x2b], []]);
    assert.ok(await pad(page).evaluate((element) => element === document.activeElement));
  });
});

test('six keys and more are held at once, and go up when the page loses the focus', async () => {
  await control(async (page) => {
    await pad(page).click();
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await page.keyboard.down(key);
    await waitFor('six keys', () => held()?.length === 6);
    assert.deepEqual(held(), [4, 5, 6, 7, 8, 9]);
    await page.evaluate('document.activeElement.blur()');
    await waitFor('all up', () => held()?.length === 0);
    assert.equal(lab.hid.status().heldKeys, 0);
    await page.getByText('Click here, and keyboard and mouse go to the host.').waitFor();
  });
});

test('Ctrl+Alt gives the keyboard back to the page, to the button it came from', async () => {
  await control(async (page) => {
    await enter(page).focus();
    await page.keyboard.press('Enter');
    await card(page).getByText('Press and let go Ctrl+Alt to leave').waitFor();
    await page.keyboard.down('Control');
    await page.keyboard.down('Alt');
    await page.keyboard.up('Alt');
    await page.keyboard.up('Control');
    await waitFor('the modifiers up', () => lab.hid.status().heldKeys === 0);
    assert.ok(await enter(page).evaluate((element) => element === document.activeElement));
    lab.host.forget();
    await page.keyboard.press('Tab');
    assert.equal(lab.host.keys.length, 0);
  });
});

test('the page’s own shortcuts are silent while keys go to the host', async () => {
  await control(async (page) => {
    await pad(page).click();
    await page.keyboard.press('m');
    await waitFor('the key', () => lab.host.keys.length >= 2);
    assert.equal(await page.evaluate('window.earshot.output.muted'), false);
  });
});

test('the mouse points where it is, clicks, drags out of the picture, and turns the wheel', async () => {
  await control(async (page) => {
    const box = await pad(page).boundingBox();
    assert.ok(box);
    const { x, y, width, height } = box;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.up();
    await waitFor('a click', () => lab.host.of('absolute').at(-1)?.[0] === 0);
    const [, xLow = 0, xHigh = 0, yLow = 0, yHigh = 0] = lab.host.of('absolute').at(-1) ?? [];
    assert.ok(Math.abs(xLow + xHigh * 256 - 16_384) < 64, 'in the middle');
    assert.ok(Math.abs(yLow + yHigh * 256 - 16_384) < 200);
    lab.host.forget();
    await page.mouse.down({ button: 'right' });
    await page.mouse.move(x + width - 2, y + height + 300, { steps: 5 });
    await waitFor('the drag at the edge', () => lab.host.of('absolute').at(-1)?.[4] === 0x7f);
    assert.equal(lab.host.of('absolute').at(-1)?.[0], 0b10);
    await page.mouse.up({ button: 'right' });
    await waitFor('the button up', () => lab.host.of('absolute').at(-1)?.[0] === 0);
    await page.mouse.move(x + 20, y + 20);
    await page.mouse.wheel(0, 300);
    await waitFor('the wheel', () => lab.host.of('relative').some(([, , , , , wheel]) => wheel));
    const turned = lab.host.of('relative').reduce((sum, [, , , , , wheel = 0]) => {
      return sum + (wheel > 127 ? wheel - 256 : wheel);
    }, 0);
    assert.ok(turned < 0, `${turned} notches`);
  });
});

test('lights of the host and its state come to the page', async () => {
  await control(async (page) => {
    const lights = page.getByRole('list', { name: 'Lights of the host’s keyboard' });
    await lights.getByText('Caps off').waitFor();
    lab.host.setLeds(0b10);
    await lights.getByText('Caps on').waitFor();
    lab.host.setLeds(0);
    lab.host.become('suspended', 'The host sleeps.');
    await card(page).getByText('Host asleep').waitFor();
    await page.getByRole('button', { name: 'Wake', exact: true }).click();
    await card(page).getByText('Host ready').waitFor();
    assert.equal(lab.host.wakes, 1);
    lab.host.become('detached', 'No host is connected.');
    await card(page).getByText('No host is connected.').waitFor();
    lab.host.become('attached');
    await card(page).getByText('Host ready').waitFor();
  });
});

test('the time from a key to its report is in the chart', async () => {
  await control(async (page) => {
    await pad(page).click();
    await page.getByRole('img', { name: 'Input delay: nothing measured yet' }).waitFor();
    const measured = page.getByRole('img', { name: /Input delay, last 60 seconds: [\d.]+ to/ });
    await waitFor('a measurement', async () => {
      await page.keyboard.press('a');
      return (await measured.count()) > 0;
    });
    const { latencyMs } = lab.hid.status();
    assert.ok(latencyMs !== null && latencyMs.p50 < 5_000, 'the device has it too');
  });
});

test('combinations that a browser keeps for itself are pressed by buttons', async () => {
  await control(async (page) => {
    await page.getByRole('button', { name: 'Ctrl+Alt+Del', exact: true }).click();
    await waitFor('the combination', () => lab.host.keys.some((keys) => keys.length === 3));
    assert.ok(lab.host.keys.some((keys) => `${keys}` === `${[0xe0, 0xe2, 0x4c]}`));
    await page.getByRole('button', { name: 'More keys…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Press on the host' });
    lab.host.forget();
    await dialog.getByRole('button', { name: 'Alt+Tab' }).click();
    await waitFor('Alt+Tab', () => lab.host.keys.some((keys) => `${keys}` === `${[0xe2, 0x2b]}`));
    // Each that is offered is one the device knows.
    const names = await dialog.locator('.keys-name').allTextContents();
    for (const name of names) await lab.hid.press(name);
    assert.deepEqual(await page.evaluate(lowContrast), []);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const more = page.getByRole('button', { name: 'More keys…' });
    assert.ok(await more.evaluate((element) => element === document.activeElement));
  });
});

test('a text is typed by the layout chosen; what cannot be typed is listed, and nothing sent', async () => {
  await control(async (page) => {
    await page.getByRole('button', { name: 'Type a text…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Type a text on the host' });
    await dialog.getByLabel('Text').fill('zß€漢');
    await dialog.getByRole('combobox').selectOption('de');
    await dialog.getByRole('button', { name: 'Type it' }).click();
    await dialog.getByText('German has no keys for: 漢 (U+6F22). Nothing was sent.').waitFor();
    assert.equal(lab.host.keys.length, 0);
    await dialog.getByRole('button', { name: 'Leave them out' }).click();
    await dialog.getByRole('button', { name: 'Type it' }).click();
    await waitFor('the text', () => lab.host.keys.some((keys) => `${keys}` === `${[0xe6, 8]}`));
    // z is where y is on a German keyboard, ß right of 0.
    const pressed = lab.host.keys.filter((keys) => keys.length > 0).map((keys) => keys.at(-1));
    assert.ok(pressed.includes(0x1c) && pressed.includes(0x2d));
    await waitFor(
      'the text to go',
      async () => (await dialog.getByLabel('Text').inputValue()) === '',
    );
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Type a text…' }).click();
    assert.equal(await dialog.getByRole('combobox').inputValue(), 'de', 'remembered');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });
});

test('a macro is written step by step, kept, run, stopped, changed and removed', async () => {
  await control(async (page) => {
    await page.getByRole('button', { name: 'Macros…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Macros' });
    await dialog.getByText('There are none yet.').waitFor();
    await dialog.getByRole('button', { name: 'New macro' }).click();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('The name is 1 to 40 small letters').waitFor();
    await dialog.getByLabel('Name').fill('greet');
    await dialog.getByLabel('Keys of step 1').fill('no-such-key');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/no-such-key/)
      .waitFor();
    await dialog.getByLabel('Keys of step 1').fill('shift+a');
    await dialog.getByRole('button', { name: 'Add a step' }).click();
    await dialog.getByRole('combobox', { name: 'Step 2' }).selectOption('wait');
    await dialog.getByLabel('Milliseconds of step 2').fill('9000');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('shift+a · wait 9000 ms').waitFor();
    assert.deepEqual(lab.hid.macros(), [
      { name: 'greet', steps: [{ press: 'shift+a' }, { waitMs: 9_000 }] },
    ]);
    await dialog.getByRole('button', { name: 'Run greet' }).click();
    await dialog.getByText(/Macro greet: step \d of 2/).waitFor();
    assert.ok(lab.host.keys.some((keys) => `${keys}` === `${[0xe1, 4]}`));
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await dialog.getByText(/Macro greet: step/).waitFor({ state: 'detached' });
    assert.equal(await dialog.getByRole('alert').count(), 0, 'who stops it is told no fault');
    assert.equal(lab.hid.status().task, null);
    await dialog.getByRole('button', { name: 'Remove greet' }).click();
    await dialog.getByText('There are none yet.').waitFor();
  }, refusing);
});

test('keeping the host awake is a switch of the device', async () => {
  await control(async (page) => {
    const awake = page.getByRole('switch', { name: 'Keep the host awake' });
    await awake.click();
    await waitFor('the jiggler', () => lab.hid.status().jiggler.enabled);
    await waitFor('the switch', async () => (await awake.getAttribute('aria-checked')) === 'true');
    const seconds = page.getByLabel('Seconds between movements');
    await seconds.fill('120');
    await seconds.press('Enter');
    await waitFor('the seconds', () => lab.hid.status().jiggler.seconds === 120);
    await seconds.fill('1');
    await seconds.press('Enter');
    await card(page).getByRole('alert').waitFor();
    assert.equal(lab.hid.status().jiggler.seconds, 120);
    await awake.click();
    await waitFor('the jiggler to stop', () => !lab.hid.status().jiggler.enabled);
  }, refusing);
});

test('with the pointer locked the mouse moves the host’s by so much', async () => {
  await control(async (page) => {
    await page.getByRole('combobox', { name: 'Mouse' }).selectOption('relative');
    const box = await pad(page).boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 50, box.y + 50);
    await page.mouse.down();
    await page.mouse.up();
    await card(page).getByText('Escape frees the mouse').waitFor();
    lab.host.forget();
    await page.mouse.move(box.x + 80, box.y + 70);
    await waitFor('a movement', () => lab.host.of('relative').length > 0);
    assert.deepEqual(lab.host.of('absolute'), []);
    await page.mouse.down();
    await waitFor('a button', () => lab.host.of('relative').at(-1)?.[0] === 1);
    await page.mouse.up();
    await waitFor('the button up', () => lab.host.of('relative').at(-1)?.[0] === 0);
    await page.evaluate('document.exitPointerLock()');
    await card(page).getByText('click once more for the mouse').waitFor();
    await page.getByRole('combobox', { name: 'Mouse' }).selectOption('absolute');
  });
});

test('every control has a name, and all is reached by Tab while the keyboard is the page’s', async () => {
  await control(async (page) => {
    const client = await page.context().newCDPSession(page);
    const { nodes } = await client.send('Accessibility.getFullAXTree');
    const roles = new Set(['button', 'combobox', 'switch', 'spinbutton', 'image', 'link']);
    const named = nodes.filter(({ ignored, role }) => !ignored && roles.has(String(role?.value)));
    assert.ok(named.length > 20);
    assert.deepEqual(
      named.filter(({ name }) => String(name?.value ?? '').trim() === ''),
      [],
    );
    const own = await card(page).locator('button:enabled, select, input').count();
    await enter(page).focus();
    for (let step = 1; step < own; step += 1) {
      assert.ok(await card(page).evaluate((element) => element.contains(document.activeElement)));
      await page.keyboard.press('Tab');
    }
    const last = page.getByLabel('Seconds between movements');
    assert.ok(await last.evaluate((element) => element === document.activeElement));
    assert.equal(lab.hid.status().heldKeys, 0);
  });
});

test('a finger taps, and two turn the wheel', async () => {
  const context = { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } };
  await control(
    async (page) => {
      await pad(page).tap();
      await card(page).getByText('Keyboard goes to the host').waitFor();
      lab.host.forget();
      await pad(page).tap();
      await waitFor('a click', () => lab.host.of('absolute').some(([buttons]) => buttons === 1));
      await waitFor('its end', () => lab.host.of('absolute').at(-1)?.[0] === 0);
      assert.deepEqual(await page.evaluate(lowContrast), []);
    },
    { context },
  );
});

test('by WebSocket where no data channel opens, which the page says', async () => {
  await visit({ lab, browser }, async (page) => {
    await page.addInitScript(`{
      const make = RTCPeerConnection.prototype.createDataChannel;
      RTCPeerConnection.prototype.createDataChannel = function (label, options) {
        if (label.startsWith('earshot-')) throw new TypeError('not today');
        return make.call(this, label, options);
      };
    }`);
    await page.reload();
    await card(page).getByText('By WebSocket, since UDP does not pass.').waitFor();
    lab.host.forget();
    await pad(page).click();
    await page.keyboard.press('b');
    await waitFor('the key', () => lab.host.keys.some((keys) => `${keys}` === '5'));
    await page.keyboard.down('c');
    await waitFor('a key held', () => lab.hid.status().heldKeys === 1);
  });
  // The page is gone, and with it what it held.
  await waitFor('the key up', () => lab.hid.status().heldKeys === 0);
});
