import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { isAlive, waitFor } from '../fixtures/wait-for.ts';
import type { XInput } from '../lab/x-client.ts';
import { type ControlStage, startControlStage, textOf, typeText } from './control-stage.ts';

/**
 * Keyboard, mouse, console and power of a host, from a real browser and the real command through the whole
 * program to a real X server, shell and desktop.
 */

let lab: ControlStage;
let page: Page;

before(async () => {
  lab = await startControlStage();
  page = await lab.open();
});

after(async () => {
  await lab?.close();
});

const card = (page: Page) => page.getByRole('region', { name: 'Keyboard and mouse', exact: true });
const picture = (page: Page) => page.locator('video').first();

/** Clicks into the picture, begins with nothing seen, and leaves nothing pressed. */
async function control(page: Page, use: (page: Page) => Promise<void>): Promise<void> {
  try {
    await card(page).getByText('Host ready').waitFor();
    await page.getByText(/1280×720/).waitFor();
    await picture(page).click();
    await card(page).getByText('Keyboard goes to the host').waitFor();
    await saw('the click', ({ name }) => name === 'ButtonRelease');
    lab.seen.length = 0;
    await use(page);
  } finally {
    await page.evaluate('document.activeElement?.blur()');
    await waitFor('all keys up', async () => (await lab.desk.keysDown()).length === 0);
    lab.seen.length = 0;
  }
}

async function saw(what: string, matches: (input: XInput) => boolean): Promise<XInput> {
  return await waitFor(what, () => lab.seen.find(matches));
}

/** The window saw exactly this text being typed. */
async function sawText(text: string): Promise<void> {
  try {
    await waitFor('the text', () => textOf(lab.seen) === text, 10_000);
  } catch (cause) {
    const hid = await lab.command(['hid']);
    throw new Error(`saw ${JSON.stringify(textOf(lab.seen))}: ${hid}`, { cause });
  }
}

test('a sentence with shifted keys arrives as it was typed', async () => {
  await control(page, async (page) => {
    const sentence = 'The Quick (brown) Fox: 42 jumps_over "13" lazy Dogs!\n';
    await typeText(page, sentence);
    await sawText(sentence);
    const downs = lab.seen.filter(({ name }) => name === 'KeyPress').length;
    const ups = await waitFor('the last release', () => {
      const count = lab.seen.filter(({ name }) => name === 'KeyRelease').length;
      return count === downs && count;
    });
    assert.equal(ups, downs);
  });
});

test('modifiers hold around the keys they are for', async () => {
  await control(page, async (page) => {
    await page.keyboard.down('Control');
    await page.keyboard.down('Shift');
    await page.keyboard.press('a');
    await page.keyboard.up('Shift');
    await page.keyboard.up('Control');
    await waitFor('six events', () => lab.seen.length >= 6);
    const events = lab.seen.map(
      ({ name, detail }) => `${name === 'KeyPress' ? '+' : '-'}${detail}`,
    );
    assert.deepEqual(events, ['+37', '+50', '+38', '-38', '-50', '-37']);
  });
});

test('six keys are down together; a seventh changes none of them', async () => {
  await control(page, async (page) => {
    const keys = ['a', 's', 'd', 'f', 'g', 'h'];
    for (const key of keys) await page.keyboard.down(key);
    const six = [38, 39, 40, 41, 42, 43];
    await waitFor('six keys', async () => `${await lab.desk.keysDown()}` === `${six}`);
    await page.keyboard.down('j');
    await page.keyboard.press('Shift');
    await saw('what came after it', ({ name, detail }) => name === 'KeyRelease' && detail === 50);
    assert.deepEqual(await lab.desk.keysDown(), six);
    await page.keyboard.up('j');
    for (const key of keys) await page.keyboard.up(key);
    await waitFor('all up', async () => (await lab.desk.keysDown()).length === 0);
  });
});

