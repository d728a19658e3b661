import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SerialShell } from '../test/lab/serial-shell.ts';
import { XHidHost } from '../test/lab/x-hid-host.ts';
import { DemoBoard } from './demo-board.ts';
import { DemoDesktop, type DemoDesktopOptions } from './demo-desktop.ts';
import { DiskActivity } from './demo-disk.ts';

/**
 * The computer that the demo controls: a desktop with keyboard and mouse, a console on a serial line, and a
 * power button that really begins and ends all of it.
 */

export interface DemoHost {
  /** Of the configuration: `video.device`, `hid.host`, `serial.port`, `power.uart.port`. */
  readonly wiring: {
    readonly video: string;
    readonly hid: string;
    readonly serial: string;
    readonly power: string;
  };
  /** The desktop's display, such as `:7`. */
  readonly display: string;
  readonly keyboard: XHidHost;
  readonly isOn: boolean;
  /** Ends everything of it, in reverse order. */
  close(): Promise<void>;
}

/** Makes it and switches it on. */
export async function startDemoHost(options: DemoDesktopOptions): Promise<DemoHost> {
  const ends: (() => Promise<void>)[] = [];
  async function close(): Promise<void> {
    for (const end of ends.splice(0).reverse()) await end();
  }
  const folder = async (name: string): Promise<string> => {
    const path = join(options.directory, name);
    await mkdir(path);
    return path;
  };
  try {
    const desktop = await DemoDesktop.make(options);
    ends.push(() => desktop.close());
    const path = join(options.directory, 'host.sock');
    const keyboard = await XHidHost.start({ path, display: desktop.display });
    ends.push(() => keyboard.stop());
    const shell = await SerialShell.plug({ directory: await folder('serial') });
    ends.push(() => shell.close());

    const switchOn = (): void => {
      desktop.start();
      shell.start();
      keyboard.become('attached');
    };
    const switchOff = async (): Promise<void> => {
      keyboard.become('detached');
      await shell.stop();
      await desktop.stop();
    };
    const board = await DemoBoard.plug({
      directory: await folder('power'),
      power: async (event) => {
        if (event !== 'on') await switchOff();
        if (event !== 'off') switchOn();
      },
    });
    ends.push(() => board.close());
    const disk = new DiskActivity({
      pids: () => desktop.pids,
      lit: (ms) => board.setDisk(ms),
    });
    disk.start();
    ends.push(async () => disk.stop());
    switchOn();
    return {
      wiring: {
        video: `x11:${desktop.display}`,
        hid: `unix:${path}`,
        serial: shell.port,
        power: board.port,
      },
      display: desktop.display,
      keyboard,
      get isOn() {
        return board.isOn;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
