import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { DemoBoard } from '../../scripts/demo-board.ts';
import { DemoDesktop } from '../../scripts/demo-desktop.ts';
import { type EarshotProcess, startEarshot } from '../lab/earshot-process.ts';
import { SerialShell } from '../lab/serial-shell.ts';
import { type Stage, startStage } from '../lab/stage.ts';
import { formatWav } from '../lab/wav-player.ts';
import { XClient, type XInput } from '../lab/x-client.ts';
import { XHidHost } from '../lab/x-hid-host.ts';
import { startXScreen } from '../lab/x-screen.ts';

/**
 * A whole Earshot with everything that it controls: keyboard and mouse act on a bare X display, whose only
 * window writes down what it sees; the console is a shell, and the power button that of the demo's desktop.
 */
export interface ControlStage {
  readonly stage: Stage;
  readonly earshot: EarshotProcess;
  readonly host: XHidHost;
  /** The display behind the host. */
  readonly desk: XClient;
  /** What its window saw, oldest first. */
  readonly seen: XInput[];
  readonly desktop: DemoDesktop;
  /** A page at the device. */
  open(): Promise<Page>;
  /** Runs the command with these arguments; resolves with what it wrote, standard error last. */
  command(args: readonly string[], input?: string): Promise<string>;
  close(): Promise<void>;
}

const commandMs = 30_000;

export async function startControlStage(): Promise<ControlStage> {
  const stage = await startStage();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'earshot-control-'));
    stage.defer(() => rm(directory, { recursive: true, force: true }));
    const folder = async (name: string) => {
      const path = join(directory, name);
      await mkdir(path);
      return path;
    };
    const screen = await startXScreen();
    stage.defer(() => screen.stop());
    const path = join(directory, 'host.sock');
    const host = await XHidHost.start({ path, display: screen.display });
    stage.defer(() => host.stop());
    const desk = await XClient.open(screen.display);
    stage.defer(() => desk.close());
    const seen: XInput[] = [];
    desk.on('input', (input) => seen.push(input));
    await desk.coverScreen();

    const shell = await SerialShell.plug({ directory: await folder('serial') });
    stage.defer(() => shell.close());
    shell.start();

    const music = join(directory, 'silence.wav');
    const silence = new Int16Array(48_000 * 2);
    await writeFile(music, formatWav(silence, { rateHz: 48_000, channels: 2 }));
    const { server, sink } = stage.host;
    const desktop = await DemoDesktop.make({ directory, sound: server, into: sink, music });
    stage.defer(() => desktop.close());
    desktop.start();
    const board = await DemoBoard.plug({
      directory: await folder('power'),
      power: async (event) => {
        if (event !== 'on') await desktop.stop();
        if (event !== 'off') desktop.start();
      },
    });
    stage.defer(() => board.close());

    const earshot = await startEarshot({
      card: stage.host,
      config: {
        video: { device: `x11:${screen.display}` },
        hid: { host: `unix:${path}` },
        serial: { port: shell.port },
        power: { kind: 'uart', uart: { port: board.port }, longMs: 4_500 },
      },
    });
    stage.defer(() => earshot.stop());
    return {
      ...{ stage, earshot, host, desk, seen, desktop },
      async open() {
        const page = await stage.browser.newPage();
        page.setDefaultTimeout(20_000);
        await page.setViewportSize({ width: 1_280, height: 900 });
        await page.goto(earshot.url);
        return page;
      },
      command: (args, input) => command(earshot, args, input),
      close: () => stage.close(),
    };
  } catch (error) {
    await stage.close();
    throw error;
  }
}

async function command(
  earshot: EarshotProcess,
  args: readonly string[],
  input = '',
): Promise<string> {
  const program = new URL('../../dist/earshot.mjs', import.meta.url).pathname;
  const run = promisify(execFile)(process.execPath, [program, ...args], {
    env: { ...process.env, EARSHOT_SOCKET: earshot.controlSocket },
    timeout: commandMs,
  });
  run.child.stdin?.end(input);
  const { stdout, stderr } = await run;
  return `${stdout}${stderr}`;
}

/** What a US keyboard's keys type, by keycodes of X: unshifted and shifted. */
const typed = new Map<number, string>([
  ...row(10, '1!', '2@', '3#', '4$', '5%', '6^', '7&', '8*', '9(', '0)', '-_', '=+'),
  ...row(24, 'qQ', 'wW', 'eE', 'rR', 'tT', 'yY', 'uU', 'iI', 'oO', 'pP', '[{', ']}', '\n\n'),
  ...row(38, 'aA', 'sS', 'dD', 'fF', 'gG', 'hH', 'jJ', 'kK', 'lL', ';:', '\'"', '`~'),
  ...row(51, '\\|', 'zZ', 'xX', 'cC', 'vV', 'bB', 'nN', 'mM', ',<', '.>', '/?'),
  [65, '  '],
]);
const shifts = [50, 62];

function row(first: number, ...keys: readonly string[]): [number, string][] {
  return keys.map((key, index) => [first + index, key]);
}

/** The text that a US keyboard makes of what was pressed. */
export function textOf(seen: readonly XInput[]): string {
  const held = new Set<number>();
  let text = '';
  for (const { name, detail } of seen) {
    if (name === 'KeyRelease') held.delete(detail);
    if (name !== 'KeyPress') continue;
    held.add(detail);
    text += typed.get(detail)?.[shifts.some((shift) => held.has(shift)) ? 1 : 0] ?? '';
  }
  return text;
}

/** Types as a person on a US keyboard does: Shift is held for what needs it. */
export async function typeText(page: Page, text: string): Promise<void> {
  for (const character of text) {
    const key = [...typed.values()].find((both) => both.includes(character));
    if (key === undefined) throw new Error(`no key types ${JSON.stringify(character)}`);
    const isShifted = key[0] !== character;
    const name = character === '\n' ? 'Enter' : (key[0] ?? '');
    if (isShifted) await page.keyboard.down('Shift');
    await page.keyboard.press(isShifted ? (key[1] ?? '') : name);
    if (isShifted) await page.keyboard.up('Shift');
  }
}