test('the pointer is where it points, to the pixel', async () => {
  await control(page, async (page) => {
    const box = await picture(page).boundingBox();
    assert.ok(box);
    for (const [right, down] of [
      [0, 0.5],
      [0.5, 0],
      [1, 0.6],
      [0.4, 1],
      [0.25, 0.75],
      [0.501, 0.333],
    ] as const) {
      const x = Math.floor(right * (box.width - 1));
      const y = Math.floor(down * (box.height - 1));
      await page.mouse.move(box.x + x, box.y + y);
      const wanted = {
        x: (x / (box.width - 1)) * 1_279,
        y: (y / (box.height - 1)) * 719,
      };
      await waitFor(`the pointer at ${wanted.x}, ${wanted.y}`, async () => {
        const at = await lab.desk.pointer();
        return Math.abs(at.x - wanted.x) <= 1 && Math.abs(at.y - wanted.y) <= 1;
      });
    }
  });
});

test('buttons and wheel do what they say', async () => {
  await control(page, async (page) => {
    await page.mouse.click(640, 300, { button: 'right' });
    await saw('the right button', ({ name, detail }) => name === 'ButtonRelease' && detail === 3);
    await page.mouse.wheel(0, 400);
    await saw('the wheel down', ({ name, detail }) => name === 'ButtonPress' && detail === 5);
    await page.mouse.wheel(0, -400);
    await saw('the wheel up', ({ name, detail }) => name === 'ButtonPress' && detail === 4);
  });
});

test('a locked pointer moves the host’s the same way', async () => {
  await control(page, async (page) => {
    await page.getByRole('combobox', { name: 'Mouse' }).selectOption('relative');
    await picture(page).click();
    await card(page).getByText('Escape frees the mouse').waitFor();
    const box = await picture(page).boundingBox();
    assert.ok(box);
    const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const before = await lab.desk.pointer();
    await page.mouse.move(centre.x - 40, centre.y + 25);
    const moved = await waitFor('a movement', async () => {
      const now = await lab.desk.pointer();
      return now.x < before.x && now.y > before.y && now;
    });
    assert.ok(moved.x < before.x && moved.y > before.y);
    await page.evaluate('document.exitPointerLock()');
    await page.getByRole('combobox', { name: 'Mouse' }).selectOption('absolute');
  });
});

test('keys of a tab that is killed go up within the dead man’s time', async (t) => {
  const doomed = await lab.open();
  try {
    await card(doomed).getByText('Host ready').waitFor();
    await picture(doomed).click();
    await doomed.keyboard.down('Shift');
    await waitFor('Shift down', async () => (await lab.desk.keysDown()).includes(50));
    const released = new Promise<number>((resolve) => {
      lab.host.on('report', function up({ kind, bytes, atMs }) {
        if (kind !== 'keyboard' || bytes[0] !== 0) return;
        lab.host.off('report', up);
        resolve(atMs);
      });
    });
    const browser = await doomed.context().newCDPSession(doomed);
    const killedMs = performance.now();
    void browser.send('Page.crash').catch(() => undefined);
    const releaseMs = (await released) - killedMs;
    t.diagnostic(`released ${Math.round(releaseMs)} ms after the tab was told to crash`);
    // 100 ms of silence, and how long a busy machine takes to kill a process.
    assert.ok(releaseMs < 2_000, `released after ${releaseMs} ms`);
    await waitFor('Shift up', async () => (await lab.desk.keysDown()).length === 0);
  } finally {
    await doomed.context().close();
    lab.seen.length = 0;
  }
});

test('the lights of the host come to the page', async () => {
  await control(page, async (page) => {
    const lights = page.getByRole('list', { name: 'Lights of the host’s keyboard' });
    await lights.getByText('Caps off').waitFor();
    await page.keyboard.press('CapsLock');
    await lights.getByText('Caps on').waitFor();
    await page.keyboard.press('CapsLock');
    await lights.getByText('Caps off').waitFor();
  });
});

test('of a pasted text only what the layout can type is typed, and only when that is asked for', async () => {
  await control(page, async (page) => {
    await page.getByRole('button', { name: 'Type a text…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Type a text on the host' });
    await dialog.getByLabel('Text').fill('Schöne Grüße!');
    await dialog.getByRole('combobox').selectOption('us');
    await dialog.getByRole('button', { name: 'Type it' }).click();
    await dialog.getByText(/has no keys for: .*ö.*ü.*ß.*Nothing was sent/).waitFor();
    assert.deepEqual(
      lab.seen.filter(({ name }) => name === 'KeyPress'),
      [],
    );
    await dialog.getByRole('button', { name: 'Leave them out' }).click();
    await dialog.getByRole('button', { name: 'Type it' }).click();
    await sawText('Schne Gre!');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });
});

test('a page without data channels has a WebSocket', async () => {
  const other = await lab.open();
  try {
    await other.addInitScript(`{
      const make = RTCPeerConnection.prototype.createDataChannel;
      RTCPeerConnection.prototype.createDataChannel = function (label, options) {
        if (label.startsWith('earshot-')) throw new TypeError('not today');
        return make.call(this, label, options);
      };
    }`);
    await other.reload();
    await card(other).getByText('By WebSocket').waitFor();
    await control(other, async () => {
      await typeText(other, 'Fallback');
      await sawText('Fallback');
    });
  } finally {
    await other.context().close();
  }
});

test('the command types texts and presses combinations', async () => {
  lab.seen.length = 0;
  assert.match(await lab.command(['type', '--layout', 'us', 'From $HOME, with ~love~\n']), /typed/);
  await sawText('From $HOME, with ~love~\n');
  lab.seen.length = 0;
  await lab.command(['key', 'ctrl+alt+del']);
  await waitFor('the combination', () => lab.seen.length >= 6);
  const pressed = lab.seen.filter(({ name }) => name === 'KeyPress').map(({ detail }) => detail);
  assert.deepEqual(pressed, [37, 64, 119]);
  await assert.rejects(lab.command(['type', '--layout', 'us', 'ß']), /ß/);
  lab.seen.length = 0;
});

test('the host’s shell answers on the command’s console and on the page’s', async () => {
  const answer = await lab.command(['console', '--wait', '1'], 'echo "say $((6*7)) friend"\n');
  assert.match(answer, /say 42 friend/);
  const serial = page.getByRole('region', { name: 'Serial console' });
  await serial.getByRole('button', { name: 'Open the console' }).click();
  // It may write now.
  await serial.getByRole('button', { name: 'Only read' }).waitFor();
  await serial.getByRole('textbox', { name: 'Terminal input' }).focus();
  await page.keyboard.type('echo "page $((7*7))"\n');
  await waitFor('the answer', async () => {
    const said = await fetch(`${lab.earshot.url}/api/v1/serial/scrollback`);
    return (await said.text()).includes('page 49');
  });
  await page.locator('.xterm-rows').getByText('page 49').waitFor();
});

test('the power button ends and begins the desktop, and its light is on the page', async () => {
  const power = page.getByRole('region', { name: 'Power' });
  /** Whether all, or none, of these programs run. */
  const run = async (pids: readonly number[], wanted: boolean) => {
    const running = await Promise.all(pids.map(isAlive));
    return pids.length > 0 && running.every((one) => one === wanted);
  };
  const begun = () => waitFor('a desktop', () => lab.desktop.pids.length > 0 && lab.desktop.pids);
  await power.getByText('Power on').waitFor();
  const first = lab.desktop.pids;
  assert.ok(await run(first, true));
  assert.match(await lab.command(['power', 'press']), /confirmed/);
  await power.getByText('Power off').waitFor();
  await waitFor('the desktop’s end', () => run(first, false));
  await power.getByRole('button', { name: 'Press power' }).click();
  await power.getByText('Power on').waitFor();
  const second = await begun();
  await lab.command(['power', 'reset']);
  await waitFor('its end', () => run(second, false));
  const third = await begun();
  assert.ok(third.every((pid) => !second.includes(pid)));
  assert.match(await lab.command(['power', 'hold']), /confirmed/);
  await power.getByText('Power off').waitFor();
  await waitFor('its end', () => run(third, false));
});
